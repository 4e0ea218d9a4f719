from __future__ import annotations

import contextvars
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry import trace as opentelemetry
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from shared.toolkit import PermanentError, tracing
from shared.toolkit.tracing import Trace, current_trace, headers, span

ROOT = Path(tracing.__file__).parents[2]
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CARRIER = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "rojo=1"}
CALLER = Trace(TRACE, SPAN, sampled=True, state="rojo=1")

Spans = Callable[[], dict[str, ReadableSpan]]


@contextmanager
def invocation(
    carrier: dict[str, str] | None, *, function: str, draw: Callable[[int], int] = secrets.randbits
) -> Iterator[Trace]:
    """Trace an invocation that asks for its trace at once."""
    with tracing.invocation(carrier, function=function, draw=draw) as traced:
        yield traced.trace()


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """Give what was recorded, by name."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # A provider can be set once in a process: that would stay for all other tests.
    monkeypatch.setattr(opentelemetry, "get_tracer", provider.get_tracer)
    return lambda: {each.name: each for each in exporter.get_finished_spans()}


@pytest.fixture
def without_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]:
        monkeypatch.setitem(sys.modules, name, None)
    tracing._has_opentelemetry.cache_clear()
    yield
    tracing._has_opentelemetry.cache_clear()


def ids(span: ReadableSpan) -> tuple[str, str]:
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"


# --- without the package, and with it but nobody who records -------------------------------------


@pytest.fixture(params=["absent", "nobody records"])
def no_spans(request: pytest.FixtureRequest) -> None:
    if request.param == "absent":
        request.getfixturevalue("without_opentelemetry")


@pytest.mark.usefixtures("no_spans")
def test_without_spans_the_callers_trace_is_passed_through() -> None:
    with invocation(CARRIER, function="orders") as trace, span("vendor call", action="Get"):
        assert trace == current_trace() == CALLER
        assert headers() == CARRIER

    assert current_trace() is None
    assert headers() == {}


@pytest.mark.usefixtures("no_spans")
@pytest.mark.parametrize("carrier", [None, {}, {"traceparent": "00-garbage"}])
def test_without_a_valid_trace_a_new_one_is_made(carrier: dict[str, str] | None) -> None:
    with invocation(carrier, function="orders", draw=lambda bits: (7 << 64) | 5) as trace:
        assert trace == current_trace() == Trace(f"{7:032x}", f"{5:016x}")
        assert headers() == {"traceparent": f"00-{7:032x}-{5:016x}-00"}


@pytest.mark.usefixtures("no_spans")
@pytest.mark.parametrize("drawn", [0, 1, 1 << 64, (1 << 192) - 1])
def test_every_draw_is_a_valid_trace(drawn: int) -> None:
    with invocation(None, function="orders", draw=lambda bits: drawn) as trace:
        assert tracing.trace_of(headers()) == trace


@pytest.mark.usefixtures("no_spans")
def test_a_trace_is_made_when_somebody_asks_for_it_and_once() -> None:
    drawn = iter([(7 << 64) | 5])
    with tracing.invocation(None, function="orders", draw=lambda bits: next(drawn)) as traced:
        assert traced.known is None
        assert current_trace() == traced.trace() == traced.known


def test_new_traces_differ() -> None:
    made = set()
    for _ in range(100):
        with invocation(None, function="orders") as trace:
            made.add((trace.trace_id, trace.span_id))

    assert len(made) == 100


@pytest.mark.usefixtures("no_spans")
def test_errors_pass_through_and_leave_no_trace_behind() -> None:
    with pytest.raises(PermanentError), invocation(CARRIER, function="orders"), span("call"):
        raise PermanentError("never")

    assert current_trace() is None


@pytest.mark.usefixtures("no_spans")
def test_an_invocation_within_another_has_a_trace_of_its_own() -> None:
    with invocation(CARRIER, function="outer"):
        with invocation(None, function="inner", draw=lambda bits: 1) as inner:
            assert current_trace() == inner != CALLER
        assert current_trace() == CALLER


@pytest.mark.usefixtures("no_spans")
def test_overlapping_invocations_know_only_their_own_trace() -> None:
    together = threading.Barrier(4)

    def run(number: int) -> list[Trace | None]:
        with invocation(None, function="orders", draw=lambda bits: (number << 64) | number) as mine:
            together.wait(5)
            seen = [mine, current_trace()]
            together.wait(5)
        return [*seen, current_trace()]

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(run, range(1, 5)))

    assert outcomes == [[Trace(f"{n:032x}", f"{n:016x}")] * 2 + [None] for n in range(1, 5)]


def test_a_span_outside_of_an_invocation_without_the_package_is_nothing(without_opentelemetry: None) -> None:
    assert span("a") is span("b", number=1)


def test_the_package_is_not_loaded_before_it_is_needed() -> None:
    code = "import sys, shared.toolkit.tracing; print('opentelemetry' in sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )

    assert loaded.stdout.strip() == "False"


# --- with OpenTelemetry --------------------------------------------------------------------------


def test_spans_have_the_callers_as_their_parents(spans: Spans) -> None:
    with invocation(CARRIER, function="orders") as at_start, span("vendor call"):
        at_call, sent = current_trace(), headers()

    root, call = spans()["orders"], spans()["vendor call"]
    assert at_start == Trace(*ids(root), sampled=True, state="rojo=1")
    assert at_call == Trace(*ids(call), sampled=True, state="rojo=1")
    assert sent == {"traceparent": f"00-{TRACE}-{ids(call)[1]}-01", "tracestate": "rojo=1"}
    assert root.parent is not None
    assert (root.parent.span_id, root.parent.is_remote) == (int(SPAN, 16), True)
    assert call.parent == root.context
    assert root.kind is opentelemetry.SpanKind.SERVER
    assert dict(root.attributes or {}) == {"faas.name": "orders"}


def test_without_a_caller_the_trace_begins_with_the_invocation(spans: Spans) -> None:
    with invocation(None, function="orders", draw=lambda bits: 1) as trace:
        pass

    root = spans()["orders"]
    assert root.parent is None
    assert trace == Trace(*ids(root), sampled=True)


def test_a_caller_that_is_not_sampled_is_not_recorded(spans: Spans) -> None:
    with invocation({"traceparent": f"00-{TRACE}-{SPAN}-00"}, function="orders") as trace, span("call"):
        pass

    assert spans() == {}
    assert (trace.trace_id, trace.sampled) == (TRACE, False)


def test_an_error_is_recorded_by_type_and_masked_message_alone(spans: Spans) -> None:
    secret_url = "https://host.example/a.jpg?Expires=1&Signature=abc"
    with pytest.raises(PermanentError), invocation(CARRIER, function="orders"), span("vendor call"):
        raise PermanentError(f"cannot read {secret_url}")

    for recorded in spans().values():
        assert recorded.status.status_code is opentelemetry.StatusCode.ERROR
        assert recorded.status.description == "PermanentError: cannot read https://host.example/a.jpg?***"
        assert (recorded.attributes or {})["error.type"] == "PermanentError"
        assert recorded.events == ()
    assert len(spans()) == 2


def test_what_ends_the_process_is_recorded_too(spans: Spans) -> None:
    with pytest.raises(SystemExit), invocation(CARRIER, function="orders"):
        raise SystemExit(1)

    assert (spans()["orders"].attributes or {})["error.type"] == "SystemExit"


def test_texts_among_the_attributes_are_masked(spans: Spans) -> None:
    with span("call", url="https://h.example/a?sig=1", token="t0ps3cret", action="Get", tries=2):
        pass

    assert dict(spans()["call"].attributes or {}) == {
        "url": "https://h.example/a?***",
        "token": "***",
        "action": "Get",
        "tries": 2,
    }


def test_an_invocation_within_a_span_does_not_become_its_child(spans: Spans) -> None:
    with invocation(CARRIER, function="outer"), span("call"):
        with invocation(None, function="inner"):
            pass
        assert headers()["traceparent"].split("-")[1] == TRACE

    assert spans()["inner"].parent is None
    assert spans()["inner"].context.trace_id != int(TRACE, 16)


def test_a_thread_with_a_copied_context_goes_on_in_the_span(spans: Spans) -> None:
    def work() -> None:
        with span("in a thread"):
            pass

    with invocation(CARRIER, function="orders"), ThreadPoolExecutor(1) as pool:
        pool.submit(contextvars.copy_context().run, work).result()

    assert spans()["in a thread"].parent == spans()["orders"].context


def test_what_the_sampler_leaves_out_is_passed_on_as_not_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    monkeypatch.setattr(opentelemetry, "get_tracer", provider.get_tracer)

    with invocation(CARRIER, function="orders") as trace, pytest.raises(ZeroDivisionError), span("call"):
        raise ZeroDivisionError

    assert (trace.trace_id, trace.sampled) == (TRACE, False)
