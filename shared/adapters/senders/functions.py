"""`EventSender` for targets that are functions of this account: asynchronous invocation."""

from __future__ import annotations

from shared.delivery.targets import Dispatch, Target
from shared.errors import PermanentError, TargetRefusedError, TargetUnavailableError, TemporaryError
from shared.ports import Invoker


class FunctionSender:
    """Hands the event over as the payload. What the function makes of it is for its own retries."""

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker

    def send(self, target: Target, dispatch: Dispatch, *, deadline: int) -> None:
        """See `EventSender.send`. A try whose outcome is unknown is repeated under the same task id."""
        try:
            self._invoker.invoke(target.address, dispatch.body, task_id=f"deliver-{dispatch.delivery_id}")
        except TemporaryError as error:
            raise TargetUnavailableError(str(error), target=target.name) from error
        except PermanentError as error:
            raise TargetRefusedError(str(error), target=target.name) from error
