"""Runs functions inside this process, found through the template as Function Compute finds them.

For tests, and for commands that want nothing but the answer of a function. It keeps to the platform's
rules of loading a handler, of results and of errors (function-compute.md 1.3), runs no lifecycle hook,
enforces no timeout or memory limit and has no environment of its own: handlers see the variables of this
process. `localcloud.fc.functions` gives each function processes, and all of that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

from localcloud.fc.contexts import new_context
from localcloud.fc.handlers import HandlerFailedError, Handlers, error_body
from localcloud.template import FunctionSpec, Template
from shared.errors import MisconfiguredError


class UnknownFunctionError(MisconfiguredError, LookupError):
    """The template has no function of that name; lists those that it has."""


class InvocationError(Exception):
    """A function failed. `error_type` and `body` are what Function Compute answers with."""

    def __init__(self, function: str, error_type: str, message: str, *, stack: object) -> None:
        super().__init__(f"{function}: {error_type}: {message}")
        self.error_type = error_type
        self.body = error_body(message, errorType=error_type, stackTrace=stack)


def failed_with(function: str, body: bytes) -> InvocationError:
    """Read what a failed function answered with."""
    told = json.loads(body)
    return InvocationError(function, told["errorType"], told["errorMessage"], stack=told["stackTrace"])


class InstanceLostError(InvocationError):
    """The instance did not answer: it ran out of time or memory, or its process left."""

    def __init__(self, function: str, message: str) -> None:
        super().__init__(function, "UnhandledInvocationError", message, stack=[])
        # No more than this was seen; what else is in it is uncertain (function-compute.md 1.3).
        self.body = error_body(message)


class TooManyInstancesError(Exception):
    """The function has as many instances as it may, and all are busy: HTTP 429, worth another try."""


def function_of(template: Template, name: str) -> FunctionSpec:
    """Find a function; raise `UnknownFunctionError`."""
    spec = template.functions.get(name)
    if spec is None:
        known = ", ".join(sorted(template.functions)) or "none"
        raise UnknownFunctionError(f"no function {name!r} in the template; it has: {known}")
    return spec


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
        self._handlers = Handlers()

    def resolve(self, function: str) -> Callable[[bytes], bytes]:
        """Give the function as a callable; raise `UnknownFunctionError` at once if there is none."""
        return partial(self._run, function_of(self._template, function))

    def invoke(self, function: str, event: bytes) -> bytes:
        """Invoke once and give the serialised result.

        Raise `UnknownFunctionError`, or `InvocationError` from what the handler raised. Only an
        `Exception` becomes one: `SystemExit` ends this process as it ends an instance.
        """
        return self.resolve(function)(event)

    def _run(self, spec: FunctionSpec, event: bytes) -> bytes:
        try:
            return self._handlers.call(spec.handler, event, self._context(spec))
        except HandlerFailedError as error:
            raise InvocationError(
                spec.name, error.error_type, error.message, stack=error.stack
            ) from error.__cause__

    def _context(self, spec: FunctionSpec) -> object:
        return new_context(
            request_id=next(self._request_ids),
            runtime=spec.runtime,
            name=spec.name,
            handler=spec.handler,
            memory=spec.memory,
            timeout=spec.timeout,
            region=self._region,
            account_id=self._account_id,
            environ={},
        )
