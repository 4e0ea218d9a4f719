"""`redrive`: what lies in the queues of dead letters, why, and back with it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from cli.demo_vendor import REGION, USER_ID
from cli.demonstration import TEMPLATE
from cli.local_ledger import DEFAULT_FOLDER, Folder, as_environment, environment, opened
from cli.looking import moment
from cli.terminal import (
    AsJson,
    Exit,
    complain,
    err,
    escape,
    functions_log_to,
    out,
    print_json,
    told_plainly,
    user,
)
from localcloud.runner import InProcessRunner, InvocationError
from localcloud.template import read_template
from shared import redrive as redriving
from shared.dead_letters import DeadLetter
from shared.errors import FunctionError, InvalidJobIdError, MisconfiguredError, TemporaryError
from shared.jobs import JobRef
from shared.places import Inline
from shared.policy import DAY, HOUR, MINUTE
from shared.ports import Services
from shared.redrive import PutBack
from shared.settings import Settings

_JOBS_SHOWN = 3


@dataclass(frozen=True)
class _Told:
    """A letter, and what came of it."""

    letter: DeadLetter
    outcome: str
    reason: str
    status: Exit = Exit.DONE


@dataclass(frozen=True)
class _Wish:
    """What a person asked for; `functions` are those that something can go back to."""

    queues: Sequence[str]
    functions: Collection[str]
    only: str | None
    limit: int | None

    def includes(self, letter: DeadLetter) -> bool:
        if self.only in (None, letter.queue, letter.function):
            return True
        return any(self.only in _names_of(job) for job in letter.jobs)


def redrive(
    queues: Annotated[
        list[str] | None,
        typer.Argument(help="Queues of dead letters; without any, those of LEDGER_DEAD_LETTERS."),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Put them back; without it, only look.")] = False,
    only: Annotated[
        str | None,
        typer.Option(metavar="WHAT", help="Only those of this queue, function, or job: id, kind/id or key."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Look at so many messages of each queue at most.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Who puts them back, for the audit; else the user of this machine.")
    ] = None,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """List what lies in the queues of dead letters, with reasons; with --apply, put it back.

    A failed invocation goes back to its function, and a callback to the function callback. A letter is taken
    away only after that, and after it is told of under audit/redrive/ in the archive. While letters are
    looked at they are hidden from others. Exit status 1 when nobody can tell what one is, or it is refused; 3
    when it may be tried again.
    """
    with told_plainly():
        settings = environment(folder)
        chosen = _queues(Settings.read(settings), queues, only)
        wish = _Wish(chosen, tuple(read_template(TEMPLATE).functions), only, limit)
        with opened(settings, must_exist=folder) as services, err().status("looking ...") as status:
            now = services.clock.now()
            letters = _put_back(services, settings, wish, by or user()) if apply else _look(services, wish)
            told, failure = _gathered(letters, lambda count: status.update(f"{count} letters so far ..."))
    if as_json:
        print_json({"dead_letters": [_document(one) for one in told]})
    elif told or failure is None:
        _show(told, now)
    if failure is not None:
        complain(str(failure), _status(failure))
    raise typer.Exit(max((one.status for one in told), default=Exit.DONE))


def _gathered(
    letters: Iterator[_Told], progress: Callable[[int], None]
) -> tuple[list[_Told], FunctionError | None]:
    """Give all letters, or those until something failed: what was done is told in any case."""
    told: list[_Told] = []
    try:
        for one in letters:
            told.append(one)
            progress(len(told))
    except FunctionError as error:
        return told, error
    return told, None


def _queues(settings: Settings, named: list[str] | None, only: str | None) -> list[str]:
    """Give the queues to look into."""
    queues = sorted(set(named or settings.dead_letters))
    if not queues:
        complain("say which queues: as arguments, or in LEDGER_DEAD_LETTERS", Exit.WRONG_USE)
    return [only] if only in queues else queues


def _look(services: Services, wish: _Wish) -> Iterator[_Told]:
    for queue in wish.queues:
        for letter in redriving.look(services, queue, functions=wish.functions, limit=wish.limit):
            if wish.includes(letter):
                yield _Told(letter, "lies there" if letter.function else "unknown", letter.reason)


def _put_back(services: Services, settings: Mapping[str, str], wish: _Wish, by: str) -> Iterator[_Told]:
    with _reaching_functions(services, settings) as reaching:
        for queue in wish.queues:
            for done in redriving.put_back(
                reaching, queue, functions=wish.functions, wanted=wish.includes, by=by, limit=wish.limit
            ):
                yield _told(done)


@contextmanager
def _reaching_functions(services: Services, settings: Mapping[str, str]) -> Iterator[Services]:
    """Reach the deployed functions; where none are, run them here."""
    if not isinstance(Settings.read(settings).invoker, Inline):
        yield services
        return
    with functions_log_to(sys.stderr), as_environment(settings):
        yield replace(services, invoker=RunsHere(settings))


class RunsHere:
    """An `Invoker` that has run the function when it returns: a letter is taken away after that."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._runner = InProcessRunner(
            read_template(TEMPLATE),
            region=settings.get("LEDGER_REGION") or REGION,
            account_id=settings.get("LEDGER_USER_ID") or USER_ID,
        )

    def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
        """See `Invoker.invoke`."""
        try:
            self._runner.invoke(function, payload)
        except InvocationError as error:
            raise TemporaryError(f"the function failed again: {error}", function=function) from error
        return True


def _told(done: PutBack) -> _Told:
    if done.error is not None:
        return _Told(done.letter, "failed", str(done.error), _status(done.error))
    status = Exit.NEEDS_A_PERSON if done.outcome == "left" else Exit.DONE
    return _Told(done.letter, done.outcome, done.letter.reason, status)


def _status(error: FunctionError) -> Exit:
    if isinstance(error, TemporaryError):
        return Exit.LATER
    return Exit.WRONG_USE if isinstance(error, MisconfiguredError) else Exit.NEEDS_A_PERSON


def _names_of(key: str) -> tuple[str, ...]:
    """Give what a person may call a job."""
    try:
        ref = JobRef.from_key(key)
    except InvalidJobIdError:
        return (key,)
    return key, ref.job_id, f"{ref.kind}/{ref.job_id}"


def _document(one: _Told) -> dict[str, Any]:
    letter = one.letter
    return {
        "queue": letter.queue,
        "message_id": letter.message_id,
        "lies_since": letter.lies_since,
        "failed_at": letter.failed_at,
        "attempts": letter.attempts,
        "function": letter.function,
        "jobs": list(letter.jobs),
        "outcome": one.outcome,
        "reason": one.reason,
    }


def _show(told: Sequence[_Told], now: int) -> None:
    if not told:
        out().print("no dead letters")
        return
    table = Table(box=SIMPLE)
    for column in ("queue", "since", "age", "function", "jobs", "outcome", "reason"):
        table.add_column(column, overflow="fold")
    for one in told:
        letter = one.letter
        shown = ", ".join(letter.jobs[:_JOBS_SHOWN])
        more = f" and {len(letter.jobs) - _JOBS_SHOWN} more" if len(letter.jobs) > _JOBS_SHOWN else ""
        since = letter.failed_at or letter.lies_since
        table.add_row(
            escape(letter.queue),
            moment(since),
            _age(now - since),
            letter.function or "",
            escape(shown + more),
            one.outcome,
            escape(one.reason),
        )
    out().print(table)


def _age(ms: int) -> str:
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if ms >= 2 * unit:
            return f"{ms // unit} {name}"
    return "now"
