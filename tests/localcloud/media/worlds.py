"""A small world for the tests: jobs behind a gateway, a clock that stands still, keys, a client."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from localcloud.media.gateway import Gateway
from localcloud.media.vod import VERSION, Outcome, Pace, Vod
from localcloud.media.wire import Action, WireRequest
from shared.adapters.clocks import ManualClock
from shared.adapters.signing import SIGNERS, Envelope, Scheme, canonical_query
from shared.toolkit.context import Credentials
from shared.vendor import ApiRequest

START = 1_800_000_000_000
OWN = Credentials("own-key", "own-secret")
TEMPORARY = Credentials("STS.key", "temporary-secret", "token/+==")
PACE = Pace(waiting_ms=1_000, processing_ms=1_000)


@dataclass(frozen=True)
class World:
    """What a test looks at and turns."""

    clock: ManualClock
    vod: Vod
    gateway: Gateway

    def submit(self, media_id: str = "media-1") -> str:
        """Submit a review job and tell its id."""
        request = vod_request("SubmitAIMediaAuditJob", MediaId=media_id)
        reply = self.gateway.answer(wire(request, now=self.clock.now()))
        job_id: str = json.loads(reply.body)["JobId"]
        return job_id


def new_world(
    *,
    start: int = START,
    outcomes: Mapping[str, Outcome] | None = None,
    job_ids: Iterator[str] | None = None,
    more: Iterable[Action] = (),
) -> World:
    """Build a world of its own for one test."""
    clock = ManualClock(start)
    vod = Vod(clock=clock, pace=PACE, outcomes=outcomes, job_ids=job_ids)
    gateway = Gateway([*vod.actions(), *more], keys=[OWN, TEMPORARY], clock=clock, random=random.Random(1))
    return World(clock, vod, gateway)


def vod_request(action: str, **params: str) -> ApiRequest:
    """Name a call of VOD's API."""
    return ApiRequest("vod", VERSION, action, params=params)


_nonces = (f"{number:032x}" for number in range(1_000_000))


def wire(
    request: ApiRequest,
    *,
    now: int = START,
    key: Credentials = OWN,
    scheme: Scheme = "acs3",
    nonce: str | None = None,
    method: str = "POST",
) -> WireRequest:
    """Sign a call as our client does and put it on the wire."""
    envelope = Envelope("127.0.0.1:8080", now, nonce or next(_nonces), method=method)
    signed = SIGNERS[scheme](request, key, envelope)
    return WireRequest(method, f"/?{canonical_query(signed.query)}", headers=signed.headers)
