"""The consumers of the demonstration: two who are told of settled jobs, one of them down for a while."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from localcloud.consumer import Consumer
from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer
from shared.errors import PermanentError
from shared.ports import Clock

Jobs = dict[str, tuple[int, str, str]]
"""Version, digest and status by job."""

CATALOGUE, DESK = "catalogue", "desk"
_KEYS = {CATALOGUE: "demo-key-of-the-catalogue", DESK: "demo-key-of-the-desk"}
_RULES = ({"to": [CATALOGUE]}, {"to": [DESK], "suggestions": ["block", "review"]})
_MAX_BODY_BYTES = 2 * 1024 * 1024


@dataclass
class DemoConsumer:
    """Takes events as any consumer should, but when it is down; `did` counts what it did with requests.

    `loses_answer` has it take the next event and answer with an error all the same.
    """

    name: str
    consumer: Consumer
    is_down: bool = False
    loses_answer: bool = False
    endpoint: str = ""
    did: Counter[str] = field(default_factory=Counter)

    def answer(self, request: HttpRequest) -> HttpReply:
        """Answer one delivery."""
        if self.is_down:
            self.did["down"] += 1
            return HttpReply(503, b"down for maintenance")
        try:
            self.did[self.consumer.take(request.body, request.headers)] += 1
        except PermanentError as error:
            return HttpReply(400, str(error).encode())
        lost, self.loses_answer = self.loses_answer, False
        return HttpReply(500 if lost else 200)


@contextmanager
def consumers(folder: Path, clock: Clock) -> Iterator[dict[str, DemoConsumer]]:
    """Have both listen while the block lasts; each keeps what it took in a database of its own."""
    serving: dict[str, DemoConsumer] = {}
    with ExitStack() as open_until_the_end:
        for name, key in _KEYS.items():
            consumer = Consumer(folder / f"{name}.db", keys=[key], clock=clock)
            one = DemoConsumer(name, open_until_the_end.enter_context(closing(consumer)))
            server = LoopbackServer(one.answer, name=name, max_body_bytes=_MAX_BODY_BYTES)
            one.endpoint = open_until_the_end.enter_context(server).endpoint
            serving[name] = one
        yield serving


def delivery_settings(endpoints: Mapping[str, str]) -> dict[str, str]:
    """Give the plan that tells both, and the keys to sign with."""
    targets = {name: {"url": f"{url}/events", "private_addresses": True} for name, url in endpoints.items()}
    keys = {name: [_KEYS[name]] for name in endpoints}
    return {
        "LEDGER_DELIVERY": json.dumps({"targets": targets, "rules": _RULES}),
        "LEDGER_DELIVERY_KEYS": json.dumps(keys),
    }
