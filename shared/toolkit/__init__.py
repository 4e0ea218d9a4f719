"""Powertools for Alibaba Cloud Function Compute: a typed context, a JSON logger, one handler
decorator, metrics, per-item batch outcomes. Standard library only; see the README beside this file.

Names are loaded on first use, so that a function pays for nothing that it does not touch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.toolkit.batch import BatchFailedError, BatchOutcome, ItemOutcome, NotRunError, process
    from shared.toolkit.context import Credentials, InvocationContext, fake_context
    from shared.toolkit.debug_lines import DebugLines
    from shared.toolkit.errors import FunctionError, MisconfiguredError, PermanentError, TemporaryError
    from shared.toolkit.handler import function_handler
    from shared.toolkit.log_output import configure_logging
    from shared.toolkit.logger import JsonFormatter, bind
    from shared.toolkit.masking import Masker
    from shared.toolkit.metrics import count, duration, gauge, record_duration

__all__ = [
    "BatchFailedError",
    "BatchOutcome",
    "Credentials",
    "DebugLines",
    "FunctionError",
    "InvocationContext",
    "ItemOutcome",
    "JsonFormatter",
    "Masker",
    "MisconfiguredError",
    "NotRunError",
    "PermanentError",
    "TemporaryError",
    "bind",
    "configure_logging",
    "count",
    "duration",
    "fake_context",
    "function_handler",
    "gauge",
    "process",
    "record_duration",
]

_MODULES = {
    "batch": ("BatchFailedError", "BatchOutcome", "ItemOutcome", "NotRunError", "process"),
    "context": ("Credentials", "InvocationContext", "fake_context"),
    "debug_lines": ("DebugLines",),
    "errors": ("FunctionError", "MisconfiguredError", "PermanentError", "TemporaryError"),
    "handler": ("function_handler",),
    "log_output": ("configure_logging",),
    "logger": ("JsonFormatter", "bind"),
    "masking": ("Masker",),
    "metrics": ("count", "duration", "gauge", "record_duration"),
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
