"""Work on each item of a batch by itself: one bad item neither stops nor repeats its neighbours.

All state belongs to the call. Every failure is in the outcome with its id and reason, also when
every item failed, and is logged once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from shared.toolkit.errors import PermanentError, TemporaryError
from shared.toolkit.logger import bind, log_failure

T = TypeVar("T")
R = TypeVar("R")

Runner = Callable[[Sequence[Callable[[], None]]], object]
"""Runs every task to its end, in any order, also beside each other. Tasks raise no `Exception`."""

_NAMED_IDS = 20

_log = logging.getLogger("toolkit.batch")


class BatchFailedError(TemporaryError):
    """Items failed in a way that may pass; `failed_ids` names all that did, in order."""

    def __init__(self, failed_ids: Sequence[str], *, total: int) -> None:
        named = ", ".join(failed_ids[:_NAMED_IDS])
        if len(failed_ids) > _NAMED_IDS:
            named += f", and {len(failed_ids) - _NAMED_IDS} more"
        super().__init__(f"{len(failed_ids)} of {total} items are to be tried again", ids=named)
        self.failed_ids = tuple(failed_ids)


class NotRunError(TemporaryError):
    """The runner ended without running this item."""


@dataclass(frozen=True)
class ItemOutcome(Generic[R]):
    """How one item ended: with a value, or with an error."""

    id: str
    value: R | None = None
    error: Exception | None = None


@dataclass(frozen=True)
class BatchOutcome(Generic[R]):
    """How every item ended, in the order in which they came."""

    items: tuple[ItemOutcome[R], ...]

    @property
    def succeeded(self) -> tuple[ItemOutcome[R], ...]:
        """Give the items that ended with a value."""
        return tuple(item for item in self.items if item.error is None)

    @property
    def failed(self) -> tuple[ItemOutcome[R], ...]:
        """Give the items that ended with an error."""
        return tuple(item for item in self.items if item.error is not None)

    def raise_for_failures(self) -> None:
        """Raise `BatchFailedError` if any failure may pass.

        The platform then repeats the whole batch: partial answers are not documented for its queue
        triggers (function-compute.md 2), so that work has to be idempotent. A `PermanentError` is
        no reason to repeat anything.
        """
        again = [item.id for item in self.failed if not isinstance(item.error, PermanentError)]
        if again:
            raise BatchFailedError(again, total=len(self.items))

    def report(self) -> dict[str, object]:
        """Give counts, and each failure's id, type and reason, ready for JSON. Mask before showing."""
        return {
            "items": len(self.items),
            "succeeded": len(self.succeeded),
            "failed": [
                {"id": item.id, "type": type(item.error).__name__, "reason": str(item.error)}
                for item in self.failed
            ],
        }


def one_after_the_other(tasks: Sequence[Callable[[], None]]) -> None:
    """Run the tasks in order, in this thread."""
    for task in tasks:
        task()


def process(
    items: Sequence[T],
    work: Callable[[T], R],
    *,
    id_of: Callable[[T], str],
    run: Runner = one_after_the_other,
) -> BatchOutcome[R]:
    """Do `work` on every item and give each one's outcome; never raise for an item.

    While an item is worked on, its id is bound to the log lines as `item_id`. `run` may be the `run`
    of a bounded pool; what it returns is not looked at. An error in `id_of` is a defect of the
    caller and is raised before any work is done.
    """
    ids = [id_of(item) for item in items]
    # By position: ids may repeat, and tasks may run beside each other.
    outcomes: dict[int, ItemOutcome[R]] = {}

    def run_one(position: int) -> None:
        outcomes[position] = _run_one(items[position], work, ids[position])

    # A context of its own for each task, so that bound log keys follow into whatever thread runs it.
    run([partial(copy_context().run, run_one, position) for position in range(len(items))])
    return BatchOutcome(tuple(outcomes.get(i) or _not_run(ids[i]) for i in range(len(items))))


def _run_one(item: T, work: Callable[[T], R], item_id: str) -> ItemOutcome[R]:
    with bind(item_id=item_id):
        try:
            return ItemOutcome(item_id, value=work(item))
        except Exception as error:  # any failure is this item's outcome and nobody else's
            log_failure(_log, "item failed", error)
            return ItemOutcome(item_id, error=error)


def _not_run(item_id: str) -> ItemOutcome[R]:
    error = NotRunError("the item was not run", item_id=item_id)
    with bind(item_id=item_id):
        log_failure(_log, "item failed", error)
    return ItemOutcome(item_id, error=error)
