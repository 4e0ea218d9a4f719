from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.toolkit.trace_context import Trace, carrier_of, trace_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
CARRIER = {"traceparent": PARENT, "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"}

HEX = "0123456789abcdef"


def state_of(*headers: str) -> str:
    carrier = {"traceparent": PARENT} | dict(zip(("tracestate", "Tracestate"), headers, strict=False))
    trace = trace_of(carrier)
    assert trace is not None
    return trace.state


def test_the_example_of_the_standard_is_read_and_written_again() -> None:
    trace = trace_of(CARRIER)

    assert trace == Trace(TRACE, SPAN, sampled=True, state=CARRIER["tracestate"])
    assert trace is not None
    assert trace.headers() == CARRIER


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0x",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"01-{TRACE}-{SPAN}-01more",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}0-{SPAN}-01",
        f"{PARENT},{PARENT}",
        "٠٠-" + PARENT[3:],  # noqa: RUF001  # digits, though not of ASCII
    ],
)
def test_an_invalid_traceparent_is_no_trace(header: str) -> None:
    assert trace_of({**CARRIER, "traceparent": header}) is None


@pytest.mark.parametrize("version", ["01", "cc", "fe"])
@pytest.mark.parametrize("more", ["", "-", "-what-the-future-will-be-like"])
def test_a_later_version_is_read_as_far_as_it_is_known_and_written_as_ours(version: str, more: str) -> None:
    trace = trace_of({"traceparent": f"{version}-{TRACE}-{SPAN}-09{more}"})

    assert trace is not None
    assert trace.headers() == {"traceparent": PARENT}


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("fe", False), ("ff", True)])
def test_only_the_sampled_flag_is_understood(flags: str, sampled: bool) -> None:
    trace = trace_of({"traceparent": f"00-{TRACE}-{SPAN}-{flags}"})

    assert trace == Trace(TRACE, SPAN, sampled)


@pytest.mark.parametrize("name", ["traceparent", "Traceparent", "TRACEPARENT", "traceParent"])
def test_header_names_may_be_in_any_case(name: str) -> None:
    assert trace_of({"Accept": "*/*", name: f" {PARENT}\t"}) == Trace(TRACE, SPAN, sampled=True)


def test_two_parents_are_none() -> None:
    assert trace_of({"traceparent": PARENT, "Traceparent": PARENT}) is None


def test_a_tracestate_alone_is_no_trace() -> None:
    assert trace_of({"tracestate": CARRIER["tracestate"]}) is None


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("a=1", "a=1"),
        (" a=1 ,\tb=2\t", "a=1,b=2"),
        ("a=1,,b=2,", "a=1,b=2"),
        ("a= 1", "a= 1"),
        ("0tenant@sys_1=x", "0tenant@sys_1=x"),
        ("a/b*c-d_e=!", "a/b*c-d_e=!"),
        (f"{'k' * 256}=v", f"{'k' * 256}=v"),
        (f"a={'v' * 256}", f"a={'v' * 256}"),
        (",".join(f"k{n}=v" for n in range(32)), ",".join(f"k{n}=v" for n in range(32))),
        ("", ""),
    ],
)
def test_a_valid_tracestate_is_passed_on(header: str, kept: str) -> None:
    assert state_of(header) == kept


@pytest.mark.parametrize(
    "header",
    [
        "a",
        "a=",
        "=1",
        "A=1",
        "0a=1",
        "a=1=2",
        "a =1",
        "a=ü",
        "a=\x7f",
        "@sys=1",
        "t@=1",
        f"{'t' * 242}@sys=1",
        f"tenant@{'s' * 15}=1",
        f"{'k' * 257}=v",
        f"a={'v' * 257}",
        "a=1,a=2",
        ",".join(f"k{n}=v" for n in range(33)),
    ],
)
def test_an_invalid_tracestate_is_left_out_and_the_trace_stays(header: str) -> None:
    assert state_of(header) == ""


def test_two_tracestates_are_one_list() -> None:
    assert state_of("a=1", "b=2") == "a=1,b=2"


def test_of_a_tracestate_that_is_too_long_large_members_go_first_then_the_last() -> None:
    large, small = f"large={'v' * 150}", [f"k{n:02}={'v' * 46}" for n in range(12)]

    kept = state_of(",".join([large, *small]))

    assert kept == ",".join(small[:10])
    assert len(kept) <= 512


@given(
    version=st.sampled_from(["00", "01", "fe", "ff", "0g"]),
    trace=st.one_of(st.text(HEX, min_size=31, max_size=33), st.just("0" * 32)),
    span=st.one_of(st.text(HEX, min_size=15, max_size=17), st.just("0" * 16)),
    flags=st.text(HEX, min_size=2, max_size=2),
    more=st.sampled_from(["", "-", "-x", "x", " "]),
)
def test_opentelemetry_reads_the_same(version: str, trace: str, span: str, flags: str, more: str) -> None:
    header = f"{version}-{trace}-{span}-{flags}{more}"

    theirs = get_current_span(TraceContextTextMapPropagator().extract({"traceparent": header}))
    ours = trace_of({"traceparent": header})

    assert (ours is not None) == theirs.get_span_context().is_valid
    if ours:
        assert int(ours.trace_id, 16) == theirs.get_span_context().trace_id
        assert int(ours.span_id, 16) == theirs.get_span_context().span_id
        assert ours.sampled == theirs.get_span_context().trace_flags.sampled


@given(st.text(), st.text())
def test_no_header_is_an_error_and_what_is_written_can_be_read(parent: str, state: str) -> None:
    trace_of({"traceparent": parent, "tracestate": state})
    trace = trace_of({"traceparent": PARENT, "tracestate": state})

    assert trace is not None
    assert trace_of(trace.headers()) == trace


# --- where the headers stand in an event ---------------------------------------------------------

CLOUD_EVENT = {
    "id": "1",
    "source": "MNS-Function-mnstrigger",
    "specversion": "1.0",
    "data": {"messageBody": "x"},
}
OTHER = {**CARRIER, "traceparent": PARENT.replace("4b", "5b")}


@pytest.mark.parametrize(
    "event",
    [
        {"version": "v1", "headers": {"Accept": "*/*", **CARRIER}, "body": ""},
        {"headers": {"Traceparent": PARENT, "Tracestate": CARRIER["tracestate"]}},
        {"headers": {"TRACEPARENT": PARENT, "TRACESTATE": CARRIER["tracestate"]}},
        {"headers": {"Traceparent": [PARENT], "Tracestate": CARRIER["tracestate"].split(",")}},
        {**CLOUD_EVENT, **CARRIER},
        [{**CLOUD_EVENT, **CARRIER}],
        [{**CLOUD_EVENT, **CARRIER}] * 3,
        [json.dumps({**CLOUD_EVENT, **CARRIER})],
        {"body": "hello", "attrs": CARRIER},
        {"body": "hello", "attrs": {"Extend": json.dumps(CARRIER)}},
        {"TopicOwner": "1", "Message": "hello", **CARRIER},
    ],
    ids=lambda event: json.dumps(event)[:40],
)
def test_a_trace_is_found_wherever_an_event_has_it(event: Any) -> None:
    carrier = carrier_of(json.dumps(event).encode())

    assert carrier is not None
    assert trace_of(carrier) == trace_of(CARRIER)


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"traceparent",
        b"traceparent \xff",
        b'{"traceparent": ',
        b'"traceparent"',
        b'[1, null, ["traceparent"]]',
        b"[" * 100_000 + b"traceparent",
        b'{"attrs": {"Extend": "traceparent"}}',
        b'{"attrs": {"Extend": 1}, "headers": ["traceparent"]}',
        b'{"Message": "what is a traceparent?"}',
        b'{"tracestate": "a=1", "note": "no traceparent"}',
        json.dumps([{**CLOUD_EVENT, **CARRIER}, {**CLOUD_EVENT, **OTHER}]).encode(),
        json.dumps([{**CLOUD_EVENT, **CARRIER}, CLOUD_EVENT]).encode(),
        json.dumps({"headers": {"Traceparent": [PARENT, PARENT]}}).encode(),
        json.dumps({"traceparent": 7}).encode(),
        json.dumps({**CARRIER, "body": "x" * (1 << 20)}).encode(),
    ],
    ids=lambda event: repr(event[:40]),
)
def test_where_there_is_no_one_trace_none_is_found(event: bytes) -> None:
    assert trace_of(carrier_of(event) or {}) is None
