"""Tokens that an HTTP trigger lets in: read from the request, checked against its public keys, passed on.

https://www.alibabacloud.com/help/en/functioncompute/fc/configure-jwt-authentication-for-an-http-trigger.
Imitated are RSA keys with PKCS #1 v1.5 (RS256, RS384, RS512) and what a request carries in header, query or
cookie.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from localcloud.loopback import HttpRequest
from localcloud.media.wire import RefusedError
from shared.inbound.json_web_keys import ALGORITHMS
from shared.inbound.rsa import HashName, PublicKey


def check_token(request: HttpRequest, config: Mapping[str, Any], *, now: int) -> dict[str, Any]:
    """Give the claims of the request's token; raise `RefusedError` for none, or one that is not valid.

    `config` is the trigger's `authConfig`: `jwks` and `tokenLookup`. Time in epoch milliseconds.
    """
    try:
        token = next(_tokens(request, str(config.get("tokenLookup", ""))), None)
    except CookieError:
        raise _denied("the cookies cannot be read") from None
    if token is None:
        raise _denied("there is no token where the trigger looks for one")
    signed, _, signature = token.rpartition(".")
    try:
        header, claims = (json.loads(_decode(part)) for part in signed.split("."))
        given, name = _decode(signature), ALGORITHMS[header["alg"]]
        keys = [key for key in config["jwks"]["keys"] if header.get("kid") in (None, key.get("kid"))]
        is_valid = any(_is_signed(signed.encode(), given, key, name) for key in keys)
        is_now = float(claims.get("nbf", 0)) <= now / 1_000 < float(claims.get("exp", "inf"))
    # Whatever a stranger may send: also numbers that no float holds, and lists within lists.
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise _denied("the token cannot be read") from None
    if not is_valid:
        raise _denied("no key of the trigger fits the token")
    if not is_now:
        raise _denied("the token has expired, or is not valid yet")
    return dict(claims)


def pass_claims(event: dict[str, Any], claims: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Put claims into an event, as `claimPassBy` says: `query:uid:uid,header:name:name`."""
    for rule in filter(None, str(config.get("claimPassBy", "")).split(",")):
        place, claim, name = rule.split(":")
        target = event["queryParameters"] if place == "query" else event["headers"]
        if claim in claims:
            target[name] = str(claims[claim])


def _tokens(request: HttpRequest, lookup: str) -> Iterator[str]:
    """Give what stands where `header:Authorization:Bearer,cookie:x` looks."""
    places = {
        "header": request.headers,
        "query": dict(parse_qsl(urlsplit(request.target).query)),
        "cookie": {name: one.value for name, one in SimpleCookie(request.headers.get("cookie", "")).items()},
    }
    for rule in filter(None, lookup.split(",")):
        place, name, *prefix = rule.split(":")
        value = places.get(place, {}).get(name.lower() if place == "header" else name)
        if value is not None:
            yield value.removeprefix("".join(prefix)).strip()


def _is_signed(text: bytes, signature: bytes, key: Mapping[str, str], name: HashName) -> bool:
    modulus, exponent = (int.from_bytes(_decode(key[one]), "big") for one in ("n", "e"))
    return PublicKey(modulus, exponent).signed(text, signature, hash_name=name)


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _denied(message: str) -> RefusedError:
    return RefusedError(403, "AccessDenied", message)
