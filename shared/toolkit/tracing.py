"""Follow a call across services: the trace context in and out, and spans where OpenTelemetry is.

Spans are OpenTelemetry's own: exporters and samplers are set up as its documentation says. Without the
package `opentelemetry-api`, the caller's trace is passed through to log lines and outgoing calls.

Nothing that a function was given or answered is recorded. Of an error, its type and masked message.
"""

from __future__ import annotations

import functools
import threading
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar

from shared.toolkit.log_output import configured_formatter
from shared.toolkit.masking import Masker
from shared.toolkit.trace_context import Trace, carrier_of, trace_of

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

__all__ = ["Trace", "carrier_of", "current_trace", "headers", "invocation", "span", "trace_of"]

_NO_SPAN = nullcontext()
_SCOPE = "toolkit"

_making = threading.Lock()


class TracedInvocation:
    """The trace of one invocation, as far as no span says better."""

    __slots__ = ("_draw", "_outer", "known")

    def __init__(self, known: Trace | None, draw: Callable[[int], int]) -> None:
        self.known = known
        self._draw = draw
        self._outer: Token[TracedInvocation | None] | None = None

    def trace(self) -> Trace:
        """Give the caller's trace, or a new one that is made now: few invocations call anybody."""
        with _making:  # threads of the invocation may ask beside each other
            trace = self.known = self.known or _new_trace(self._draw)
            return trace

    def __enter__(self) -> TracedInvocation:
        self._outer = _invocation.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._outer is not None:
            _invocation.reset(self._outer)


_invocation: ContextVar[TracedInvocation | None] = ContextVar("traced_invocation", default=None)


def invocation(
    carrier: Mapping[str, str] | None, *, function: str, draw: Callable[[int], int]
) -> AbstractContextManager[TracedInvocation]:
    """Make the carrier's trace the present one, or a new one when it has none that is valid.

    Nothing of an invocation around it is taken over. `draw` gives that many random bits. A new trace
    is made when somebody asks for it, and sampled only when OpenTelemetry samples it: who records
    nothing asks nobody else to.
    """
    caller = trace_of(carrier) if carrier else None
    passed = TracedInvocation(caller, draw)
    return _recorded(passed, function) if _has_opentelemetry() else passed


def span(name: str, **attributes: str | bool | int | float) -> AbstractContextManager[None]:
    """Record what the block does as a span of the present trace; nothing without OpenTelemetry.

    Texts among the attributes are masked. A thread inherits the present span only with a copied
    context (`contextvars.copy_context`).
    """
    return _span(name, attributes) if _has_opentelemetry() else _NO_SPAN


def current_trace() -> Trace | None:
    """Tell the position in the trace: the present span's, else the invocation's; None outside both."""
    at_span = _trace_of_present_span() if _has_opentelemetry() else None
    traced = _invocation.get()
    return at_span or (traced.trace() if traced else None)


def headers() -> dict[str, str]:
    """Give the headers with which an outgoing request carries the trace on; none outside of one."""
    trace = current_trace()
    return trace.headers() if trace else {}


@functools.cache
def _has_opentelemetry() -> bool:
    try:
        import opentelemetry.trace  # noqa: F401  # whether it is there is the question
    except ImportError:
        return False
    return True


def _trace_of_present_span() -> Trace | None:
    from opentelemetry.trace import get_current_span

    at = get_current_span().get_span_context()
    if not at.is_valid:
        return None
    state = at.trace_state.to_header()
    return Trace(f"{at.trace_id:032x}", f"{at.span_id:016x}", at.trace_flags.sampled, state)


def _new_trace(draw: Callable[[int], int]) -> Trace:
    bits = draw(192)
    # All zeros stand for "no trace" (W3C Trace Context 3.2.2).
    return Trace(f"{bits >> 64 or 1:032x}", f"{bits & (1 << 64) - 1 or 1:016x}")


@contextmanager
def _recorded(passed: TracedInvocation, function: str) -> Iterator[TracedInvocation]:
    caller = passed.known
    with passed, _span_of_invocation(function, caller):
        passed.known = _trace_of_present_span() or caller
        yield passed


@contextmanager
def _span_of_invocation(function: str, caller: Trace | None) -> Iterator[None]:
    from opentelemetry import trace
    from opentelemetry.context import Context

    context = Context()
    if caller is not None:
        parent = trace.SpanContext(
            int(caller.trace_id, 16),
            int(caller.span_id, 16),
            is_remote=True,
            trace_flags=trace.TraceFlags(caller.sampled),
            trace_state=trace.TraceState.from_header([caller.state]),
        )
        context = trace.set_span_in_context(trace.NonRecordingSpan(parent), context)
    started = trace.get_tracer(_SCOPE).start_span(
        function, context=context, kind=trace.SpanKind.SERVER, attributes={"faas.name": function}
    )
    with _present(started, context):
        yield


@contextmanager
def _span(name: str, attributes: Mapping[str, str | bool | int | float]) -> Iterator[None]:
    from opentelemetry import context, trace

    started = trace.get_tracer(_SCOPE).start_span(name)
    if started.is_recording():
        masker = _masker()
        for key, value in attributes.items():
            started.set_attribute(key, masker.value(key, value) if isinstance(value, str) else value)
    with _present(started, context.get_current()):
        yield


@contextmanager
def _present(started: Span, context: Context) -> Iterator[None]:
    """Make a span the present one, and end it.

    Not by `use_span`: it may record an error's own text and stack, and keeps what is bound around it.
    """
    from opentelemetry import context as contexts
    from opentelemetry import trace

    outer = contexts.attach(trace.set_span_in_context(started, context))
    try:
        yield
    except BaseException as error:
        if started.is_recording():
            told = f"{type(error).__name__}: {_masker().text(str(error))}"
            started.set_status(trace.Status(trace.StatusCode.ERROR, told))
            started.set_attribute("error.type", type(error).__name__)
        raise
    finally:
        contexts.detach(outer)
        started.end()


def _masker() -> Masker:
    formatter = configured_formatter()
    return formatter.masker if formatter else Masker()
