from __future__ import annotations

import contextvars
import io
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.toolkit import configure_logging, count, duration, gauge, record_duration
from shared.toolkit.log_output import configured_formatter
from shared.toolkit.metrics import Collected
from tests.shared.toolkit.conftest import LogLines


def written(log: LogLines) -> list[dict[str, Any]]:
    return [metric for line in log.all() for metric in line["metrics"]]


def test_a_counter_adds_up_by_its_dimensions(log: LogLines) -> None:
    with Collected() as collected:
        count("lost", kind="a")
        count("lost", 2, kind="b")
        count("lost", 3, kind="a")
    collected.write("end")

    assert written(log) == [
        {"metric": "lost", "type": "counter", "dimensions": {"kind": "a"}, "value": 4},
        {"metric": "lost", "type": "counter", "dimensions": {"kind": "b"}, "value": 2},
    ]


def test_the_order_of_dimensions_makes_no_difference(log: LogLines) -> None:
    with Collected() as collected:
        count("lost", kind="a", tries=1)
        count("lost", tries=1, kind="a")
    collected.write("end")

    [metric] = written(log)
    assert (metric["value"], metric["dimensions"]) == (2, {"kind": "a", "tries": "1"})


def test_a_long_secret_in_a_dimension_is_not_even_shown_in_part(log: LogLines) -> None:
    secret = "0123456789abcdef" * 40
    formatter = configured_formatter()
    assert formatter
    formatter.mask_also((secret,))
    with Collected() as collected:
        count("calls", key=secret)
    collected.write("end")

    assert secret[:16] not in log.text


def test_of_a_gauge_the_last_value_stays(log: LogLines) -> None:
    with Collected() as collected:
        gauge("waiting", 5)
        gauge("waiting", -1.5)
    collected.write("end")

    assert written(log) == [{"metric": "waiting", "type": "gauge", "value": -1.5}]


def test_a_duration_has_count_sum_max_and_values(log: LogLines) -> None:
    times = iter([100.0, 130.5, 200.0, 210.0])
    with Collected() as collected:
        with duration("vendor_call", clock=times.__next__):
            pass
        with pytest.raises(KeyError), duration("vendor_call", clock=times.__next__):
            raise KeyError
    collected.write("end")

    told = {"count": 2, "sum": 40.5, "max": 30.5, "values": [30.5, 10.0]}
    assert written(log) == [{"metric": "vendor_call", "type": "duration", **told}]


def test_a_clock_that_is_set_back_counts_as_no_time(log: LogLines) -> None:
    times = iter([5_000.0, 1_000.0])
    with Collected() as collected, duration("vendor_call", clock=times.__next__):
        pass
    collected.write("end")

    assert written(log)[0]["values"] == [0]


@pytest.mark.parametrize("name", ["", "Lost", "lost callbacks", "9lives", "a" * 65, "lost\n"])
def test_a_name_that_cannot_be_charted_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="named like_this"):
        count(name)
    with pytest.raises(ValueError, match="named like_this"):
        count("lost", **{name: "x"})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, 10**400, "3", None])
def test_what_is_no_amount_is_dropped_and_counted(log: LogLines, value: Any) -> None:
    with Collected() as collected:
        count("lost", value)
    collected.write("end")

    assert (log.all()[0]["metrics"], log.all()[0]["metrics_dropped"]) == ([], 1)


class _Broken:
    __hash__ = None  # type: ignore[assignment]  # as a list has it

    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_a_dimension_may_be_anything(log: LogLines) -> None:
    with Collected() as collected:
        count("lost", of=_Broken(), url="https://host/x?Signature=hR9xQ2vLm4Tz", long="x" * 900)
    collected.write("end")

    [metric] = written(log)
    assert "cannot be shown" in metric["dimensions"]["of"]
    assert metric["dimensions"]["url"] == "https://host/x?***"
    assert len(metric["dimensions"]["long"]) == 128


def test_a_flood_of_series_is_bounded_and_counted(log: LogLines) -> None:
    with Collected() as collected:
        for i in range(5_000):
            count("lost", job=f"job-{i}")
            record_duration(f"took_{i % 40}", i)
    collected.write("end")

    [line] = log.all()
    shown = sum(metric.get("count", metric.get("value", 0)) for metric in line["metrics"])
    assert shown + line["metrics_dropped"] == 10_000
    assert len(log.text) < 32_768


_NAMES = st.sampled_from([f"name_{i}" for i in range(12)] + ["token_count", "a" * 64])
_TEXTS = st.text(max_size=200) | st.sampled_from(["审" * 128, "token=x", '"\\' * 64])
_NUMBERS = st.floats(allow_nan=False, min_value=0, max_value=10**14) | st.integers(0, 10**14)
_CALLS = st.tuples(
    st.sampled_from([count, gauge, record_duration]),
    _NAMES,
    _NUMBERS,
    st.dictionaries(_NAMES, _TEXTS, max_size=8),
    st.integers(1, 60),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_CALLS, max_size=30))
def test_the_line_is_always_whole(calls: list[Any]) -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    with Collected() as collected:
        for measure, name, value, dimensions, times in calls:
            for _ in range(times):
                measure(name, value, **dimensions)
    collected.write("end")

    line = json.loads(stream.getvalue())
    assert len(stream.getvalue()) < 32_768
    for metric in line["metrics"]:
        assert isinstance(metric["metric"], str)
        assert all(isinstance(value, float) for value in metric.get("values", []))


def test_threads_of_an_invocation_add_to_the_same_metrics(log: LogLines) -> None:
    def work() -> None:
        for _ in range(1_000):
            count("lost")

    with Collected() as collected, ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(contextvars.copy_context().run, work)
    collected.write("end")

    assert written(log)[0]["value"] == 4_000


def test_overlapping_invocations_keep_their_metrics_apart(log: LogLines) -> None:
    with Collected() as outer:
        count("outer")
        with Collected() as inner:
            count("inner")
        count("outer")
    inner.write("inner end")
    outer.write("outer end")

    assert [(metric["metric"], metric["value"]) for metric in written(log)] == [("inner", 1), ("outer", 2)]


def test_outside_an_invocation_a_metric_is_a_line_of_its_own(log: LogLines) -> None:
    count("started", 2)

    assert log.all()[0]["message"] == "metric outside an invocation"
    assert written(log) == [{"metric": "started", "type": "counter", "value": 2}]


def test_what_comes_after_the_end_of_the_invocation_is_not_lost(log: LogLines) -> None:
    with Collected() as collected:
        count("lost")
        collected.write("end")
        count("lost", 5)

    assert [metric["value"] for metric in written(log)] == [1, 5]


def test_no_level_holds_metrics_back(log: LogLines) -> None:
    logging.getLogger().setLevel(logging.CRITICAL)

    count("lost")

    assert len(written(log)) == 1


def test_where_lines_are_not_ours_a_metric_is_an_ordinary_record(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger().handlers[:] = [caplog.handler]
    logging.getLogger().setLevel(logging.INFO)

    count("lost")

    assert caplog.messages == ["metric outside an invocation"]
    assert vars(caplog.records[0])["metrics"] == [{"metric": "lost", "type": "counter", "value": 1}]
