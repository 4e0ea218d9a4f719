"""Work on each item of a batch by itself: one bad item neither stops nor repeats its neighbours.

All state belongs to the call. Every failure is in the outcome with its id and reason, also when
every item failed, and is logged once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from shared.toolkit.bound_keys import current_item
from shared.toolkit.errors import PermanentError, TemporaryError
from shared.toolkit.log_output import configured_formatter
from shared.toolkit.logger import log_failure
from shared.toolkit.masking import Masker

T = TypeVar("T")
R = TypeVar("R")

Runner = Callable[[Sequence[Callable[[], None]]], object]
"""Runs every task to its end, in any order, also beside each other. Tasks raise no `Exception`."""

_NAMED_IDS = 20

_log = logging.getLogger("toolkit.batch")


class BatchFailedError(TemporaryError):
    """Items failed in a way that may pass; `failed_ids` names all that did, in order."""

    def __init__(self, failed_ids: Sequence[str], *, total: int) -> None:
        super().__init__(f"{len(failed_ids)} of {total} items are to be tried again", ids=_named(failed_ids))
        self.failed_ids = tuple(failed_ids)


class NotRunError(TemporaryError):
    """The item was not begun: the deadline was near, or the runner left it out."""


@dataclass(frozen=True)
class ItemOutcome(Generic[R]):
    """How one item ended: with a value, or with an error."""

    id: str
    value: R | None = None
    error: Exception | None = None


class BatchOutcome(Generic[R]):
    """How every item ended, in the order in which they came.

    `values` and `errors` are by position: every item is in exactly one of them. What is given per
    item is made on demand: a batch without failures is seldom looked at again.
    """

    def __init__(self, ids: Sequence[str], values: Mapping[int, R], errors: Mapping[int, Exception]) -> None:
        self._ids = ids
        self._values = values
        self._errors = errors

    @property
    def items(self) -> tuple[ItemOutcome[R], ...]:
        """Give every item."""
        return self._at(range(len(self._ids)))

    @property
    def succeeded(self) -> tuple[ItemOutcome[R], ...]:
        """Give the items that ended with a value."""
        return self._at(sorted(self._values))

    @property
    def failed(self) -> tuple[ItemOutcome[R], ...]:
        """Give the items that ended with an error, also those that were not run."""
        return self._at(sorted(self._errors))

    @property
    def not_run(self) -> tuple[ItemOutcome[R], ...]:
        """Give the items that were not begun; their error is a `NotRunError`."""
        return tuple(item for item in self.failed if isinstance(item.error, NotRunError))

    def raise_for_failures(self) -> None:
        """Raise `BatchFailedError` if any failure may pass.

        The platform then repeats the whole batch: partial answers are not documented for its queue
        triggers (function-compute.md 2), so that work has to be idempotent. A `PermanentError` is
        no reason to repeat anything.
        """
        again = [item.id for item in self.failed if not isinstance(item.error, PermanentError)]
        if again:
            raise BatchFailedError(again, total=len(self._ids))

    def report(self) -> dict[str, object]:
        """Give counts, and each failure's id, type and masked reason, ready for JSON."""
        formatter = configured_formatter()
        masker = formatter.masker if formatter else Masker()
        return {
            "items": len(self._ids),
            "succeeded": len(self._values),
            "failed": [
                {"id": item.id, "type": type(item.error).__name__, "reason": masker.text(str(item.error))}
                for item in self.failed
            ],
        }

    def _at(self, positions: Iterable[int]) -> tuple[ItemOutcome[R], ...]:
        values, errors = self._values, self._errors
        return tuple(ItemOutcome(self._ids[at], values.get(at), errors.get(at)) for at in positions)


def process(
    items: Sequence[T],
    work: Callable[[T], R],
    *,
    id_of: Callable[[T], str],
    workers: int | None = None,
    run: Runner | None = None,
    deadline_ms: int | None = None,
    reserve_ms: int = 1_000,
    clock: Callable[[], int] | None = None,
) -> BatchOutcome[R]:
    """Do `work` on every item and give each one's outcome; never raise for an item.

    Items are worked on one after the other, or in at most `workers` threads, or as `run` likes: it
    may be the `run` of a pool, and what it returns is not looked at. An item's id stands in its log
    lines as `item_id`; in threads, too, what the caller has bound.

    With a deadline in epoch milliseconds, such as `context.deadline_ms`, no item is begun later than
    `reserve_ms` before it, which should be what the slowest item needs: one that was begun is never
    broken off. The rest failed with `NotRunError`.

    An error in `id_of` is a defect of the caller and is raised before any work is done. Raise
    `ValueError` for both `workers` and `run`, or for no worker.
    """
    if workers is not None and (workers < 1 or run is not None):
        raise ValueError("workers: give at least 1, or a `run` of your own")
    ids = [id_of(item) for item in items]
    # By position: ids may repeat, and items may be worked on beside each other.
    values: dict[int, R] = {}
    errors: dict[int, Exception] = {}
    stop_ms = None if deadline_ms is None else deadline_ms - reserve_ms
    now = clock or _now

    def attempt(position: int) -> None:
        if stop_ms is not None and now() > stop_ms:
            errors[position] = NotRunError("the item was not run: its deadline was near")
            return
        current_item.set(ids[position])
        try:
            values[position] = work(items[position])
        except Exception as error:  # any failure is this item's outcome and nobody else's
            errors[position] = error
            log_failure(_log, "item failed", error)

    runner = run if workers is None else _threads(workers)
    if runner is None:
        _one_after_the_other(attempt, range(len(ids)))
    else:
        # A context of its own for each task, as two threads cannot be in one at a time.
        runner([partial(copy_context().run, attempt, position) for position in range(len(ids))])
    _add_left_out(ids, values, errors)
    outcome = BatchOutcome(ids, values, errors)
    _log_not_run(outcome)
    return outcome


def _one_after_the_other(attempt: Callable[[int], None], positions: Iterable[int]) -> None:
    outer = current_item.set(None)
    try:
        for position in positions:
            attempt(position)
    finally:
        current_item.reset(outer)


def _threads(workers: int) -> Runner:
    # Here, because a function that needs no threads should not wait for the import at its cold start.
    from concurrent.futures import ThreadPoolExecutor

    def run(tasks: Sequence[Callable[[], None]]) -> None:
        process_ends = threading.Event()

        def run_one(task: Callable[[], None]) -> None:
            if process_ends.is_set():
                return
            try:
                task()
            except BaseException:
                process_ends.set()
                raise

        # A pool per batch: a thread that outlived its invocation would go on in the time of the next.
        with ThreadPoolExecutor(workers, thread_name_prefix="batch") as pool:
            list(pool.map(run_one, tasks))

    return run


def _add_left_out(ids: Sequence[str], values: Mapping[int, object], errors: dict[int, Exception]) -> None:
    if len(values) + len(errors) < len(ids):
        for at in set(range(len(ids))).difference(values, errors):
            errors[at] = NotRunError("the item was not run: the runner left it out")


def _log_not_run(outcome: BatchOutcome[R]) -> None:
    """Log all of them in one line: they may be many, and little time is left."""
    ids = [item.id for item in outcome.not_run]
    if ids:
        _log.error("items not run", extra={"not_run": len(ids), "ids": _named(ids)})


def _named(ids: Sequence[str]) -> str:
    named = ", ".join(ids[:_NAMED_IDS])
    return f"{named}, and {len(ids) - _NAMED_IDS} more" if len(ids) > _NAMED_IDS else named


def _now() -> int:
    return time.time_ns() // 1_000_000
