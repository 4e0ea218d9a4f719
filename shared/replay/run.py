"""A run over many jobs that can be interrupted: how far it is stands in the ledger, under a lease.

The lease keeps two from doing the same. What was done twice after a crash, some jobs at most, is found
unchanged the second time.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from shared.errors import ContendedError
from shared.leasing import LedgerRows, new_holder
from shared.policy import MINUTE
from shared.ports import Change, Services
from shared.replay.one_job import Replayed, rehearse, replay
from shared.replay.selection import Batch, Cursor, Selection, batches
from shared.replay.tally import Tally
from shared.tables import LEASES, Row
from shared.toolkit import leases
from shared.toolkit.leases import Lease

LOG = logging.getLogger(__name__)

Work = Callable[[Iterable[Batch]], Iterator[tuple[Batch, Tally]]]
"""Does batches, in their order; may read some ahead."""

# Longer than any batch takes: one whose holder ended without a word is taken over after it.
_LEASE = 5 * MINUTE


@dataclass
class Run:
    """How far a run is; `ended` tells that nothing is left, `resumed` that an earlier one had begun it."""

    tally: Tally
    resumed: bool
    ended: bool = False


def run(
    services: Services,
    selection: Selection,
    work: Work,
    *,
    deliver: bool,
    begun: str | None = None,
    until: int | None = None,
    tell: Callable[[Run], None] = lambda run: None,
) -> Run:
    """Replay a selection from where the last run stopped, as far as `until` allows, in epoch milliseconds.

    `begun` names a replay that is done once, however often this is called for it. `tell` hears after every
    batch how far it is. Raise `ContendedError` when another run holds or took over the selection.
    """
    store, name = LedgerRows(services.ledger, LEASES), selection.name(services.kinds, deliver=deliver)
    lease = _claim(services, store, name)
    begin, tally = _read(lease.row)
    if begin is None and begun is not None and lease.row.get("outcome") == begun:
        _end(store, lease, {})
        return Run(tally, resumed=True, ended=True)
    now = Run(Tally() if begin is None else tally, resumed=begin is not None)
    try:
        for batch, done in work(batches(services, selection, begin)):
            now.tally.add(done)
            lease = _noted(services, store, lease, batch.cursor, now.tally)
            tell(now)
            if until is not None and services.clock.now() >= until:
                break
        else:
            now.ended = True
    finally:
        # Whoever resumes it begins after the last batch that was noted.
        counted = json.dumps(now.tally.document())
        _end(store, lease, {"payload": None, "outcome": begun, "result": counted} if now.ended else {})
    return now


def one_after_the_other(services: Services, *, deliver: bool) -> Work:
    """Do batches in this process, the jobs of each beside each other."""

    def work(chosen: Iterable[Batch]) -> Iterator[tuple[Batch, Tally]]:
        for batch in chosen:
            yield batch, replay_all(services, batch.keys, deliver=deliver)

    return work


def replay_all(services: Services, keys: Sequence[str], *, deliver: bool) -> Tally:
    """Replay jobs beside each other."""
    return _counted(services, partial(replay, deliver=deliver), keys)


def rehearse_all(services: Services, keys: Sequence[str], *, against: bool) -> Tally:
    """Say of jobs what replaying them would do."""
    return _counted(services, partial(rehearse, against=against), keys)


def _counted(services: Services, act: Callable[[Services, str], Replayed], keys: Sequence[str]) -> Tally:
    done = services.parallel.run([partial(act, services, key) for key in keys])
    return Tally.of(one.result() for one in done)


def _claim(services: Services, store: LedgerRows, name: str) -> Lease:
    row, now = store.get(name), services.clock.now()
    lease = leases.claim(store, name, row, holder=new_holder(services), now=now, until=now + _LEASE)
    if lease is None:
        raise ContendedError("another run replays these jobs, or ended a moment ago", run=name)
    return lease


def _read(row: Row) -> tuple[Cursor | None, Tally]:
    cursor, counted = row.get("payload"), row.get("result")
    tally = Tally.read(json.loads(counted)) if isinstance(counted, str) else Tally()
    return (Cursor.read(cursor) if isinstance(cursor, str) else None), tally


def _noted(services: Services, store: LedgerRows, lease: Lease, cursor: Cursor, tally: Tally) -> Lease:
    told: Change = {"payload": cursor.text, "result": json.dumps(tally.document())}
    until = services.clock.now() + _LEASE
    renewed = leases.renew(store, lease, until=until, complete=lambda row, change: {**change, **told})
    if renewed is None:
        raise ContendedError("another run took over", run=lease.key)
    return renewed


def _end(store: LedgerRows, lease: Lease, change: Change) -> None:
    leases.finish(store, lease, lambda row: (change, None))
