from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery import signature
from shared.delivery.signature import SIGNATURE, TIMESTAMP, WINDOW, sign, verify
from shared.errors import SignatureError

NOON = 1_763_640_000_000
NEW, OLD, FOREIGN = "canary-new-key-0001", "canary-old-key-0001", "canary-foreign-0001"

keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=16, max_size=32)


def test_the_signature_is_an_hmac_over_time_dot_body() -> None:
    headers = sign(b'{"a": 1}', keys=[NEW], now=NOON + 999)

    by_hand = hmac.new(NEW.encode(), b'1763640000.{"a": 1}', hashlib.sha256).hexdigest()
    assert headers == {TIMESTAMP: "1763640000", SIGNATURE: f"v1={by_hand}"}


@given(body=st.binary(), key=keys, late=st.integers(-WINDOW + 1000, WINDOW))
def test_what_was_signed_is_verified_within_the_window(body: bytes, key: str, late: int) -> None:
    verify(body, sign(body, keys=[key], now=NOON), keys=[key], now=NOON + late)


@given(body=st.binary(min_size=1), place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_body_that_was_changed_in_any_bit_is_refused(body: bytes, place: int, bit: int) -> None:
    changed = bytearray(body)
    changed[place % len(body)] ^= 1 << bit

    with pytest.raises(SignatureError):
        verify(bytes(changed), sign(body, keys=[NEW], now=NOON), keys=[NEW], now=NOON)


@pytest.mark.parametrize("known", [[NEW], [OLD], [NEW, OLD], [OLD, FOREIGN]])
def test_while_keys_change_either_side_may_be_first(known: list[str]) -> None:
    verify(b"body", sign(b"body", keys=[NEW, OLD], now=NOON), keys=known, now=NOON)


def test_a_signature_of_another_scheme_may_stand_beside_it() -> None:
    headers = sign(b"body", keys=[NEW], now=NOON)
    headers[SIGNATURE] = f"v2=abc, {headers[SIGNATURE]}"

    verify(b"body", headers, keys=[NEW], now=NOON)


def test_header_names_may_come_in_any_casing() -> None:
    headers = {name.lower(): value for name, value in sign(b"body", keys=[NEW], now=NOON).items()}

    verify(b"body", headers, keys=[NEW], now=NOON)


@pytest.mark.parametrize(
    ("change", "keys", "told"),
    [
        ({}, [FOREIGN], "signed by no known key"),
        ({}, [], "signed by no known key"),
        ({TIMESTAMP: "1763640001"}, [NEW], "signed by no known key"),
        ({SIGNATURE: ""}, [NEW], "signed by no known key"),
        ({SIGNATURE: "v1=é"}, [NEW], "signed by no known key"),
        ({TIMESTAMP: None}, [NEW], "not signed"),
        ({SIGNATURE: None}, [NEW], "not signed"),
        ({TIMESTAMP: "noon"}, [NEW], "not a time in epoch seconds"),
        ({TIMESTAMP: "-1"}, [NEW], "not a time in epoch seconds"),
        ({TIMESTAMP: "1" * 5000}, [NEW], "not a time in epoch seconds"),
        ({TIMESTAMP: "1763639699"}, [NEW], "too long ago"),
        ({TIMESTAMP: "1763640301"}, [NEW], "in the future"),
    ],
)
def test_what_is_not_signed_as_it_should_be_is_refused_without_telling_keys(
    change: dict[str, str | None], keys: list[str], told: str
) -> None:
    given = {**sign(b"body", keys=[NEW], now=NOON), **change}
    headers = {name: value for name, value in given.items() if value is not None}

    with pytest.raises(SignatureError) as refused:
        verify(b"body", headers, keys=keys, now=NOON)

    assert told in str(refused.value)
    assert "canary" not in str(refused.value)


def test_an_empty_key_is_none() -> None:
    """A variable that nobody set must not let everybody in."""
    with pytest.raises(SignatureError):
        verify(b"body", sign(b"body", keys=[""], now=NOON), keys=[""], now=NOON)


@pytest.mark.parametrize("key", ["", "short", "x" * 15, "x" * 129, "with a blank in it", "媒" * 16])
def test_a_weak_or_odd_key_is_no_key(key: str) -> None:
    assert not signature.is_strong(key)
    assert signature.is_strong("x" * 16)
