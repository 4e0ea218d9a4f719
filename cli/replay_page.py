"""What a newer normalizer would change, as one HTML file: nothing is loaded, all text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from string import Template

from shared.replay.tally import Tally

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 72rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid #8886; overflow-wrap: anywhere; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font: .85em ui-monospace, monospace; }
</style>
</head>
<body>
<h1>$title</h1>
<p>$jobs jobs · made $made_at · nothing was written</p>
$outcomes
<h2>What would differ</h2>
$changes
<h2>What is left as it is</h2>
$problems
</body>
</html>
""")


def page(tally: Tally, *, title: str, made_at: str) -> str:
    """Write a rehearsal for people."""
    changes = [
        (
            one.field,
            f"{one.before} → {one.after}" if one.before else "",
            f"{jobs:,}",
            ", ".join(tally.examples[one]),
        )
        for one, jobs in tally.ranked()
    ]
    problems = [(did, job, reason) for did in sorted(tally.problems) for job, reason in tally.problems[did]]
    return _PAGE.substitute(
        title=escape(title),
        jobs=f"{tally.jobs:,}",
        made_at=escape(made_at),
        outcomes=_table(("outcome", "jobs"), [(did, f"{n:,}") for did, n in sorted(tally.outcomes.items())]),
        changes=_table(("field", "from → to", "jobs", "such as"), changes),
        problems=_table(("outcome", "job", "reason"), problems),
    )


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["".join(_cell(name, value) for name, value in zip(names, row, strict=True)) for row in rows]
    if not lines:
        return "<p>Nothing.</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>"


def _cell(name: str, value: str) -> str:
    return f'<td class="number">{escape(value)}</td>' if name == "jobs" else f"<td>{escape(value)}</td>"
