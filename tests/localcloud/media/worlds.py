"""Small worlds for the tests: jobs behind a gateway, a clock that stands still, keys, a client."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.media import ice, mts
from localcloud.media.gateway import Gateway
from localcloud.media.jobs import JobService
from localcloud.media.vod import VERSION, Outcome, Pace, Vod
from localcloud.media.wire import Action, WireRequest
from shared.adapters.clocks import ManualClock
from shared.adapters.signing import SIGNERS, Envelope, Scheme, canonical_query
from shared.ports import Clock
from shared.toolkit.context import Credentials
from shared.vendor import ApiRequest

START = 1_800_000_000_000
OWN = Credentials("own-key", "own-secret")
TEMPORARY = Credentials("STS.key", "temporary-secret", "token/+==")
PACE = Pace(waiting_ms=1_000, processing_ms=1_000)


@dataclass(frozen=True)
class World:
    """What a test of VOD looks at and turns."""

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
    vod = Vod(clock=clock, pace=PACE, outcomes=outcomes or {}, job_ids=job_ids or iter(()))
    return World(clock, vod, new_gateway([*vod.actions(), *more], clock=clock))


def new_gateway(actions: Iterable[Action], *, clock: Clock) -> Gateway:
    """Put a gateway before actions, with the keys of this module."""
    return Gateway(actions, keys=[OWN, TEMPORARY], clock=clock, random=random.Random(1))


@dataclass(frozen=True)
class Caller:
    """Calls a service through a gateway as our client does; its clock is the service's."""

    clock: Clock
    gateway: Gateway

    def ask(self, request: ApiRequest) -> dict[str, Any]:
        """Give the answer to a call that must succeed, without its request id."""
        reply = self.gateway.answer(wire(request, now=self.clock.now()))
        assert reply.status == 200, reply.body
        answer: dict[str, Any] = json.loads(reply.body)
        assert answer.pop("RequestId")
        return answer

    def refused(self, request: ApiRequest) -> tuple[int, str, str]:
        """Give status, code and message of a refusal."""
        reply = self.gateway.answer(wire(request, now=self.clock.now()))
        body = json.loads(reply.body)
        return reply.status, body["Code"], body["Message"]


def caller(service: JobService[Any]) -> Caller:
    """Open the desk of one service."""
    return Caller(service.clock, new_gateway(service.actions(), clock=service.clock))


def vod_request(action: str, **params: str) -> ApiRequest:
    """Name a call of VOD's API."""
    return ApiRequest("vod", VERSION, action, params=params)


def mts_request(action: str, **params: str) -> ApiRequest:
    """Name a call of MTS's API."""
    return ApiRequest("mts", mts.VERSION, action, params=params)


def ice_request(action: str, **params: str) -> ApiRequest:
    """Name a call of ICE's API."""
    return ApiRequest("ice", ice.VERSION, action, params=params)


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
