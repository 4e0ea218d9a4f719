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
    """Give the services of the environment, bounded by one invocation's time.

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
            _instance[settings] = build(settings)
        return _instance[settings]


def end_instance() -> None:
    """Close what invocations left open; the next one opens it anew."""
    with _building:
        while _instance:
            close(_instance.popitem()[1])


def close(services: Services) -> None:
    """Close the connections of services that `build` made."""
    for part in (services.ledger, services.media_api):
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
        media_api=SignedMediaApi(
            credentials=lambda: _credentials(settings),
            clock=clock,
            random=draw,
            scheme=settings.signature,
            answer_format=settings.answer_format,
            endpoints=dict(settings.endpoints),
            retry_after_unit_ms=settings.retry_after_unit_ms,
            trust_env=settings.trust_env,
        ),
        result_files=FolderResultFiles(_path(settings.result_files) if settings.result_files else None),
        invoker=InlineInvoker(resolve or _nothing_to_invoke),
        clock=clock,
        parallel=ThreadParallel(settings.workers),
        random=draw,
        kinds=KINDS,
        policy=Policy(
            lease=settings.lease_seconds * SECOND,
            region=settings.region,
            user_id=settings.user_id,
            outputs=dict(settings.outputs),
            quality_sources=settings.quality_sources,
            quality_pipelines=settings.quality_pipelines,
        ),
        deadline=clock.now() + _NO_DEADLINE,
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
