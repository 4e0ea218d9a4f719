"""`EventSender` for hooks: code of the user's own, run in this very process."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Callable
from functools import partial
from importlib import import_module

from shared.adapters.senders.limited_runs import LimitedRuns
from shared.delivery.targets import Dispatch, Target
from shared.errors import FunctionError, SettingError, TargetRefusedError, TargetUnavailableError
from shared.hooks.services import Hook, HookFiles, HookServices
from shared.jobs import JobRef
from shared.ports import Clock, ObjectStore
from shared.record import read_record
from shared.toolkit.masking import Masker

LOG = logging.getLogger(__name__)
_LONGEST_REASON = 200
_MASKED = 20 * _LONGEST_REASON  # what a cut in the middle of a secret leaves of it is not told then


class HookSender:
    """Runs the function that a target names, on the record that the event names.

    A hook that is late is left to itself, without its services; whatever it raises, but for
    `TargetRefusedError`, means that it is to be run again.
    """

    def __init__(self, runs: LimitedRuns, objects: ObjectStore, *, clock: Clock) -> None:
        self._runs = runs
        self._objects = objects
        self._clock = clock

    def send(self, target: Target, dispatch: Dispatch, *, deadline: int) -> None:
        """See `EventSender.send`. Raise `SettingError` when there is no such function."""
        now = self._clock.now()
        limit_ms = min(target.timeout_ms, deadline - now)
        run = partial(self._run, target, dispatch, deadline=now + limit_ms)
        try:
            self._runs.run(target.name, run, limit_ms=limit_ms)
        except (SettingError, TargetRefusedError):
            raise
        except TargetUnavailableError as error:
            if not isinstance(error.retry_after_ms, int | None):
                raise TargetUnavailableError(
                    f"{error.message} (retry_after_ms is no whole number)", target=target.name
                ) from error
            raise
        except Exception as error:
            # With the traceback, which its author needs: the row keeps one line.
            LOG.warning("a hook failed", exc_info=error, extra={"target": target.name})
            raise TargetUnavailableError(_told(error), target=target.name) from error

    def _run(self, target: Target, dispatch: Dispatch, *, deadline: int) -> None:
        hook = load_hook(target)
        record_key = json.loads(dispatch.body)["data"]["record_key"]
        record = read_record(self._objects.get(record_key))
        services = HookServices(
            target=target.name,
            job=JobRef.from_key(dispatch.job_key),
            version=dispatch.version,
            event_id=dispatch.event_id,
            attempt=dispatch.attempt,
            deadline=deadline,
            clock=self._clock,
            files=HookFiles(self._objects, target=target.name, clock=self._clock, deadline=deadline),
        )
        hook(record, services)


def load_hook(target: Target) -> Hook:
    """Import what a hook's target names; raise `SettingError` saying what is wrong with it."""
    module, _, name = target.address.partition(":")
    where = f"LEDGER_DELIVERY: target {target.name!r}"
    try:
        hook: Hook | None = getattr(import_module(module), name, None)
    except Exception as error:  # code that we do not know, at its first line
        raise SettingError(f"{where}: {module} cannot be imported: {_told(error)}") from error
    if not callable(hook):
        raise SettingError(f"{where}: {module} has no function {name}")
    if not _can_be_run(hook):
        raise SettingError(f"{where}: {module}.{name} must be a plain function of (record, services)")
    return hook


def _can_be_run(hook: Callable[..., object]) -> bool:
    try:
        inspect.signature(hook).bind(None, None)
    except (TypeError, ValueError):  # it takes something else, or does not tell
        return False
    # Called, these return at once and have done nothing.
    return not any(
        is_other(hook)
        for is_other in (
            inspect.iscoroutinefunction,
            inspect.isgeneratorfunction,
            inspect.isasyncgenfunction,
        )
    )


def _told(error: Exception) -> str:
    text = error.message if isinstance(error, FunctionError) else str(error)
    # Masking takes a second for 2 MB: a hook may put into its error all that a server has answered.
    return f"{type(error).__name__}: {Masker().text(text[:_MASKED])}"[:_LONGEST_REASON]
