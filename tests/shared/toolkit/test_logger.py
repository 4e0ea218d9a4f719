from __future__ import annotations

import contextvars
import io
import json
import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from enum import Enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.toolkit import (
    JsonFormatter,
    Masker,
    PermanentError,
    TemporaryError,
    bind,
    configure_logging,
)
from tests.shared.toolkit.conftest import LogLines

orders = logging.getLogger("orders")
URL = "https://host/a.jpg?Signature=hR9xQ2vLm4Tz"


def test_a_line_is_one_json_object(log: LogLines) -> None:
    orders.info("first line\nsecond line of %s", "审核")

    [line] = log.all()
    assert line["message"] == "first line\nsecond line of 审核"
    assert (line["level"], line["logger"]) == ("INFO", "orders")
    assert log.text.isascii()


def test_the_timestamp_is_utc_with_milliseconds() -> None:
    record = logging.makeLogRecord({"created": 1_700_000_000.25, "msg": "x"})

    line = json.loads(JsonFormatter(Masker()).format(record))

    assert line["timestamp"] == "2023-11-14T22:13:20.250Z"


def test_bound_keys_end_with_their_block(log: LogLines) -> None:
    with bind(job="a"):
        with bind(message_id="m1", job="b"):
            orders.info("inside")
        orders.info("between")
    orders.info("outside")

    assert log.named("inside")[0].items() >= {"job": "b", "message_id": "m1"}.items()
    assert log.named("between")[0]["job"] == "a"
    assert "message_id" not in log.named("between")[0]
    assert "job" not in log.named("outside")[0]


def test_bound_keys_end_when_the_block_fails(log: LogLines) -> None:
    with pytest.raises(KeyError), bind(job="a"):
        raise KeyError
    orders.info("after")

    assert "job" not in log.named("after")[0]


def test_overlapping_threads_see_only_their_own_keys(log: LogLines) -> None:
    both_bound, both_logged = threading.Barrier(2), threading.Barrier(2)

    def work(job: str) -> None:
        with bind(job=job):
            both_bound.wait(5)
            orders.info("work of %s", job)
            both_logged.wait(5)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, ["a", "b"]))

    assert log.named("work of a")[0]["job"] == "a"
    assert log.named("work of b")[0]["job"] == "b"


def test_a_copied_context_takes_the_keys_into_a_thread(log: LogLines) -> None:
    with bind(job="a"):
        thread = threading.Thread(target=contextvars.copy_context().run, args=(orders.info, "there"))
    thread.start()
    thread.join()

    assert log.named("there")[0]["job"] == "a"


@pytest.mark.parametrize("name", ["message", "request_id", "timestamp", "exception"])
def test_a_name_that_lines_use_cannot_be_bound(name: str) -> None:
    with pytest.raises(ValueError, match=name), bind(**{name: "x"}):
        pass


def test_an_extra_never_replaces_a_field_of_the_line(log: LogLines) -> None:
    with bind(job="a"):
        orders.info("x", extra={"level": "mine", "job": "b", "count": 3})

    assert log.all()[0].items() >= {"level": "INFO", "level_": "mine", "job": "a", "job_": "b"}.items()
    assert log.all()[0]["count"] == 3


def test_messages_arguments_extras_and_keys_are_masked(log: LogLines) -> None:
    with bind(picture=URL):
        orders.warning("message " + URL)
        orders.warning("argument %s %s", URL, {"token": "hR9xQ2vLm4Tz"})
        orders.warning("extra", extra={"deep": [{"url": URL, "access_key_secret": "hR9xQ2vLm4Tz"}]})

    assert len(log.all()) == 3
    assert "hR9xQ2vLm4Tz" not in log.text


def test_an_exception_is_an_object_with_its_causes_all_masked(log: LogLines) -> None:
    try:
        try:
            raise OSError(f"GET {URL} failed")
        except OSError as error:
            raise TemporaryError("the vendor is away", job="a", url=URL) from error
    except TemporaryError:
        orders.exception("no answer")

    exception = log.all()[0]["exception"]
    assert exception["type"] == "TemporaryError"
    assert exception["details"] == {"job": "a", "url": "https://host/a.jpg?***"}
    assert exception["cause"]["message"] == "GET https://host/a.jpg?*** failed"
    assert exception["stack"][-1].endswith("in test_an_exception_is_an_object_with_its_causes_all_masked")
    assert "hR9xQ2vLm4Tz" not in log.text


def test_a_suppressed_context_is_not_shown(log: LogLines) -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError:
            raise PermanentError("outer") from None
    except PermanentError:
        orders.exception("failed")

    assert "cause" not in log.all()[0]["exception"]


def test_registered_secrets_are_masked_and_older_ones_with_them() -> None:
    stream = io.StringIO()
    formatter = configure_logging(stream=stream, masker=Masker(frozenset({"configured-one"})))
    formatter.mask_also(("older-secret",))
    formatter.mask_also(("newer-secret",))

    orders.info("configured-one older-secret newer-secret")

    assert json.loads(stream.getvalue())["message"] == "*** *** ***"


def test_many_registered_secrets_do_not_pile_up() -> None:
    formatter = JsonFormatter(Masker(frozenset({"configured-one"})))
    for i in range(1_000):
        formatter.mask_also((f"secret-{i}",))

    assert len(formatter.masker.literals) <= 20
    assert formatter.masker.text("configured-one secret-999") == "*** ***"


def test_configuring_replaces_foreign_handlers_and_its_own() -> None:
    logging.getLogger().addHandler(logging.NullHandler())
    configure_logging(stream=io.StringIO())
    stream = io.StringIO()
    configure_logging(stream=stream, level="WARNING")

    orders.info("quiet")
    orders.warning("loud")

    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["loud"]
    assert len(logging.getLogger().handlers) == 1


def test_without_a_stream_lines_go_to_the_standard_output_of_the_moment(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging()

    orders.info("hello")

    assert json.loads(capsys.readouterr().out)["message"] == "hello"


def test_arguments_that_do_not_fit_still_give_a_line() -> None:
    record = logging.makeLogRecord({"msg": "%d jobs", "args": ("no",)})

    line = json.loads(JsonFormatter(Masker()).format(record))

    assert line["message"] == "%d jobs (its arguments do not fit: TypeError)"


def test_a_line_that_cannot_be_written_is_told_without_its_content(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    stream.close()

    orders.info("token=hR9xQ2vLm4Tz")

    assert capsys.readouterr().err == "a log line of orders is lost: ValueError\n"


class _Broken:
    def __str__(self) -> str:
        raise RuntimeError("no text")


class _Colour(str, Enum):
    RED = "red"


def test_any_value_becomes_json(log: LogLines) -> None:
    values = {
        "nothing": None,
        "number": 1.5,
        "not_a_number": float("nan"),
        "huge": 10**5_000,
        "raw": b"\x00\x01",
        "text": "\ud800",
        "colour": _Colour.RED,
        "broken": _Broken(),
        "members": {1: {2}},
    }

    orders.info("x", extra=values)

    line = log.all()[0]
    assert (line["nothing"], line["number"], line["not_a_number"]) == (None, 1.5, "nan")
    assert (line["raw"], line["colour"], line["members"]) == ("<2 bytes>", "red", {"1": [2]})
    assert "RuntimeError" in line["broken"]
    assert line["huge"].startswith("<int that cannot be shown") or len(line["huge"]) > 4_000


def test_a_value_without_an_end_is_cut(log: LogLines) -> None:
    knot: list[object] = []
    knot.extend([knot] * 100)
    crowd = {str(i): "a member" for i in range(10_000)}

    orders.info("x", extra={"knot": knot})
    orders.info("x", extra={"crowd": crowd})

    assert all(len(line) < 32_768 for line in log.text.splitlines())
    assert log.all()[1]["crowd"].popitem() == ("...", "...")


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
)


# `logging` itself refuses an extra that is named like a field of its record.
_NAMES = st.text().filter(lambda name: name not in vars(logging.makeLogRecord({})))


@settings(max_examples=40)
@given(st.text(), st.dictionaries(_NAMES, _ANYTHING))
def test_no_line_fails_or_exceeds_a_log_entry(message: str, extra: dict[str, object]) -> None:
    record = logging.makeLogRecord({"msg": message, "levelname": "INFO", "big": "审" * 9_000, **extra})

    line = JsonFormatter(Masker()).format(record)

    assert isinstance(json.loads(line), dict)
    assert len(line) < 32_768
    assert "\n" not in line


def test_a_very_long_text_says_how_much_was_cut(log: LogLines) -> None:
    orders.info("x" * 9_000)

    assert log.all()[0]["message"] == "x" * 8_000 + "... (1000 more)"


def test_the_deepest_frames_of_a_long_stack_are_kept(log: LogLines) -> None:
    def dive(depth: int) -> None:
        if depth == 0:
            raise PermanentError("bottom")
        dive(depth - 1)

    try:
        dive(100)
    except PermanentError:
        orders.error("failed", exc_info=sys.exc_info())

    assert len(log.all()[0]["exception"]["stack"]) == 20
