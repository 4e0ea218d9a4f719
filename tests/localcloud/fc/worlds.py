"""A local Function Compute, its keys, and our invokers pointed at it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from localcloud.fc.invocation import Function
from localcloud.fc.service import FcService
from shared.adapters.aliyun.fc2_invoker import Fc2Invoker
from shared.adapters.aliyun.fc3_invoker import Fc3Invoker
from shared.adapters.aliyun.fc_calls import FcCalls, FcPatience
from shared.adapters.clocks import SystemClock
from shared.adapters.http_sessions import HttpSessions
from shared.ports import Clock
from shared.toolkit.context import Credentials

OWN = Credentials("own-key", "own-secret")
TEMPORARY = Credentials("STS.key", "temporary-secret", "token/+==")
SERVICE = "media-ledger"
MINUTE = 60_000


def new_service(resolve: Callable[[str], Function], clock: Clock | None = None) -> FcService:
    """Give a service with the keys of this module."""
    return FcService(
        resolve, keys=[OWN, TEMPORARY], clock=clock or SystemClock(), random=random.Random(20_251_121)
    )


def new_calls(
    *,
    clock: Clock | None = None,
    deadline: Callable[[], int] | None = None,
    patience: FcPatience | None = None,
) -> FcCalls:
    """Open connections of ours, for a minute."""
    clock = clock or SystemClock()
    ends = clock.now() + MINUTE
    return FcCalls(
        clock=clock,
        deadline=deadline or (lambda: ends),
        open_session=HttpSessions().open,
        patience=patience,
    )


def fc3(endpoint: str, *, key: Credentials = TEMPORARY, prefix: str = "", **changes: Any) -> Fc3Invoker:
    """Open the invoker of functions of FC 3.0."""
    return Fc3Invoker(
        new_calls(**changes),
        endpoint=endpoint,
        credentials=lambda: key,
        clock=changes.get("clock") or SystemClock(),
        random=random.Random(20_251_121),
        prefix=prefix,
    )


def fc2(endpoint: str, *, key: Credentials = TEMPORARY, prefix: str = "", **changes: Any) -> Fc2Invoker:
    """Open the invoker of functions of a service of FC 2.0."""
    return Fc2Invoker(
        new_calls(**changes), endpoint=endpoint, service=SERVICE, credentials=lambda: key, prefix=prefix
    )
