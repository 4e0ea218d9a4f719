"""`import`: bring what an older pipeline has, its stored answers or a list of its jobs."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Annotated, NamedTuple

import typer

from cli import tracking
from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, opened
from cli.progress import progress
from cli.raw_files import RawFiles, raw_files
from cli.submit_lists import lines_of_file
from cli.terminal import AsJson, Exit, complain, err, escape, out, print_json, told_plainly
from shared.announcements import Refusal, read_item
from shared.errors import FunctionError, PermanentError, TemporaryError
from shared.importing import Outcome, StoredAnswer, Taken, rehearse, take_in
from shared.job_row import read_job
from shared.kinds import KINDS
from shared.policy import MINUTE
from shared.ports import Services
from shared.toolkit.masking import Masker

_BATCH = 64
_BATCH_TIME = 5 * MINUTE
_EXAMPLES = 5
# What every file fails by in its own way must not fill the memory.
_MOST_REASONS = 100
_UNREADABLE, _NOT_STORED = "unreadable", "not_stored"
COUNTED = (*(outcome.value for outcome in Outcome), _UNREADABLE, _NOT_STORED)
"""What can become of a file, in the order in which it is told."""


@dataclass(frozen=True)
class _Wish:
    """What a person asked for."""

    kind: str | None
    region: str | None
    user_id: str | None
    is_dry: bool


class _Became(NamedTuple):
    """What became of a file, and why if a person should know."""

    name: str
    outcome: str
    reason: str | None


@dataclass
class _Total:
    """What became of all files, and the first names for each reason; `last` is behind what to go on."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: defaultdict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    last: str | None = None

    def add(self, one: _Became) -> None:
        self.counts[one.outcome] += 1
        if one.reason is None:
            return
        why = one.outcome, Masker().text(one.reason)
        if why not in self.reasons and len(self.reasons) >= _MOST_REASONS:
            why = one.outcome, "for other reasons"
        self.reasons[why] += 1
        if len(self.examples[why]) < _EXAMPLES:
            self.examples[why].append(one.name)

    def report(self) -> dict[str, object]:
        """Give all of it, ready for JSON."""
        reasons = [
            {"outcome": why[0], "reason": why[1], "files": count, "examples": self.examples[why]}
            for why, count in self.reasons.most_common()
        ]
        return {**{name: self.counts[name] for name in COUNTED}, "reasons": reasons, "last": self.last}

    def status(self) -> Exit:
        if self.counts[_UNREADABLE] or self.counts[Outcome.DIFFERS.value]:
            return Exit.NEEDS_A_PERSON
        return Exit.LATER if self.counts[Outcome.LEFT.value] or self.counts[_NOT_STORED] else Exit.DONE


def import_answers(
    raw: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Stored answers, one in each file, as they were received: a folder, or"
            " oss://bucket/folder?region=cn-shanghai. The file that a quality review wrote may lie beside its"
            " answer, one.output.txt beside one.json.",
        ),
    ] = None,
    jobs: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A list of jobs, as track --file takes it; - is standard input."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(help=f"One of: {', '.join(KINDS)}. For answers that do not tell, or lines that do not."),
    ] = None,
    region: Annotated[str | None, typer.Option(help="Where the jobs were submitted.")] = None,
    user_id: Annotated[str | None, typer.Option(help="The account that submitted them.")] = None,
    after: Annotated[
        str, typer.Option(metavar="NAME", help="Go on behind this file; names are read in their order.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of each.")] = False,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Turn stored answers into rows and records without a call to the vendor, or announce a list of jobs.

    Nobody is told of jobs that are new to the ledger. It can be run again at any time: what is recorded stays
    as it is, and an answer that says something else is told of. Exit status 1 when that is so, or a file is
    no answer; 3 when something could not be stored now.
    """
    wish = _Wish(kind, region, user_id, is_dry=dry_run)
    _check(raw, jobs, after, wish)
    with told_plainly():
        if jobs is not None:
            _announce(jobs, wish, environment(folder), as_json=as_json)
        elif raw is not None:
            with raw_files(raw, environment(folder)) as files, opened(environment(folder)) as services:
                total = _import(services, files, wish, after=after)
            _tell(total, wish, as_json=as_json)


def _check(raw: str | None, jobs: str | None, after: str, wish: _Wish) -> None:
    """Refuse what would be wrong for every file, before anything is written."""
    if (raw is None) == (jobs is None):
        complain("say what to import: --raw DIR or --jobs FILE", Exit.WRONG_USE)
    if jobs is not None and (wish.is_dry or after):
        complain("--after and --dry-run go with --raw", Exit.WRONG_USE)
    if wish.kind is not None and wish.kind not in KINDS:
        complain(f"unknown kind {wish.kind}: known are {', '.join(KINDS)}", Exit.WRONG_USE)
    probe = read_item({"kind": "any", "job_id": "any", **_defaults(wish)})
    if isinstance(probe, Refusal):
        complain(probe.reason, Exit.WRONG_USE)


def _defaults(wish: _Wish) -> dict[str, str]:
    said = {"kind": wish.kind, "region": wish.region, "user_id": wish.user_id}
    return {name: value for name, value in said.items() if value is not None}


def _announce(jobs: str, wish: _Wish, settings: Mapping[str, str], *, as_json: bool) -> None:
    with lines_of_file(jobs, _defaults(wish)) as lines, opened(settings) as services:
        done = tracking.announce(services, lines, as_json=as_json)
    tracking.tell(done, as_json=as_json)


def _import(services: Services, files: RawFiles, wish: _Wish, *, after: str) -> _Total:
    """Import batch by batch, until the end or until a store does not answer."""
    total = _Total()
    names = files.names(after=after)
    with progress("files") as shown:
        task = shown.add_task("imported", total=None)
        while batch := list(islice(names, _BATCH)):
            # What bounds an invocation bounds each batch here: a folder takes as long as it takes.
            in_time = replace(services, deadline=services.clock.now() + _BATCH_TIME)
            for one in _batch(in_time, files, batch, wish):
                total.add(one)
            if total.counts[_NOT_STORED]:
                break
            total.last = batch[-1]
            shown.advance(task, len(batch))
    return total


def _batch(services: Services, files: RawFiles, names: Sequence[str], wish: _Wish) -> Iterator[_Became]:
    """Take in some files beside each other; those about the same job one after the other."""
    readings = services.parallel.run([partial(_read, services, files, name, wish) for name in names])
    by_job: dict[str, list[tuple[str, StoredAnswer]]] = {}
    for name, reading in zip(names, readings, strict=True):
        if reading.error is not None:
            yield _failed(name, reading.error)
        else:
            answer = reading.result()
            by_job.setdefault(answer.ref.key, []).append((name, answer))
    tasks = [partial(_take_in_each, services, answers, wish) for answers in by_job.values()]
    for done in services.parallel.run(tasks):
        yield from done.result()


def _read(services: Services, files: RawFiles, name: str, wish: _Wish) -> StoredAnswer:
    body = files.read(name)
    return StoredAnswer.read(services.kinds, body, kind=wish.kind, beside=files.beside(name))


def _take_in_each(
    services: Services, answers: Sequence[tuple[str, StoredAnswer]], wish: _Wish
) -> list[_Became]:
    became = []
    for name, answer in answers:
        try:
            taken = _take_in(services, answer, wish)
        except FunctionError as error:
            became.append(_failed(name, error))
        else:
            became.append(_Became(name, taken.outcome.value, taken.reason))
    return became


def _take_in(services: Services, answer: StoredAnswer, wish: _Wish) -> Taken:
    if wish.is_dry:
        return rehearse(read_job(services.ledger, answer.ref.key), answer)
    return take_in(services, answer, region=wish.region, user_id=wish.user_id)


def _failed(name: str, error: Exception) -> _Became:
    """Tell of an error that is the file's own, or a store's; raise what is about us, or a defect."""
    if isinstance(error, TemporaryError):
        return _Became(name, _NOT_STORED, str(error))
    if isinstance(error, PermanentError):
        return _Became(name, _UNREADABLE, str(error))
    raise error


def _tell(total: _Total, wish: _Wish, *, as_json: bool) -> None:
    if as_json:
        print_json(total.report())
    else:
        counts = [f"{count} {name.replace('_', ' ')}" for name in COUNTED if (count := total.counts[name])]
        told = ", ".join(counts) or "no files there"
        out().print(f"would become: {told}" if wish.is_dry and counts else told)
        for (outcome, reason), count in total.reasons.most_common():
            named = ", ".join(total.examples[outcome, reason])
            more = "" if count <= _EXAMPLES else f" and {count - _EXAMPLES} more"
            err().print(f"[bold]{outcome.replace('_', ' ')}:[/] {escape(f'{reason}: {named}')}{more}")
        if total.counts[_NOT_STORED] and total.last is not None:
            err().print(f"go on with --after {escape(shlex.quote(total.last))}")
    raise typer.Exit(total.status())
