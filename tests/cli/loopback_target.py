"""A target on loopback that answers as it is told to, and the settings that name it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer

KEY = "canary-key-of-publisher"


@dataclass
class Publisher:
    """Answers with `status`; `taken` are the requests that it answered with 200."""

    endpoint: str = ""
    status: int = 200
    taken: list[HttpRequest] = field(default_factory=list)

    def __call__(self, request: HttpRequest) -> HttpReply:
        """Answer one delivery."""
        if self.status == 200:
            self.taken.append(request)
        return HttpReply(self.status, b"as told")

    def settings(self, **rule: object) -> dict[str, str]:
        """Name it `publisher` in a plan with one rule, beside a target that no rule names."""
        plan = {
            "targets": {
                "publisher": {"url": f"{self.endpoint}/events", "private_addresses": True},
                "archive": {"url": "python:shared.hooks.summary_rows:post_process"},
            },
            "rules": [{"to": ["publisher"], **rule}],
        }
        return {
            "LEDGER_DELIVERY": json.dumps(plan),
            "LEDGER_DELIVERY_KEYS": json.dumps({"publisher": [KEY]}),
        }


@contextmanager
def publisher() -> Iterator[Publisher]:
    """Serve while the block lasts."""
    serving = Publisher()
    with LoopbackServer(serving, name="publisher", max_body_bytes=1 << 20) as server:
        serving.endpoint = server.endpoint
        yield serving
