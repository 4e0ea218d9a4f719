"""Runs functions inside this process, found through the template as Function Compute finds them.

It keeps to the platform's rules of loading a handler, of results and of errors (function-compute.md
1.3). It enforces no timeout, memory or payload limit and has no environment of its own: handlers see
the variables of this process.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from importlib import import_module
from itertools import count
from typing import Any

from localcloud.template import FunctionSpec, Template
from shared.errors import MisconfiguredError
from shared.toolkit.context import fake_context

Handler = Callable[[bytes, object], object]


class UnknownFunctionError(MisconfiguredError, LookupError):
    """The template has no function of that name; lists those that it has."""


class InvocationError(Exception):
    """A function failed. `error_type` and `body` are what Function Compute answers with."""

    def __init__(self, function: str, error_type: str, message: str, *, stack: object) -> None:
        super().__init__(f"{function}: {error_type}: {message}")
        self.error_type = error_type
        answer = {"errorMessage": message, "errorType": error_type, "stackTrace": stack}
        self.body = json.dumps(answer, indent=4, sort_keys=True).encode()


class InProcessRunner:
    """Invokes functions by name. A handler is imported at its first invocation, as on the platform.

    `request_ids` gives one id per invocation; by default they are numbered.
    """

    def __init__(
        self,
        template: Template,
        *,
        region: str = "cn-shanghai",
        account_id: str = "1000000000000001",
        request_ids: Iterator[str] | None = None,
    ) -> None:
        self._template = template
        self._region = region
        self._account_id = account_id
        self._request_ids = request_ids or map("1-local-{}".format, count(1))

    def resolve(self, function: str) -> Callable[[bytes], bytes]:
        """Give the function as a callable; raise `UnknownFunctionError` at once if there is none."""
        return partial(self._run, self._spec(function))

    def invoke(self, function: str, event: bytes) -> bytes:
        """Invoke once and give the serialised result.

        Raise `UnknownFunctionError`, or `InvocationError` from what the handler raised. Only an
        `Exception` becomes one: `SystemExit` ends this process as it ends an instance.
        """
        return self._run(self._spec(function), event)

    def _spec(self, function: str) -> FunctionSpec:
        spec = self._template.functions.get(function)
        if spec is None:
            known = ", ".join(sorted(self._template.functions)) or "none"
            raise UnknownFunctionError(f"no function {function!r} in the template; it has: {known}")
        return spec

    def _run(self, spec: FunctionSpec, event: bytes) -> bytes:
        handler = _load(spec)
        try:
            return _serialise(handler(event, self._context(spec)))
        except Exception as error:
            stack = [_frame(frame) for frame in traceback.extract_tb(error.__traceback__)[1:]]
            raise InvocationError(spec.name, type(error).__name__, str(error), stack=stack) from error

    def _context(self, spec: FunctionSpec) -> object:
        return fake_context(
            shape="3.12" if spec.runtime == "python3.12" else "3.10",
            request_id=next(self._request_ids),
            function_name=spec.name,
            handler=spec.handler,
            memory_mb=spec.memory,
            timeout_s=spec.timeout,
            region=self._region,
            account_id=self._account_id,
        )


def _load(spec: FunctionSpec) -> Handler:
    """Import the handler; the words for what can go wrong are the platform's."""
    module_name, _, attribute = spec.handler.rpartition(".")
    fail = partial(_load_error, spec.name)
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise fail("ImportModuleError", f"Unable to import module '{module_name}'", error) from error
    except SyntaxError as error:
        raise fail("UserCodeSyntaxError", f"Syntax error in module '{module_name}'", error) from error
    except Exception as error:
        raise fail("UserCodeError", f"Module initialization error: '{error}'", error) from error
    handler: Handler | None = getattr(module, attribute, None)
    if handler is None:
        raise fail("HandlerNotFound", f"Handler '{attribute}' is missing on module '{module_name}'")
    return handler


def _load_error(
    function: str, error_type: str, message: str, error: BaseException | None = None
) -> InvocationError:
    stack = traceback.format_exception_only(error) if error else []
    return InvocationError(function, error_type, message, stack=stack)


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
