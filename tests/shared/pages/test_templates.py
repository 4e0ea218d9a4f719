"""How pages write times, positions, sizes and what strangers say."""

from __future__ import annotations

import pytest

from shared.pages.strangers import plain
from shared.pages.templates import box, digits, moment, position, said, short_source, size, tick


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b", "<bdi>a b</bdi>"),
        ("<b>&\"'", "<bdi>&lt;b&gt;&amp;&#34;&#39;</bdi>"),
        ("涉黄 text", '<bdi lang="zh-CN">涉黄 text</bdi>'),
        ("nul\x00esc\x1b half\ud800 non\uffff", "<bdi>nul\ufffdesc\ufffd half\ufffd non\ufffd</bdi>"),
        ("line\nand\ttab", "<bdi>line\nand\ttab</bdi>"),
    ],
)
def test_a_strangers_text_is_escaped_and_stands_apart(text: str, shown: str) -> None:
    assert str(said(text)) == shown


def test_secrets_in_a_strangers_text_are_masked() -> None:
    text = "http://bucket/x.jpg?Expires=1&Signature=canary and accessKeySecret=canary"

    assert "canary" not in plain(text)
    assert "canary" not in said(text, 20)


def test_a_long_text_is_cut_and_says_so() -> None:
    assert plain("x" * 100, 10) == "xxxxxxxxxx…"
    assert plain("x" * 10, 10) == "x" * 10


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (0, '<time datetime="1970-01-01T00:00:00.000Z">1970-01-01 00:00:00 UTC</time>'),
        (
            "2026-11-21T20:45:09.250Z",
            '<time datetime="2026-11-21T20:45:09.250Z">2026-11-21 20:45:09 UTC</time>',
        ),
        ("0000-13-99", "<bdi>0000-13-99</bdi>"),
        (10**18, f"<bdi>{10**18}</bdi>"),
    ],
)
def test_a_time_is_written_for_people_and_for_machines(at: int | str, shown: str) -> None:
    assert str(moment(at)) == shown


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(0, "00:00.000"), (61_005, "01:01.005"), (3_600_000, "1:00:00.000"), (-5, "-00:00.005")],
)
def test_a_position_is_written_in_minutes_and_thousandths(ms: int, shown: str) -> None:
    assert position(ms) == shown


def test_an_axis_says_thousandths_where_there_are_any() -> None:
    assert (tick(2_000), tick(2_500)) == ("00:02", "00:02.500")


@pytest.mark.parametrize(("count", "shown"), [(999, "999 B"), (1_500, "1.5 kB"), (2_340_000, "2.3 MB")])
def test_a_size_is_written_in_the_unit_that_fits(count: int, shown: str) -> None:
    assert size(count) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        *(("92.4800000000", "92.48"), ("100.0000000000", "100"), ("-2.50", "-2.5"), ("0.0", "0")),
        *(("100", "100"), ("1e10", "1e10"), ("1.0.0", "1.0.0"), ("", ""), ("n/a", "n/a")),
    ],
)
def test_a_number_is_written_without_zeros_that_say_nothing(text: str, shown: str) -> None:
    assert digits(text) == shown


def test_a_box_is_written_by_its_corners() -> None:
    assert box((294.0, 59.5, 328.0, 93.0)) == "294, 59.5, 328, 93"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("answer:/Job/Results#/Freeze/0", "answer:…/Freeze/0"),
        ("output:/2/freeze/0", "output:…/freeze/0"),
        ("answer:/Status", "answer:/Status"),
        ("answer:", "answer:"),
    ],
)
def test_an_address_is_written_by_its_end(source: str, shown: str) -> None:
    assert short_source(source) == shown
