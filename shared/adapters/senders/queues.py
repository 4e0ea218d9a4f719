"""`EventSender` for queues and topics of this account."""

from __future__ import annotations

import base64

from shared.delivery.targets import Dispatch, Target
from shared.errors import PermanentError, TargetRefusedError, TargetUnavailableError, TemporaryError
from shared.queues import Queues


class QueueSender:
    """Puts the event into MNS as base64, which the vendor's clients decode by default (media-jobs.md 2).

    Plain text would not do: XML, in which it travels, cannot hold every character that JSON can.
    """

    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    def send(self, target: Target, dispatch: Dispatch, *, deadline: int) -> None:
        """See `EventSender.send`. A try whose outcome is unknown is repeated, so an event may come twice."""
        put = self._queues.publish if target.kind == "topic" else self._queues.send
        try:
            put(target.address, base64.b64encode(dispatch.body).decode(), deadline=deadline)
        except TemporaryError as error:
            raise TargetUnavailableError(str(error), target=target.name) from error
        except PermanentError as error:
            raise TargetRefusedError(str(error), target=target.name) from error
