"""MNS with two keys, on a port or without one."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Sequence
from email.utils import formatdate

from localcloud.loopback import HttpReply, HttpRequest
from localcloud.mns.pushing import Post, http_post
from localcloud.mns.service import MnsService
from localcloud.mns.signatures import sign
from shared.adapters.clocks import SystemClock
from shared.ports import Clock
from shared.toolkit import xml_tree
from shared.toolkit.context import Credentials

OWN = Credentials("own-key", "own-secret")
TEMPORARY = Credentials("temporary-key", "temporary-secret", "temporary-token")
START = 1_763_640_000_000  # 2025-11-20T12:00:00Z
ACCOUNT = "1000000000000001"
REGION = "cn-shanghai"


def new_service(
    *,
    clock: Clock | None = None,
    post: Post = http_post,
    keys: Sequence[Credentials] = (OWN, TEMPORARY),
) -> MnsService:
    """Make a service, with both keys unless there are others."""
    return MnsService(
        keys=keys,
        clock=clock or SystemClock(),
        random=random.Random(20_251_120),
        account=ACCOUNT,
        region=REGION,
        post=post,
    )


class Caller:
    """Calls a service without a socket, signed as the vendor's client signs."""

    def __init__(self, service: MnsService, clock: Clock) -> None:
        self.service = service
        self._clock = clock

    def send(self, method: str, target: str, body: str = "", **headers: str) -> HttpReply:
        """Send a request; give the reply."""
        reply = self.service.answer(self.request(method, target, body, **headers))
        assert reply is not None
        return reply

    def request(self, method: str, target: str, body: str = "", **headers: str) -> HttpRequest:
        """Make a signed request; headers that are given come after the signature was made."""
        made = HttpRequest(
            method,
            target,
            {
                "date": formatdate(self._clock.now() // 1000, usegmt=True),
                "host": "127.0.0.1",
                "x-mns-version": "2015-06-06",
                "content-md5": base64.b64encode(hashlib.md5(body.encode()).hexdigest().encode()).decode(),
            },
            body.encode(),
        )
        signature = sign(made, secret=OWN.access_key_secret)
        signed = {**made.headers, "authorization": f"MNS {OWN.access_key_id}:{signature}"}
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        return HttpRequest(method, target, {**signed, **own}, made.body)

    def tree(self, method: str, target: str, body: str = "") -> dict[str, str]:
        """Send a request; give what the document of the reply says."""
        tree = xml_tree.parse(self.send(method, target, body).body)
        assert isinstance(tree, dict)
        return {name: value for name, value in tree.items() if isinstance(value, str)}

    def queue(self, name: str, **attributes: object) -> None:
        """Make a queue."""
        inside = "".join(f"<{key}>{value}</{key}>" for key, value in attributes.items())
        assert self.send("PUT", f"/queues/{name}", f"<Queue>{inside}</Queue>").status == 201

    def put(self, queue: str, body: str, **members: object) -> str:
        """Send a message and give its id."""
        inside = "".join(f"<{key}>{value}</{key}>" for key, value in members.items())
        document = f"<Message><MessageBody>{body}</MessageBody>{inside}</Message>"
        return self.tree("POST", f"/queues/{queue}/messages", document)["MessageId"]

    def receive(self, queue: str, wait: int = 0) -> dict[str, str]:
        """Receive a message; what is told when there is none has a `Code`."""
        return self.tree("GET", f"/queues/{queue}/messages?waitseconds={wait}")
