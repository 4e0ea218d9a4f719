"""Tokens that an HTTP trigger lets in: read from the request, checked against its public keys, passed on.

https://www.alibabacloud.com/help/en/functioncompute/fc/configure-jwt-authentication-for-an-http-trigger.
Imitated are RSA keys with PKCS #1 v1.5 (RS256, RS384, RS512) and what a request carries in header, query or
cookie.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from localcloud.loopback import HttpRequest
from localcloud.media.wire import RefusedError

_HASHES = {"RS256": "sha256", "RS384": "sha384", "RS512": "sha512"}
# How an RSA signature names its hash (RFC 8017, 9.2, note 1).
DIGEST_INFO = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}


def check_token(request: HttpRequest, config: Mapping[str, Any], *, now: int) -> dict[str, Any]:
    """Give the claims of the request's token; raise `RefusedError` for none, or one that is not valid.

    `config` is the trigger's `authConfig`: `jwks` and `tokenLookup`. Time in epoch milliseconds.
    """
    token = next(_tokens(request, str(config.get("tokenLookup", ""))), None)
    if token is None:
        raise _denied("there is no token where the trigger looks for one")
    signed, _, signature = token.rpartition(".")
    try:
        header, claims = (json.loads(_decode(part)) for part in signed.split("."))
        given, name = _decode(signature), _HASHES[header["alg"]]
        keys = [key for key in config["jwks"]["keys"] if header.get("kid") in (None, key.get("kid"))]
        is_valid = any(_is_signed(signed.encode(), given, key, name) for key in keys)
        is_now = float(claims.get("nbf", 0)) <= now / 1_000 < float(claims.get("exp", "inf"))
    except (ValueError, KeyError, TypeError, AttributeError):  # whatever a stranger may send
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


def _is_signed(text: bytes, signature: bytes, key: Mapping[str, str], name: str) -> bool:
    modulus, exponent = (int.from_bytes(_decode(key[one]), "big") for one in ("n", "e"))
    length = (modulus.bit_length() + 7) // 8
    if len(signature) != length:
        return False
    opened = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(length, "big")
    digest = DIGEST_INFO[name] + hashlib.new(name, text).digest()
    padding = b"\xff" * (length - len(digest) - 3)
    return hmac.compare_digest(opened, b"\x00\x01" + padding + b"\x00" + digest)


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _denied(message: str) -> RefusedError:
    return RefusedError(403, "AccessDenied", message)
