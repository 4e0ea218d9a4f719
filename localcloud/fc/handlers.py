"""How the platform's Python runtime loads a handler, calls it, and words what went wrong
(function-compute.md 1.3).

Instances have this in processes of their own, beside code that is not ours: it imports nothing of this
project.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any


class HandlerFailedError(Exception):
    """A handler could not be loaded, or raised; `stack` is as the answer shows it."""

    def __init__(self, error_type: str, message: str, stack: object) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message
        self.stack = stack


class Handlers:
    """Handlers by the strings that configure them, each imported at its first call and kept."""

    def __init__(self) -> None:
        self._load = cache(_load)

    def call(self, handler: str, *arguments: object) -> bytes:
        """Call a handler and serialise its result.

        Raise `HandlerFailedError` from what the handler raised. Only an `Exception` becomes one:
        `SystemExit` ends an instance.
        """
        function = self._load(handler)
        try:
            return _serialise(function(*arguments))
        except Exception as error:
            stack = [_frame(frame) for frame in traceback.extract_tb(error.__traceback__)[1:]]
            raise HandlerFailedError(type(error).__name__, str(error), stack) from error


def error_body(message: str, **details: object) -> bytes:
    """Write the answer to a call that failed; `details` are its further members."""
    return json.dumps({"errorMessage": message, **details}, indent=4, sort_keys=True).encode()


def _load(handler: str) -> Callable[..., object]:
    """Import the handler; the words for what can go wrong are the platform's."""
    path, dot, attribute = handler.rpartition(".")
    if not dot:
        raise _load_error("InvalidHandleName", f"Invalid handler '{handler}'")
    try:
        module = import_module(path.replace("/", "."))
    except ImportError as error:
        raise _load_error("ImportModuleError", f"Unable to import module '{path}'", error) from error
    except SyntaxError as error:
        raise _load_error("UserCodeSyntaxError", f"Syntax error in module '{path}'", error) from error
    except Exception as error:
        raise _load_error("UserCodeError", f"Module initialization error: '{error}'", error) from error
    function: Callable[..., object] | None = getattr(module, attribute, None)
    if function is None:
        raise _load_error("HandlerNotFound", f"Handler '{attribute}' is missing on module '{path}'")
    return function


def _load_error(error_type: str, message: str, error: BaseException | None = None) -> HandlerFailedError:
    stack = traceback.format_exception_only(error) if error else []
    return HandlerFailedError(error_type, message, stack)


def _frame(frame: traceback.FrameSummary) -> list[str]:
    return [f'File "{frame.filename}"', f"line {frame.lineno}", f"in {frame.name}", frame.line or ""]


def _serialise(result: object) -> bytes:
    if isinstance(result, bytes):
        return result
    if isinstance(result, str):
        return result.encode()
    return json.dumps(result, default=_plain, indent=4, sort_keys=True).encode()


def _plain(value: Any) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if callable(getattr(value, "to_json", None)):
        return value.to_json()
    raise TypeError(f"a result of type {type(value).__name__} is not JSON serializable")
