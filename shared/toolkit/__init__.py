"""Powertools for Alibaba Cloud Function Compute. Standard library only; see the README beside this file.

Names are loaded on first use, so that a function pays for nothing that it does not touch. For the same
reason, modules that every handler loads do without `dataclasses` and, but for type checkers, `typing`:
their import would take longer than that of all these modules together.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from shared.toolkit.batch import BatchFailedError, BatchOutcome, ItemOutcome, NotRunError, process
    from shared.toolkit.bound_keys import bind
    from shared.toolkit.budget import NoBudgetLeftError, TokenBucket, share
    from shared.toolkit.call_records import (
        AlreadyRunningError,
        AttemptsExhaustedError,
        FailedBeforeError,
        LeaseLostError,
        MissingKeyError,
        PayloadMismatchError,
        ResultNotKeptError,
    )
    from shared.toolkit.context import Credentials, InvocationContext, fake_context
    from shared.toolkit.debug_lines import DebugLines
    from shared.toolkit.errors import FunctionError, MisconfiguredError, PermanentError, TemporaryError
    from shared.toolkit.events import (
        any_trigger,
        message_body,
        mns_queue,
        mns_topic,
        single_message,
        timer,
        timer_payload,
    )
    from shared.toolkit.guarded_calls import DeadlinePassedError, Raise, Skip, Wait
    from shared.toolkit.handler import function_handler
    from shared.toolkit.http_events import HttpRequest, http_request, request_body
    from shared.toolkit.idempotency import idempotent
    from shared.toolkit.lease_store import LeaseStore, OutcomeUnknownError, When
    from shared.toolkit.leases import ContendedError, Lease, claim, finish, renew
    from shared.toolkit.log_output import configure_logging
    from shared.toolkit.logger import JsonFormatter
    from shared.toolkit.masking import Masker
    from shared.toolkit.memory_lease_store import MemoryLeaseStore
    from shared.toolkit.message import Message, Messages, TimerTick
    from shared.toolkit.metrics import count, duration, gauge, record_duration
    from shared.toolkit.parser import Layer, ParseError, base64_or_plain, json_value, model, text
    from shared.toolkit.sqlite_lease_store import SqliteLeaseStore
    from shared.toolkit.trace_context import Trace

__all__ = [
    "AlreadyRunningError",
    "AttemptsExhaustedError",
    "BatchFailedError",
    "BatchOutcome",
    "ContendedError",
    "Credentials",
    "DeadlinePassedError",
    "DebugLines",
    "FailedBeforeError",
    "FunctionError",
    "HttpRequest",
    "InvocationContext",
    "ItemOutcome",
    "JsonFormatter",
    "Layer",
    "Lease",
    "LeaseLostError",
    "LeaseStore",
    "Masker",
    "MemoryLeaseStore",
    "Message",
    "Messages",
    "MisconfiguredError",
    "MissingKeyError",
    "NoBudgetLeftError",
    "NotRunError",
    "OutcomeUnknownError",
    "ParseError",
    "PayloadMismatchError",
    "PermanentError",
    "Raise",
    "ResultNotKeptError",
    "Skip",
    "SqliteLeaseStore",
    "TemporaryError",
    "TimerTick",
    "TokenBucket",
    "Trace",
    "Wait",
    "When",
    "any_trigger",
    "base64_or_plain",
    "bind",
    "claim",
    "configure_logging",
    "count",
    "duration",
    "fake_context",
    "finish",
    "function_handler",
    "gauge",
    "http_request",
    "idempotent",
    "json_value",
    "message_body",
    "mns_queue",
    "mns_topic",
    "model",
    "process",
    "record_duration",
    "renew",
    "request_body",
    "share",
    "single_message",
    "text",
    "timer",
    "timer_payload",
]

_MODULES = {
    "batch": (
        "BatchFailedError",
        "BatchOutcome",
        "ItemOutcome",
        "NotRunError",
        "process",
    ),
    "bound_keys": ("bind",),
    "budget": (
        "NoBudgetLeftError",
        "TokenBucket",
        "share",
    ),
    "call_records": (
        "AlreadyRunningError",
        "AttemptsExhaustedError",
        "FailedBeforeError",
        "LeaseLostError",
        "MissingKeyError",
        "PayloadMismatchError",
        "ResultNotKeptError",
    ),
    "context": (
        "Credentials",
        "InvocationContext",
        "fake_context",
    ),
    "debug_lines": ("DebugLines",),
    "errors": (
        "FunctionError",
        "MisconfiguredError",
        "PermanentError",
        "TemporaryError",
    ),
    "events": (
        "any_trigger",
        "message_body",
        "mns_queue",
        "mns_topic",
        "single_message",
        "timer",
        "timer_payload",
    ),
    "guarded_calls": (
        "DeadlinePassedError",
        "Raise",
        "Skip",
        "Wait",
    ),
    "handler": ("function_handler",),
    "http_events": (
        "HttpRequest",
        "http_request",
        "request_body",
    ),
    "idempotency": ("idempotent",),
    "lease_store": (
        "LeaseStore",
        "OutcomeUnknownError",
        "When",
    ),
    "leases": (
        "ContendedError",
        "Lease",
        "claim",
        "finish",
        "renew",
    ),
    "log_output": ("configure_logging",),
    "logger": ("JsonFormatter",),
    "masking": ("Masker",),
    "memory_lease_store": ("MemoryLeaseStore",),
    "message": (
        "Message",
        "Messages",
        "TimerTick",
    ),
    "metrics": (
        "count",
        "duration",
        "gauge",
        "record_duration",
    ),
    "parser": (
        "Layer",
        "ParseError",
        "base64_or_plain",
        "json_value",
        "model",
        "text",
    ),
    "sqlite_lease_store": ("SqliteLeaseStore",),
    "trace_context": ("Trace",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
