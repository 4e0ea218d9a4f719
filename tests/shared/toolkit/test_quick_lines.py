"""A short line takes a shorter way: it must come out as the long way writes it, character by character."""

from __future__ import annotations

import json
import logging
import re
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.toolkit import JsonFormatter, Masker, bind
from shared.toolkit.bound_keys import current_item
from shared.toolkit.masking import _NAME

LITERALS = ["hR9xQ2vLm4Tz", "a+b/c== d", '"quoted"', "密钥\u00e9", "\U0001f511", "\\", "7"]
# What the rules of the masker are made of, in pieces, so that random text hits and nearly hits them.
PIECES = [
    *("secret", "Secret-Key", "secret_key", "TOKEN", "password", "passwd", "pwd", "passphrase", "SIGNATURE"),
    *(
        "private-key",
        "auth_key",
        "access_key",
        "Set-Cookie",
        "apikey",
        "Authorization",
        "bearer abcdefgh12",
        "LTAI12345678",
        "STS.12345678",
    ),
    *("\u017fecret", "to\u212aen", "\u0130", "p\u0131", "s\u0131gnature", "a\u017f"),
    *(
        ":\\/\\/",
        "x%3A%2F%2F",
        "x%253a%252f%252f",
        "%3F",
        "%253f",
        "%3D",
        "%40",
        "=>",
        "->",
        ">",
        "[",
        "w(",
        "b'",
    ),
    *("://", "https://u:p@h/x?y=1", "/?", "?", "=", ": ", ":", '"', "'", "\\", "\n", "&", "@", " "),
    *("13812345678", "+86 13812345678", "1381234\u0665678", "电话", "k", "s", "job", *LITERALS),
]
CLEAN = st.text(alphabet='ab1 ."\\\n审', max_size=5)
DIRTY = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=5).map("".join)
# Mostly clean, as one dirty text is enough to send the whole line the long way.
TEXT = st.one_of(CLEAN, CLEAN, CLEAN, DIRTY)
PLAIN = TEXT | st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([2**63, -(2**63)])
ANY = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(TEXT | st.integers(), PLAIN, max_size=2)
NAMES = TEXT.filter(lambda name: name not in vars(logging.makeLogRecord({})))
NAMED = {"name": "orders", "levelname": "INFO"}
MASKERS = [
    Masker(),
    Masker(phones=True),
    Masker(frozenset(LITERALS)),
    Masker(frozenset(LITERALS), phones=True),
]


def both_ways(masker: Masker, record: logging.LogRecord) -> tuple[str | None, str]:
    formatter = JsonFormatter(masker)
    quick = formatter.format(record)
    said = (record.created, record.levelname, record.name, record.getMessage())
    extra = {n: v for n, v in vars(record).items() if n not in vars(logging.makeLogRecord({}))}
    if (item := current_item.get()) is not None:
        extra = {"item_id": item, **extra}
    return quick, formatter._careful_line(*said, extra, None)


@settings(max_examples=600)
@given(st.sampled_from(MASKERS), TEXT, st.dictionaries(NAMES, ANY, max_size=3), TEXT, st.none() | TEXT)
@example(Masker(), "m" * 9_000, {}, "orders", None)
@example(Masker(), "m", {"x": float("inf")}, "orders", None)
@example(Masker(), "m", {"y": 2**63}, "orders", None)
@example(Masker(), "m", {"x": [["a"] * 2_000]}, "orders", None)
def test_both_ways_write_the_same_line(
    masker: Masker, message: str, extra: dict[str, object], name: str, item: str | None
) -> None:
    if item is not None and "item_id" in extra:
        return
    record = logging.makeLogRecord({"msg": message, "name": name, "levelname": "INFO", **extra})
    token = current_item.set(item)
    try:
        quick, careful = both_ways(masker, record)
    finally:
        current_item.reset(token)

    assert quick == careful


@settings(max_examples=300)
@given(st.sampled_from(MASKERS), st.dictionaries(TEXT.filter(str.strip), ANY, max_size=3))
def test_bound_keys_come_out_the_same_both_ways(masker: Masker, keys: dict[str, object]) -> None:
    with bind(**keys):
        quick, careful = both_ways(masker, logging.makeLogRecord({**NAMED, "msg": "m", "job": 1}))

    assert quick == careful


@settings(max_examples=600)
@given(st.sampled_from(MASKERS), DIRTY)
@example(Masker(), "to\u212aen=x")
@example(Masker(), "s\u0131gnature=x")
@example(Masker(), "s\u0130gnature=x")
@example(Masker(), "\u017fecret=x")
@example(Masker(frozenset({'"quoted"'})), '\\"quoted\\"')
@example(Masker(phones=True), "1381234\u0665678")
def test_a_text_that_is_masked_is_never_called_clean(masker: Masker, text: str) -> None:
    if masker.text(text) != text:
        assert not masker.is_clean(json.dumps(text))


def test_a_plain_line_takes_the_shorter_way() -> None:
    class Quick(JsonFormatter):
        def _careful_line(self, *args: object, **kwargs: object) -> str:
            raise AssertionError("not this way")

    with bind(job_key="a1.vod.media_audit.43a1", tries=2):
        record = logging.makeLogRecord({**NAMED, "msg": "任务 %s settled", "args": ("43a1",), "took": 1.5})

        assert Quick(Masker(frozenset({"hR9xQ2vLm4Tz"}))).format(record)


def test_no_other_letter_counts_as_an_ascii_one_when_case_is_ignored() -> None:
    others = "".join(chr(i) for i in range(128, sys.maxunicode) if not 0xD800 <= i < 0xE000)

    assert set(re.findall("(?i)[a-z]", others)) == set("\u0130\u0131\u017f\u212a")


@pytest.mark.parametrize("word", ["secretkey", "secret", "token", "password", "passwd", "pwd", "passphrase"])
def test_every_name_of_a_secret_has_its_trigger(word: str) -> None:
    assert re.fullmatch(_NAME, word)
    assert not Masker().is_clean(json.dumps(f"{word}=x"))
