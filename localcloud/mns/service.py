"""What MNS does for every request: signature, operation, long polling, and a body for every refusal."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from localcloud.loopback import HttpReply, HttpRequest
from localcloud.media.wire import RefusedError
from localcloud.mns import queue_operations, topic_operations
from localcloud.mns.account import Account
from localcloud.mns.faults import Faults
from localcloud.mns.push_signing import PushSigner
from localcloud.mns.pushing import Post, http_post, push_to
from localcloud.mns.queues import message_not_exist
from localcloud.mns.signatures import verify
from localcloud.mns.wire import MnsRequest, xml_reply
from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    from shared.ports import Clock

_LOOK_AGAIN_MS = 20
_SECOND = 1_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,119}")


class MnsService:
    """Serves one account's queues and topics in one region to the owners of `keys`.

    Keys with a token are temporary: the token must come with every request. `faults` is where things are
    planned to go wrong. Pushes to addresses are made by `push_due`, and signed by `signer`, if there is one.
    """

    def __init__(
        self,
        *,
        keys: Iterable[Credentials],
        clock: Clock,
        random: random.Random,
        account: str = "1000000000000001",
        region: str = "cn-shanghai",
        post: Post = http_post,
        signer: PushSigner | None = None,
    ) -> None:
        self.faults = Faults()
        self.account = Account(account, region, random)
        self._keys: Mapping[str, Credentials] = {key.access_key_id: key for key in keys}
        self._clock = clock
        self._random = random
        self._post = post
        self._signer = signer
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def answer(self, http: HttpRequest) -> HttpReply | None:
        """Answer one request; a refusal is an answer too, and None hangs up."""
        fault = self.faults.take()
        with self._lock:
            request_id = f"{self._random.getrandbits(96):024X}"
        try:
            if fault.refusal is not None:
                raise fault.refusal
            verify(http, self._keys, now=self._clock.now())
            reply = self._reply(MnsRequest.of(http))
        except RefusedError as refused:
            reply = _refusal(refused, http, request_id)
        if fault.hangs_up:
            return None
        if fault.garbles:
            reply = HttpReply(502, b"<html>Bad Gateway")
        headers = {"x-mns-version": "2015-06-06", **reply.headers, "x-mns-request-id": request_id}
        return replace(reply, headers=headers)

    def push_due(self) -> int:
        """Make the pushes to addresses that are due; tell how many were taken."""
        with self._lock:
            due = self.account.take_due(now=self._clock.now())
            request_ids = [f"{self._random.getrandbits(96):024X}" for _ in due]
        taken = 0
        for push, request_id in zip(due, request_ids, strict=True):
            is_taken = push_to(
                push,
                account=self.account.number,
                request_id=request_id,
                post=self._post,
                now=self._clock.now(),
                signer=self._signer,
            )
            if is_taken:
                taken += 1
                continue
            with self._lock:
                self.account.put_off(push, now=self._clock.now())
        return taken

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._closing.set()

    def _reply(self, request: MnsRequest) -> HttpReply:
        for name in (*request.path[1:2], *request.path[3:4]):
            if not _NAME.fullmatch(name):
                raise RefusedError(400, "InvalidArgument", "The name you provided is not valid.")
        match request.method, request.path:
            case "GET", ("queues", name, "messages") if "peekonly" not in request.query:
                return self._receive(request, name)
        with self._lock:
            now = self._clock.now()
            if request.path[:1] == ("queues",):
                return _on_queues(self.account, request, now)
            return _on_topics(self.account, request, now)

    def _receive(self, request: MnsRequest, name: str) -> HttpReply:
        """Wait for a message as long as the request or the queue says."""
        with self._lock:
            seconds = queue_operations.polling_wait(self.account, request, name)
        until = self._clock.now() + seconds * _SECOND
        while True:
            with self._lock:
                now = self._clock.now()
                reply = queue_operations.receive(self.account, request, name, now=now)
            if reply is not None:
                return reply
            if now >= until or self._closing.is_set():
                raise message_not_exist()
            self._clock.sleep(min(_LOOK_AGAIN_MS, until - now))


def _on_queues(account: Account, request: MnsRequest, now: int) -> HttpReply:
    match request.method, request.path[1:]:
        case "GET", ():
            return queue_operations.list_queues(account, request, now=now)
        case "PUT", (name,) if "metaoverride" in request.query:
            return queue_operations.change_queue(account, request, name, now=now)
        case "PUT", (name,):
            return queue_operations.create_queue(account, request, name, now=now)
        case "GET", (name,):
            return queue_operations.describe_queue(account, name, now=now)
        case "DELETE", (name,):
            return queue_operations.delete_queue(account, name)
        case "POST", (name, "messages"):
            return queue_operations.send(account, request, name, now=now)
        case "GET", (name, "messages"):
            return queue_operations.peek(account, request, name, now=now)
        case "PUT", (name, "messages"):
            return queue_operations.change_visibility(account, request, name, now=now)
        case "DELETE", (name, "messages"):
            return queue_operations.delete(account, request, name, now=now)
    raise _unknown()


def _on_topics(account: Account, request: MnsRequest, now: int) -> HttpReply:
    match request.method, request.path:
        case "GET", ("topics",):
            return topic_operations.list_topics(account, request)
        case "PUT", ("topics", name) if "metaoverride" in request.query:
            return topic_operations.change_topic(account, request, name, now=now)
        case "PUT", ("topics", name):
            return topic_operations.create_topic(account, request, name, now=now)
        case "GET", ("topics", name):
            return topic_operations.describe_topic(account, name)
        case "DELETE", ("topics", name):
            return topic_operations.delete_topic(account, name)
        case "POST", ("topics", name, "messages"):
            return topic_operations.publish(account, request, name, now=now)
        case "GET", ("topics", name, "subscriptions"):
            return topic_operations.list_subscriptions(account, request, name)
        case method, ("topics", topic, "subscriptions", name):
            return _on_subscription(account, request, method, topic, name, now)
    raise _unknown()


def _on_subscription(
    account: Account, request: MnsRequest, method: str, topic: str, name: str, now: int
) -> HttpReply:
    if method == "PUT" and "metaoverride" in request.query:
        return topic_operations.change_subscription(account, request, topic, name, now=now)
    if method == "PUT":
        return topic_operations.subscribe(account, request, topic, name, now=now)
    if method == "GET":
        return topic_operations.describe_subscription(account, topic, name)
    if method == "DELETE":
        return topic_operations.unsubscribe(account, topic, name)
    raise _unknown()


def _unknown() -> RefusedError:
    return RefusedError(400, "InvalidRequestURL", "Http request URL format invalid.")


def _refusal(refused: RefusedError, http: HttpRequest, request_id: str) -> HttpReply:
    return xml_reply(
        refused.status,
        "Error",
        {
            "Code": refused.code,
            "Message": refused.message,
            "RequestId": request_id,
            "HostId": f"http://{http.headers.get('host', '')}",
        },
    )
