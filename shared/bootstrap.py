"""The composition root: settings in, services out. Nothing else builds adapters."""

from __future__ import annotations

import logging
import os
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable
from urllib.parse import unquote

from shared.adapters.clocks import SystemClock
from shared.adapters.media_api import SignedMediaApi
from shared.adapters.paced_media_api import CallBudget, PacedMediaApi
from shared.adapters.parallel import ThreadParallel
from shared.errors import SettingError
from shared.kinds import KINDS
from shared.policy import SECOND, Policy
from shared.ports import Clock, Services
from shared.settings import Settings
from shared.toolkit import InvocationContext
from shared.toolkit.context import Credentials

Target = Callable[[bytes], object]


@runtime_checkable
class Closable(Protocol):
    """What holds connections open."""

    def close(self) -> None:
        """Close them."""
        ...


# Where no function bounds the time, as on the command line.
_NO_DEADLINE = 15 * 60 * SECOND
# What is left of an invocation for its answer.
_ANSWER = 1 * SECOND


def for_invocation(context: InvocationContext) -> Services:
    """Give the services of the environment, bounded by one invocation's time and one instance's calls.

    The context's region and account stand in where neither `track` nor the trigger named one.
    """
    settings = Settings.read(os.environ)
    logging.getLogger().setLevel(settings.log_level)
    services = _kept(settings)
    remaining = context.remaining_ms(SystemClock().now())
    return replace(
        services,
        deadline=services.clock.now() + remaining - _ANSWER,
        policy=replace(
            services.policy,
            region=context.region or services.policy.region,
            user_id=context.account_id or services.policy.user_id,
        ),
    )


_instance: dict[Settings, Services] = {}
_building = threading.Lock()


def _kept(settings: Settings) -> Services:
    """Keep sessions and connections for the life of the instance, as long as nothing is set anew."""
    with _building:
        if settings not in _instance:
            services = build(settings)
            policy = services.policy
            _instance[settings] = within_budget(
                services, part=policy.callbacks_part, among=policy.callback_instances
            )
        return _instance[settings]


def within_run_budget(services: Services, *, among: int = 1) -> Services:
    """Give services that use a run's part of the account's calls, or that of one of its shards."""
    return within_budget(services, part=services.policy.runs_part, among=among)


def within_budget(services: Services, *, part: float, among: int) -> Services:
    """Give services that use no more than a part of the account's calls; it replaces any other budget."""
    budget = CallBudget(services.policy.calls_per_second, clock=services.clock, part=part, among=among)
    api = services.media_api
    inner = api.inner if isinstance(api, PacedMediaApi) else api
    return replace(services, media_api=PacedMediaApi(inner, services.clock, services.random, budget))


def end_instance() -> None:
    """Close what invocations left open; the next one opens it anew."""
    with _building:
        while _instance:
            close(_instance.popitem()[1])


def close(services: Services) -> None:
    """Close the connections of services that `build` made."""
    api = services.media_api
    for part in (services.ledger, api.inner if isinstance(api, PacedMediaApi) else api):
        if isinstance(part, Closable):
            part.close()


def build(settings: Settings, *, resolve: Callable[[str], Target] | None = None) -> Services:
    """Build the services. `resolve` finds functions for the in-process invoker by their names."""
    # Local adapters are loaded here: a deployment on the cloud's stores never pays for them.
    from shared.adapters.local.folder_object_store import FolderObjectStore
    from shared.adapters.local.folder_result_files import FolderResultFiles
    from shared.adapters.local.inline_invoker import InlineInvoker
    from shared.adapters.local.sqlite_ledger import SqliteLedger

    clock, draw = _clock(settings), random.SystemRandom()
    return Services(
        objects=FolderObjectStore(_path(settings.objects)),
        ledger=SqliteLedger(_path(settings.tables)),
        media_api=PacedMediaApi(_signed(settings, clock, draw), clock, draw),
        result_files=FolderResultFiles(_path(settings.result_files) if settings.result_files else None),
        invoker=InlineInvoker(resolve or _nothing_to_invoke),
        clock=clock,
        parallel=ThreadParallel(settings.workers),
        random=draw,
        kinds=KINDS,
        policy=_policy(settings),
        deadline=clock.now() + _NO_DEADLINE,
    )


def _policy(settings: Settings) -> Policy:
    policy = Policy(
        lease=settings.lease_seconds * SECOND,
        region=settings.region,
        user_id=settings.user_id,
        outputs=dict(settings.outputs),
        quality_sources=settings.quality_sources,
        quality_pipelines=settings.quality_pipelines,
        calls_per_second={**Policy().calls_per_second, **dict(settings.call_rates)},
        callback_instances=settings.callback_instances,
        fan_out_at=settings.fan_out_at,
    )
    for product in policy.calls_per_second:
        # Whoever waits longer for one call gives its lease back first, and would never ask.
        least = 2 * SECOND / policy.lease
        if policy.smallest_share(product) < least:
            raise SettingError(
                f"LEDGER_CALL_RATES: {product} is too low to be divided among LEDGER_CALLBACK_INSTANCES"
                f" ({policy.callback_instances}) and {policy.shards} shards, each of which needs two calls"
                f" in LEDGER_LEASE_SECONDS ({settings.lease_seconds})"
            )
    return policy


def _signed(settings: Settings, clock: Clock, draw: random.Random) -> SignedMediaApi:
    return SignedMediaApi(
        credentials=lambda: _credentials(settings),
        clock=clock,
        random=draw,
        scheme=settings.signature,
        answer_format=settings.answer_format,
        endpoints=dict(settings.endpoints),
        retry_after_unit_ms=settings.retry_after_unit_ms,
        trust_env=settings.trust_env,
    )


def _clock(settings: Settings) -> Clock:
    if settings.clock is None:
        return SystemClock()
    from shared.adapters.local.file_clock import FileClock

    return FileClock(Path(settings.clock))


def _path(url: str) -> Path:
    return Path(unquote(url.partition("://")[2]))


def _credentials(settings: Settings) -> Credentials:
    """Read the keys when a call needs them: whoever only reads the ledger needs none."""
    if not settings.access_key_id or settings.access_key_secret is None:
        raise SettingError(
            "no credentials: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"
            " (and ALIBABA_CLOUD_SECURITY_TOKEN for a temporary key)"
        )
    token = settings.security_token
    return Credentials(
        settings.access_key_id,
        settings.access_key_secret.get_secret_value(),
        token.get_secret_value() if token else None,
    )


def _nothing_to_invoke(function: str) -> Target:
    raise SettingError("no function can be invoked from here", function=function)
