"""A token is looked for where a program and a browser can bring one."""

from __future__ import annotations

from typing import Any

import pytest

from shared.console.access import COOKIE, TokenAccess, cookie
from shared.console_settings import ConsoleSettings
from shared.errors import RefusedRequestError, SettingError
from shared.inbound.json_web_keys import KeySet
from shared.inbound.json_web_tokens import TokenRules
from shared.toolkit.http_events import HttpRequest
from tests.tokens import AUDIENCE, claims, jwk, jwks, token
from tests.world import START

ACCESS = TokenAccess(TokenRules(KeySet.parse(jwks()), AUDIENCE))
GOOD = token(claims(START))
OLD = token(claims(START - 10**9))


def refusal(headers: dict[str, str], access: Any = ACCESS) -> str | None:
    """Tell why a request is refused; None for one that is let in."""
    request = HttpRequest("GET", "/", "/", headers, {"token": GOOD}, b"", "192.0.2.1", "r")
    try:
        access.check(request, now=START)
    except RefusedRequestError as refused:
        return refused.why
    return None


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "no_token"),
        ({"authorization": f"Bearer {GOOD}"}, None),
        ({"authorization": f"bearer  {GOOD} "}, None),
        ({"authorization": GOOD}, "no_token"),
        ({"authorization": f"Basic {GOOD}"}, "no_token"),
        ({"authorization": "Bearer "}, "no_token"),
        ({"cookie": f"{COOKIE}={GOOD}"}, None),
        ({"cookie": f"a=b; {COOKIE}={GOOD}; c=d"}, None),
        ({"cookie": f"x{COOKIE}={GOOD}"}, "no_token"),
        ({"cookie": COOKIE}, "no_token"),
        ({"cookie": f"{COOKIE}={OLD}"}, "expired"),
        # What a program says itself goes before what a browser brings along.
        ({"authorization": f"Bearer {OLD}", "cookie": f"{COOKIE}={GOOD}"}, "expired"),
        ({"authorization": "Basic x", "cookie": f"{COOKIE}={GOOD}"}, None),
    ],
)
def test_a_token_is_taken_from_the_header_or_the_cookie(headers: dict[str, str], why: str | None) -> None:
    assert refusal(headers) == why


def test_a_token_in_an_address_is_none() -> None:
    assert refusal({}) == "no_token"


def test_a_cookie_keeps_what_follows_its_first_sign() -> None:
    assert cookie({"cookie": "a=b=c; d"}, "a") == "b=c"


@pytest.mark.parametrize("text", [None, '{"keys": []}', '{ "keys" : [ ] }'])
def test_without_keys_nobody_is_let_in(text: str | None) -> None:
    settings = ConsoleSettings.read({} if text is None else {"LEDGER_CONSOLE_JWKS": text})

    assert refusal({"authorization": f"Bearer {GOOD}"}, settings.access()) == "closed"


@pytest.mark.parametrize("text", ["x", "{}", jwks(jwk("small", bits=1024)), jwks({**jwk(), "d": "c2VjcmV0"})])
def test_keys_that_are_wrong_name_the_setting_and_show_nothing(text: str) -> None:
    with pytest.raises(SettingError, match="LEDGER_CONSOLE_JWKS") as caught:
        ConsoleSettings.read({"LEDGER_CONSOLE_JWKS": text})

    assert "c2VjcmV0" not in str(caught.value)


def test_audience_and_issuer_are_those_of_the_settings() -> None:
    given = {
        "LEDGER_CONSOLE_JWKS": jwks(),
        "LEDGER_CONSOLE_AUDIENCE": "desk",
        "LEDGER_CONSOLE_ISSUER": "ours",
    }
    access = ConsoleSettings.read(given).access()
    wrong, right = (token(claims(START, aud=audience, iss="ours")) for audience in (AUDIENCE, "desk"))

    assert refusal({"authorization": f"Bearer {wrong}"}, access) == "audience"
    assert refusal({"authorization": f"Bearer {right}"}, access) is None
