"""A gateway behind a real socket on the loopback interface."""

from __future__ import annotations

from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer
from localcloud.media.gateway import Gateway
from localcloud.media.wire import WireRequest

_MAX_BODY_BYTES = 1024 * 1024


class MediaApiServer(LoopbackServer):
    """Serves a gateway while its `with` block lasts; port 0 takes a free one."""

    def __init__(self, gateway: Gateway, *, port: int = 0) -> None:
        def answer(http: HttpRequest) -> HttpReply:
            request = WireRequest(http.method, http.target, headers=http.headers, body=http.body)
            reply = gateway.answer(request)
            return HttpReply(reply.status, reply.body, reply.headers)

        super().__init__(answer, name="media-api", port=port, max_body_bytes=_MAX_BODY_BYTES)
