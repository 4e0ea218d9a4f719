"""MNS behind a real socket on the loopback interface, and what pushes beside it."""

from __future__ import annotations

import threading
from types import TracebackType

from localcloud.loopback import LoopbackServer
from localcloud.mns.service import MnsService

_MAX_BODY_BYTES = 1024 * 1024
_LOOK_AGAIN_S = 0.05


class MnsServer(LoopbackServer):
    """Serves a service while its `with` block lasts, and makes its pushes; port 0 takes a free one."""

    def __init__(self, service: MnsService, *, port: int = 0) -> None:
        super().__init__(service.answer, name="mns", port=port, max_body_bytes=_MAX_BODY_BYTES)
        self._service = service
        self._ended = threading.Event()
        self._pusher = threading.Thread(target=self._push, name="mns-pushes", daemon=True)

    def __enter__(self) -> MnsServer:
        super().__enter__()
        self._pusher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._service.close()  # who waits for a message would be waited for
        super().__exit__(kind, error, trace)
        self._pusher.join()

    def _push(self) -> None:
        while not self._ended.wait(_LOOK_AGAIN_S):
            self._service.push_due()
