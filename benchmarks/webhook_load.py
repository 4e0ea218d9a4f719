"""Callbacks of VOD, ICE and MNS at a fixed rate, signed as their senders do: the load of `webhook.py`.

The rate does not follow the answers: a request that comes late because those before it took long is timed
from when it was due. Each worker keeps one connection, as whoever calls back often does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from localcloud.mns.push_signing import PushSigner
from localcloud.rsa import PrivateKey

if TYPE_CHECKING:
    import urllib3

SAMPLES = Path(__file__).resolve().parent.parent / "events" / "webhook"
# Of ten callbacks, over and over.
SENDERS = ("vod", "vod", "ice", "vod", "mns", "vod", "ice", "vod", "mns", "vod")
# Of a hundred one, and not the same sender's each time.
FORGED_EVERY = 99
_TIMEOUT_S = 30


@dataclass(frozen=True)
class Plan:
    """What is sent: `count` requests, `per_second`, or each as soon as its worker has an answer.

    `name` begins the ids of the jobs. `signer` has the fields of a `PushSigner`.
    """

    url: str
    key: str
    name: str
    count: int
    workers: int
    signer: Mapping[str, Any]
    per_second: float | None = None


class Sent(NamedTuple):
    """What came of a request: its status, 0 where nothing did.

    `ended` is in seconds from the start, `seconds` from when it was due, or sent where nothing was due.
    """

    sender: str
    is_forged: bool
    status: int
    ended: float
    seconds: float


class Request(NamedTuple):
    """A callback, and how it is signed."""

    sender: str
    body: bytes
    headers: Mapping[str, str]
    is_forged: bool


class Senders:
    """Makes the callbacks: the samples, each about a job of its own."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        certificate = str(plan.signer["certificate"]).encode()
        key = PrivateKey(**plan.signer["key"])
        self._signer = PushSigner(key, certificate, plan.signer["certificate_url"])
        samples = {"vod": "vod", "ice": "ice", "mns": "mns-json"}
        read = {name: json.loads((SAMPLES / f"{file}.json").read_text()) for name, file in samples.items()}
        self._bodies: dict[str, str] = {name: one["body"] for name, one in read.items()}
        self._job_ids = {name: body[body.index("7b1e0c2a") :][:32] for name, body in self._bodies.items()}

    def make(self, number: int) -> Request:
        """Make a callback of now."""
        sender = SENDERS[number % len(SENDERS)]
        is_forged = number % FORGED_EVERY == FORGED_EVERY - 1
        body = self._bodies[sender].replace(self._job_ids[sender], f"{self._plan.name}-{number}").encode()
        headers = self._pushed(body) if sender == "mns" else self._signed(sender)
        if is_forged:
            named = "authorization" if sender == "mns" else f"X-{sender.upper()}-SIGNATURE"
            headers[named] = headers[named][::-1]
        return Request(sender, body, headers, is_forged)

    def _signed(self, sender: str) -> dict[str, str]:
        name, seconds = sender.upper(), str(int(time.time()))
        text = f"{self._plan.url}/{sender}|{seconds}|{self._plan.key}"
        signature = hashlib.md5(text.encode()).hexdigest()
        return {f"X-{name}-TIMESTAMP": seconds, f"X-{name}-SIGNATURE": signature}

    def _pushed(self, body: bytes) -> dict[str, str]:
        digest = base64.b64encode(hashlib.md5(body).hexdigest().encode()).decode()
        told = {"content-md5": digest, "content-type": "application/json", "date": formatdate(usegmt=True)}
        return self._signer.sign({**told, "x-mns-version": "2015-06-06"}, path="/mns")


def send(plan: Plan) -> list[Sent]:
    """Send all of it; give what came of each request."""
    import urllib3

    senders, numbers, sent = Senders(plan), count(), list[Sent]()
    begun = time.perf_counter() + 0.1  # when every worker is there
    pace = 0.0 if plan.per_second is None else 1 / plan.per_second

    def work() -> None:
        while (number := next(numbers)) < plan.count:
            due = begun + number * pace
            time.sleep(max(0.0, due - time.perf_counter()))
            request = senders.make(number)
            since = due if pace else time.perf_counter()
            status = _status(pool, request)
            now = time.perf_counter()
            sent.append(Sent(request.sender, request.is_forged, status, now - begun, now - since))

    with urllib3.connection_from_url(plan.url, maxsize=plan.workers, timeout=_TIMEOUT_S) as pool:
        threads = [threading.Thread(target=work) for _ in range(plan.workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sent


def _status(pool: urllib3.HTTPConnectionPool, request: Request) -> int:
    from urllib3.exceptions import HTTPError

    path, headers = f"/{request.sender}", dict(request.headers)
    try:
        return pool.request("POST", path, body=request.body, headers=headers, retries=False).status
    except HTTPError:
        return 0


def results(text: str) -> Iterator[Sent]:
    """Read what `main` printed."""
    return (Sent(*one) for one in json.loads(text))


def main() -> None:
    """Send what the argument says, a `Plan` in JSON; print what came of it."""
    print(json.dumps(send(Plan(**json.loads(sys.argv[1])))))
