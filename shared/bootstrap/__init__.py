"""The composition root: settings in, services out. Nothing else builds adapters."""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from shared.adapters.admission import BudgetPerName
from shared.adapters.clocks import SystemClock
from shared.adapters.paced_media_api import CallBudget, PacedMediaApi
from shared.adapters.parallel import ThreadParallel
from shared.bootstrap import outside, stores
from shared.bootstrap.basis import NO_DEADLINE, Basis
from shared.bootstrap.stores import Target
from shared.errors import SettingError
from shared.kinds import KINDS
from shared.policy import DAY, SECOND, Policy
from shared.ports import Archive, ObjectLinks, Services
from shared.settings import Settings
from shared.toolkit import InvocationContext
from shared.toolkit.budget import share

if TYPE_CHECKING:
    from shared.console.answering import Console
    from shared.console_settings import ConsoleSettings
    from shared.webhook_settings import WebhookSettings
    from shared.webhooks import Callers


@runtime_checkable
class Closable(Protocol):
    """What holds connections open."""

    def close(self) -> None:
        """Close them."""
        ...


# Enough for somebody who announces nothing and has few jobs.
_HEARSAY_BURST = 5
# What is left of an invocation for its answer.
_ANSWER = 1 * SECOND


def for_invocation(context: InvocationContext) -> Services:
    """Give the services of the environment, bounded by one invocation's time and one instance's calls.

    The context's region and account stand in where neither `track` nor the trigger named one.
    """
    services, _ = _begun(context)
    return services


def for_callbacks(context: InvocationContext) -> tuple[Services, Callers]:
    """Give these services, and what the HTTP callbacks of the environment are checked with."""
    from shared.bootstrap import callers
    from shared.webhook_settings import WebhookSettings

    settings = WebhookSettings.read(os.environ)
    services, basis = _begun(context)
    with _building:
        if settings not in _callers:
            _callers[settings] = callers.build(settings, basis)
        return services, _callers[settings]


def for_console(context: InvocationContext) -> tuple[Services, Console]:
    """Give these services, and who may look through the console of the environment."""
    from shared.console.answering import Console
    from shared.console_settings import ConsoleSettings

    settings = ConsoleSettings.read(os.environ)
    services, basis = _begun(context)
    with _building:
        if settings not in _consoles:
            _consoles[settings] = Console(settings.access(), stores.links(basis))
        return services, _consoles[settings]


def _begun(context: InvocationContext) -> tuple[Services, Basis]:
    settings = _read(frozenset(os.environ.items()))
    logging.getLogger().setLevel(settings.log_level)
    services, basis = _kept(settings.without_keys())
    remaining = context.remaining_ms(SystemClock().now())
    deadline = services.clock.now() + remaining - _ANSWER
    basis.present.begin(ends=deadline, keys=context.credentials)
    policy = replace(
        services.policy,
        region=context.region or services.policy.region,
        user_id=context.account_id or services.policy.user_id,
    )
    return replace(services, deadline=deadline, policy=policy), basis


@lru_cache(maxsize=1)
def _read(environment: frozenset[tuple[str, str]]) -> Settings:
    """Validate an environment once, as long as it stays as it is."""
    return Settings.read(dict(environment))


_instance: dict[Settings, tuple[Services, Basis]] = {}
_callers: dict[WebhookSettings, Callers] = {}
_consoles: dict[ConsoleSettings, Console] = {}
_building = threading.Lock()


def _kept(settings: Settings) -> tuple[Services, Basis]:
    """Keep sessions and connections for the life of the instance, as long as nothing is set anew."""
    with _building:
        if settings not in _instance:
            _leave_what_is_loaded()
            basis = Basis.of(settings)
            services = _built(basis, _nothing_to_invoke)
            policy = services.policy
            budgeted = within_budget(services, part=policy.callbacks_part, among=policy.callback_instances)
            _instance[settings] = budgeted, basis
        return _instance[settings]


@cache
def _leave_what_is_loaded() -> None:
    """Have no collection look at it again: it lives as long as the process (cold-start.md)."""
    gc.freeze()


def within_run_budget(services: Services, *, among: int = 1) -> Services:
    """Give services that use a run's part of the account's calls, or that of one of its shards."""
    return within_budget(services, part=services.policy.runs_part, among=among)


def within_budget(services: Services, *, part: float, among: int) -> Services:
    """Give services that use no more than a part of the account's calls; it replaces any other budget."""
    budget = CallBudget(services.policy.calls_per_second, clock=services.clock, part=part, among=among)
    api = services.media_api
    inner = api.inner if isinstance(api, PacedMediaApi) else api
    return replace(
        services,
        media_api=PacedMediaApi(inner, services.clock, services.random, budget),
        hearsay=_hearsay_budget(services, part=part, among=among),
    )


def _hearsay_budget(services: Services, *, part: float, among: int) -> BudgetPerName:
    """Give a budget of calls within another one; what nobody vouches for may not use that up."""
    policy = services.policy
    shares = {
        product: share(rate, part=part * policy.hearsay_part, among=among)
        for product, rate in policy.calls_per_second.items()
    }
    least = min(shares.values())
    return BudgetPerName(
        lambda product: shares.get(product, least), burst=_HEARSAY_BURST, clock=services.clock
    )


def end_instance() -> None:
    """Close what invocations left open; the next one opens it anew."""
    with _building:
        while _instance:
            _, (services, _) = _instance.popitem()
            close(services)
        while _callers:
            _, callers = _callers.popitem()
            _close(callers.push_certificates)
        while _consoles:
            _, console = _consoles.popitem()
            _close(console.links)


def close(services: Services) -> None:
    """Close the connections of services that `build` made."""
    api = services.media_api
    for part in (
        services.objects,
        services.ledger,
        services.result_files,
        services.queues,
        services.invoker,
        api.inner if isinstance(api, PacedMediaApi) else api,
    ):
        _close(part)


def _close(part: object) -> None:
    if isinstance(part, Closable):
        part.close()


def build(settings: Settings, *, resolve: Callable[[str], Target] | None = None) -> Services:
    """Build the services. `resolve` finds functions for the in-process invoker by their names."""
    return _built(Basis.of(settings), resolve or _nothing_to_invoke)


def objects(settings: Settings) -> Archive:
    """Open an object store alone, such as one that is only read."""
    return stores.objects(Basis.of(settings))


def links(settings: Settings) -> ObjectLinks | None:
    """Give what makes links into the archive for a browser; None where it is a folder."""
    return stores.links(Basis.of(settings))


def _built(basis: Basis, resolve: Callable[[str], Target]) -> Services:
    archive, queues, files = stores.objects(basis), stores.queues(basis), stores.result_files(basis)
    invoker = stores.invoker(basis, resolve)
    return Services(
        objects=archive,
        ledger=stores.ledger(basis),
        media_api=outside.media_api(basis),
        result_files=files,
        invoker=invoker,
        clock=basis.clock,
        parallel=ThreadParallel(basis.settings.workers),
        random=basis.random,
        kinds=KINDS,
        policy=_policy(basis.settings),
        deadline=basis.clock.now() + NO_DEADLINE,
        sender=outside.sender(basis, archive, stores.invoker_of_others(basis, invoker), queues),
        queues=queues,
        downloads=outside.downloads(basis, files),
        large_files=files,
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
        delivery=settings.delivery,
        evidence_windows={kind: days * DAY for kind, days in settings.evidence_days},
        copied_outputs=settings.copy_outputs,
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


def _nothing_to_invoke(function: str) -> Target:
    raise SettingError("no function can be invoked from here: set LEDGER_INVOKER", function=function)
