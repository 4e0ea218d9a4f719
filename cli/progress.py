"""How far a long command is: so many of something, how fast, since when. On a terminal only."""

from __future__ import annotations

from rich.progress import Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from cli.terminal import err


class _Rate(ProgressColumn):
    """Steps a second, in whole numbers."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} a second" if task.speed else "")


def progress(things: str) -> Progress:
    """Show counts of things (`jobs`, say) on standard error while it lasts; add a task to it."""
    console = err()
    return Progress(
        TextColumn(f"{{task.completed:,.0f}} {things}"),
        _Rate(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
