"""Tokens that another library makes are let in, exactly when that library lets them in, too."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ParseError, RefusedRequestError
from shared.inbound.json_web_keys import ALGORITHMS, KeySet
from shared.inbound.json_web_tokens import LEEWAY, LONGEST, TokenRules
from tests.tokens import AUDIENCE, claims, elliptic_jwk, jwk, jwks, private_key, token
from tests.world import START

KEYS = KeySet.parse(jwks(jwk("one"), jwk("two", alg="RS512", use="sig")))
RULES = TokenRules(KEYS, AUDIENCE)
GOOD = token(claims(START))
HOUR = 3_600


def refusal(text: str, rules: TokenRules = RULES) -> str | None:
    """Tell why a token is refused; None for one that is let in."""
    try:
        rules.check(text, now=START)
    except RefusedRequestError as refused:
        return refused.why
    return None


def part(tree: object) -> str:
    """Write a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(tree).encode()).rstrip(b"=").decode()


def as_they_are(tree: dict[str, Any]) -> str:
    """Sign claims as they are: the other library would not write some of them."""
    signer = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
    signed = f"{part({'alg': 'RS256', 'kid': 'one'})}.{part(tree)}"
    signature = base64.urlsafe_b64encode(signer.sign(signed.encode(), private_key())).rstrip(b"=").decode()
    return f"{signed}.{signature}"


def theirs(text: str) -> bool:
    """Tell whether the other library lets a token in."""
    public = private_key().public_key()
    options: Any = {"require": ["exp"], "verify_iat": False}
    try:
        now = jwt.decode(text, public, list(ALGORITHMS), audience=AUDIENCE, options=options, leeway=2**40)
    except jwt.InvalidTokenError:
        return False
    return bool(now)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_of_another_library_is_let_in(alg: str) -> None:
    assert refusal(token(claims(START), alg=alg)) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"exp": None}, "no_end"),
        ({"exp": START // 1_000 - LEEWAY // 1_000}, "expired"),
        ({"exp": START // 1_000 - LEEWAY // 1_000 + 1}, None),
        ({"exp": START / 1_000 + 0.5}, None),
        ({"exp": str(START // 1_000 + HOUR)}, "form"),
        ({"exp": True}, "form"),
        ({"exp": -1}, "form"),
        ({"exp": 10**400}, "form"),
        ({"nbf": START // 1_000 + LEEWAY // 1_000}, None),
        ({"nbf": START // 1_000 + LEEWAY // 1_000 + 1}, "early"),
        ({"nbf": "now"}, "form"),
        ({"nbf": [1]}, "form"),
        ({"aud": None}, "audience"),
        ({"aud": "another"}, "audience"),
        ({"aud": ["another", AUDIENCE]}, None),
        ({"aud": [["media-ledger"]]}, "audience"),
        ({"aud": {AUDIENCE: 1}}, "audience"),
        ({"aud": [None, True, 7]}, "audience"),
        ({"iss": "anybody"}, None),
    ],
)
def test_a_token_is_let_in_for_its_time_and_audience(changes: dict[str, Any], why: str | None) -> None:
    assert refusal(as_they_are(claims(START, **changes))) == why


@pytest.mark.parametrize(("given", "why"), [("ours", None), ("theirs", "issuer"), (None, "issuer")])
def test_the_issuer_is_looked_at_where_one_is_named(given: str | None, why: str | None) -> None:
    assert refusal(token(claims(START, iss=given)), TokenRules(KEYS, AUDIENCE, "ours")) == why


def test_a_number_is_not_the_text_that_looks_like_it() -> None:
    assert refusal(as_they_are(claims(START, aud=7)), TokenRules(KEYS, "7")) == "audience"
    assert refusal(as_they_are(claims(START, iss=7)), TokenRules(KEYS, AUDIENCE, "7")) == "issuer"


def test_an_unsigned_token_and_one_signed_with_a_secret_are_refused() -> None:
    public = private_key().public_key()
    pem = jwt.algorithms.RSAAlgorithm.to_jwk(public).encode()
    body = part(claims(START))
    by_secret = f"{part({'alg': 'HS256', 'kid': 'one'})}.{body}"
    signature = base64.urlsafe_b64encode(hmac.digest(pem, by_secret.encode(), hashlib.sha256)).rstrip(b"=")

    forged = [
        f"{part({'alg': alg, 'kid': 'one'})}.{body}.{GOOD.rpartition('.')[2]}"
        for alg in ("none", "None", "NONE", "HS256", "PS256", "ES256", "EdDSA", "RS1", "")
    ]
    forged += [f"{by_secret}.{signature.decode()}", f"{part({'kid': 'one'})}.{body}.AA"]
    assert {refusal(one) for one in forged} == {"algorithm"}
    assert refusal(f"{part({'alg': 'none'})}.{body}.") == "form"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (token(claims(START), key="three", kid="one"), "forged"),
        (token(claims(START), key="two", kid="two"), "forged"),  # that key is for RS512
        (token(claims(START), key="two", kid="two", alg="RS512"), None),
        (token(claims(START), key="two", kid="one"), "forged"),
        (token(claims(START), kid="unknown"), "forged"),
        (token(claims(START), kid=None), "forged"),  # every key of the set has an id
    ],
    ids=["another key", "another algorithm", "right", "another id", "unknown id", "no id"],
)
def test_the_key_that_a_token_names_is_the_one_that_must_have_signed_it(text: str, why: str | None) -> None:
    assert refusal(text) == why


def test_a_token_without_a_key_id_is_for_the_key_without_one() -> None:
    rules = TokenRules(KeySet.parse(jwks(jwk("one", kid=None), jwk("two"))), AUDIENCE)

    assert refusal(token(claims(START), kid=None), rules) is None
    assert refusal(token(claims(START), key="two", kid=None), rules) == "forged"


@pytest.mark.parametrize(
    "header",
    [{"crit": ["exp"]}, {"crit": []}, {"kid": 7}, {"kid": None}, {"kid": ["one"]}],
    ids=json.dumps,
)
def test_a_header_that_is_not_understood_is_refused(header: dict[str, Any]) -> None:
    changed = part({"alg": "RS256", "kid": "one", **header})

    assert refusal(f"{changed}.{GOOD.partition('.')[2]}") == "form"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b",
        f"{GOOD}.x",
        f"{GOOD}=",
        f" {GOOD}",
        GOOD.replace(".", "..", 1),
        f"{part([])}.{part({})}.AA",
        f"{part('x')}.e30.AA",
        "x" * (LONGEST + 1),
        f"{GOOD.partition('.')[0]}.\ud800.{GOOD.rpartition('.')[2]}",
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    assert refusal(text) == "form"


def test_claims_that_are_no_object_are_refused_though_signed() -> None:
    assert refusal(as_they_are([1])) == "form"  # type: ignore[arg-type]  # no object, on purpose


@given(at=st.integers(0, len(GOOD) - 1), letter=st.sampled_from("AQgw_-09zZ.="))
def test_a_token_with_any_letter_changed_is_refused(at: int, letter: str) -> None:
    changed = GOOD[:at] + letter + GOOD[at + 1 :]

    assert (refusal(changed) is None) == (changed == GOOD)


@given(text=st.text(max_size=200) | st.text("abcAB01-_.", max_size=300))
def test_any_text_is_refused_and_nothing_else_is_raised(text: str) -> None:
    assert refusal(text) is not None


@given(
    tree=st.dictionaries(
        st.sampled_from(["exp", "aud", "sub", "name"]),
        st.none()
        | st.booleans()
        | st.integers(0, 2**40)
        | st.sampled_from([AUDIENCE, "x"])
        | st.just([AUDIENCE]),
    )
)
def test_nothing_is_let_in_that_another_library_would_refuse(tree: dict[str, Any]) -> None:
    text = as_they_are(tree)

    assert refusal(text) is not None or theirs(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "list of `keys`"),
        ('{"keys": {}}', "list of `keys`"),
        ('{"keys": [7]}', r"keys\[0\]"),
        ('{"keys": [{}]}', r"keys\[0\]"),
        (jwks(jwk(), {"kty": "oct", "k": "c2VjcmV0"}), r"public half alone.*keys\[1\]"),
        *[
            (jwks({**jwk(), name: "AQAB"}), r"public half alone.*keys\[0\]")
            for name in ("d", "p", "qi", "oth")
        ],
        (jwks(jwk("small", bits=1024)), r"2048 bits or more.*keys\[0\]"),
        (jwks({**jwk(), "e": "AQ"}), "2048 bits"),
        (jwks({**jwk(), "n": "not+base64url"}), r"base64url.*keys\[0\].n"),
        (jwks({**jwk(), "n": 7}), r"keys\[0\].n"),
        (jwks(elliptic_jwk()), "no RSA key"),
        (jwks(jwk(use="enc")), "no RSA key"),
        (jwks(jwk(alg="PS256")), "no RSA key"),
        (jwks(jwk(key_ops=["encrypt", "wrapKey"])), "no RSA key"),
        (jwks(jwk(key_ops="verify")), "no RSA key"),
        (jwks(jwk(alg=["RS256"])), r"text.*keys\[0\].alg"),
        (jwks(jwk(kid=7)), r"text.*keys\[0\].kid"),
        (jwks(jwk(), jwk()), "two keys"),
        (jwks(jwk("one", kid=None), jwk("two", kid="")), "two keys"),
        (jwks(*[jwk(kid=str(n)) for n in range(17)]), "16 at most"),
    ],
)
def test_a_key_set_that_is_wrong_says_what_and_where(text: str, says: str) -> None:
    with pytest.raises(ParseError, match=says) as caught:
        KeySet.parse(text)

    assert "c2VjcmV0" not in str(caught.value)


def test_keys_of_other_types_and_uses_are_left_out() -> None:
    listed = [jwk("one", use="sig"), jwk("two", use="enc"), jwk("three", key_ops=["sign", "verify"])]
    keys = KeySet.parse(jwks(elliptic_jwk(), *listed))

    assert [one.kid for one in keys.keys] == ["one", "three"]
