"""The `EventSender` that use cases get: it leaves each target to the sender of its kind."""

from __future__ import annotations

from collections.abc import Mapping

from shared.delivery.targets import Dispatch, Target, TargetKind
from shared.ports import EventSender


class SenderByKind:
    """Sends through the sender of the target's kind, of which there must be one."""

    def __init__(self, senders: Mapping[TargetKind, EventSender]) -> None:
        self._senders = senders

    def send(self, target: Target, dispatch: Dispatch, *, deadline: int) -> None:
        """See `EventSender.send`."""
        self._senders[target.kind].send(target, dispatch, deadline=deadline)
