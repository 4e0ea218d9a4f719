"""Shards of a replay as asynchronous invocations of the function `replay`: one goes on in the next.

An invocation works as long as it has time, and hands what is left to another one. How far each shard is
stands in the ledger, so whoever began them can look.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from shared.asking import RESERVE
from shared.errors import ParseError, TemporaryError
from shared.leasing import LedgerRows
from shared.policy import MINUTE, SECOND
from shared.ports import Services
from shared.replay.run import Run, one_after_the_other, run
from shared.replay.selection import Selection
from shared.replay.tally import Tally
from shared.tables import LEASES
from shared.toolkit import leases

FUNCTION = "replay"

_LOOKS_EVERY = 2 * SECOND
# Longer than an invocation lives, and the platform waits before it tries one again.
_STALLED = 30 * MINUTE


@dataclass(frozen=True)
class Task:
    """A shard of a selection. `begun` names the replay that it is part of, `turn` counts its invocations."""

    selection: Selection
    deliver: bool
    begun: str
    turn: int = 1

    @classmethod
    def read(cls, tree: dict[str, Any]) -> Task:
        """Read what `payload` wrote; raise `ParseError` for anything else."""
        match tree:
            case {
                "selection": dict(selection),
                "deliver": bool(deliver),
                "begun": str(begun),
                "turn": int(turn),
            }:
                return cls(Selection.read(selection), deliver, begun, turn)
        raise ParseError("no `selection`, `deliver`, `begun` and `turn`", layer="replay")

    @property
    def payload(self) -> bytes:
        """Write the event that starts it."""
        told = {"deliver": self.deliver, "begun": self.begun, "turn": self.turn}
        return json.dumps({"replay": {"selection": self.selection.document(), **told}}).encode()

    @property
    def task_id(self) -> str:
        """Name it, so that it is never accepted twice."""
        return f"{FUNCTION}-{self.begun}-{self.selection.number}-{self.turn}"


def begin(services: Services, selection: Selection, *, shards: int, deliver: bool) -> None:
    """Have a selection replayed by so many invocations beside each other."""
    begun = f"{services.random.getrandbits(64):016x}"
    for shard in selection.shards(shards):
        task = Task(shard, deliver, begun)
        services.invoker.invoke(FUNCTION, task.payload, task_id=task.task_id)


def replay_in_shards(
    services: Services,
    selection: Selection,
    *,
    shards: int,
    deliver: bool,
    tell: Callable[[Tally], None],
) -> Tally:
    """Begin invocations and look at them until all have ended; they go on when nobody looks any more.

    Raise `TemporaryError` when none of them does anything any more.
    """
    before = now = look(services, selection, shards=shards, deliver=deliver)
    begin(services, selection, shards=shards, deliver=deliver)
    moved_at = services.clock.now()
    while now.ended_since(before) < shards:
        if services.clock.now() - moved_at > _STALLED:
            raise TemporaryError("the invocations do not go on: look at the log of the function replay")
        services.clock.sleep(_LOOKS_EVERY)
        seen = look(services, selection, shards=shards, deliver=deliver)
        moved_at = services.clock.now() if seen.moves != now.moves else moved_at
        now = seen
        tell(now.tally)
    return now.tally


def work_on(services: Services, task: Task) -> Run:
    """Work on a shard as long as this invocation has time, and have another one go on from there.

    Raise `ContendedError` when another invocation works on it: the platform tries this one again later.
    """
    work, until = one_after_the_other(services, deliver=task.deliver), services.deadline - RESERVE
    done = run(services, task.selection, work, deliver=task.deliver, begun=task.begun, until=until)
    if not done.ended:
        following = replace(task, turn=task.turn + 1)
        services.invoker.invoke(FUNCTION, following.payload, task_id=following.task_id)
    return done


@dataclass(frozen=True)
class Progress:
    """How far the shards of a selection are, and the token of each: it grows with every turn.

    `has_ended` tells of each whether nothing is left; `moves` grows with everything that any of them does.
    """

    tally: Tally
    tokens: tuple[int, ...]
    has_ended: tuple[bool, ...]
    moves: int

    def ended_since(self, before: Progress) -> int:
        """Tell how many shards have ended a replay that was begun after `before` was seen."""
        pairs = zip(self.tokens, before.tokens, self.has_ended, strict=True)
        return sum(now > then and ended for now, then, ended in pairs)


def look(services: Services, selection: Selection, *, shards: int, deliver: bool) -> Progress:
    """Tell how far the shards of a selection are, or were when they ended."""
    store, tally = LedgerRows(services.ledger, LEASES), Tally()
    names = [shard.name(services.kinds, deliver=deliver) for shard in selection.shards(shards)]
    rows = [store.get(name) or {} for name in names]
    for row in rows:
        if isinstance(counted := row.get("result"), str):
            tally.add(Tally.read(json.loads(counted)))
    tokens = tuple(leases.number(row, "token") for row in rows)
    has_ended = tuple(not {"holder", "payload"} & row.keys() for row in rows)
    return Progress(
        tally, tokens, has_ended, sum(tokens) + sum(leases.number(r, "lease_until") for r in rows)
    )
