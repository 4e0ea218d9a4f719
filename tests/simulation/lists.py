"""What lists find when a run has come to rest: all that rows say, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial

from shared.job_filter import Filter
from shared.job_row import JobRow
from shared.jobs import State
from shared.kinds import KINDS
from shared.listings import list_jobs
from shared.ports import Services
from tests.simulation.run import Run

Holds = Callable[[JobRow], bool]


def lists_find_what_the_rows_say(run: Run) -> Iterator[str]:
    """Ask for everything that a job of this run can be found by."""
    rows, services = run.ledger.rows(), run.instances.bare()
    for wanted, holds in _questions(list(rows.values())):
        found = _found(services, wanted)
        meant = {key for key, row in rows.items() if holds(row)}
        if len(found) != len(set(found)):
            yield f"{wanted.values}: a job is listed twice"
        for key in sorted(meant.symmetric_difference(found)):
            yield f"{wanted.values}: {key} is {'not listed' if key in meant else 'listed'}"


def _questions(rows: Collection[JobRow]) -> Iterator[tuple[Filter, Holds]]:
    for state in State:
        yield Filter(state=state), partial(_stands_at, state)
    for kind in KINDS:
        yield Filter(kind=kind), partial(_is_of, kind)
    for verdict in _texts(rows, "suggestion"):
        yield Filter(verdict=verdict), partial(_says, "suggestion", verdict)
    for label in sorted({label for row in rows for label in _labels(row)}):
        yield Filter(label=label), partial(_has, label)
    settled = [row for row in rows if row.state.is_terminal]
    for media in _texts(settled, "media_id"):
        yield Filter(media_id=media, state=State.SUCCEEDED), partial(_has_come_of, media)
    yield Filter(lost_callback=True), lambda row: row.count("lost_callback") == 1
    yield Filter(needs="undelivered"), lambda row: bool(row.undelivered)
    yield Filter(needs="drift"), lambda row: row.count("drifts") > 0
    yield Filter(needs="any"), _needs_a_person


def _stands_at(state: State, row: JobRow) -> bool:
    return row.state is state


def _is_of(kind: str, row: JobRow) -> bool:
    return row.ref.kind == kind


def _says(column: str, word: str, row: JobRow) -> bool:
    return row.text(column) == word


def _has(label: str, row: JobRow) -> bool:
    return label in _labels(row)


def _has_come_of(media: str, row: JobRow) -> bool:
    return row.state is State.SUCCEEDED and row.text("media_id") == media


def _texts(rows: Iterable[JobRow], column: str) -> list[str]:
    return sorted({text for row in rows if (text := row.text(column))})


def _needs_a_person(row: JobRow) -> bool:
    is_aside = row.state in (State.QUARANTINED, State.UNKNOWN)
    return is_aside or bool(row.undelivered) or row.count("drifts") > 0


def _labels(row: JobRow) -> list[str]:
    return [label for label in (row.text("labels") or "").split(",") if label]


def _found(services: Services, wanted: Filter) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = list_jobs(services, wanted, limit=50, after=after)
        found += [row.key for row in page.rows]
        after = page.after
        if after is None:
            return found
