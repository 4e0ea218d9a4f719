"""Tokens that let people into the console: signed JSON Web Tokens (RFC 7519, and 8725 on what goes wrong).

A token is refused unless all of it holds. What it says of a person stays unread: it says who may look, and
looking is all there is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.errors import ParseError, RefusedRequestError
from shared.inbound.json_web_keys import ALGORITHMS, KeySet, decoded
from shared.policy import SECOND
from shared.toolkit import strict_json
from shared.toolkit.strict_json import NumberText, Tree, any_text, is_text

LONGEST = 8 * 1024
"""The limit of all headers of a request (function-compute.md 1.6)."""
LEEWAY = 60 * SECOND
"""How far the clocks of issuer and console may be apart."""

_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)


@dataclass(frozen=True)
class TokenRules:
    """Which tokens are let in: signed with one of `keys`, for `audience`, from `issuer` if one is named."""

    keys: KeySet
    audience: str
    issuer: str | None = None

    def check(self, token: str, *, now: int) -> None:
        """Raise `RefusedRequestError` unless the token holds: 401 for none that holds, 403 for another's."""
        claims = self._signed_claims(token)
        _check_times(claims, now)
        if self.issuer is not None and any_text(claims, "iss") != self.issuer:
            raise RefusedRequestError("the token is from another issuer", why="issuer", status=403)
        named = claims.get("aud")
        if self.audience not in filter(is_text, named if isinstance(named, list) else [named]):
            raise RefusedRequestError("the token is for another audience", why="audience", status=403)

    def _signed_claims(self, token: str) -> dict[str, Tree]:
        if len(token) > LONGEST:
            raise _refused("the token is too long", "form")
        if not token.isascii():
            raise _refused("the token cannot be read", "form")
        try:
            first, second, third = token.split(".")
            header, signature = _object(first), decoded(third)
            algorithm = any_text(header, "alg") or ""
            # What must be understood is not; a key id that is no text would be taken for none.
            if "crit" in header or header.get("kid", "") != (any_text(header, "kid") or ""):
                raise ValueError("a header that is not understood")
        except (ValueError, ParseError):
            raise _refused("the token cannot be read", "form") from None
        if algorithm not in ALGORITHMS:
            raise _refused(f"the token is not signed with {', '.join(ALGORITHMS)}", "algorithm")
        key = self.keys.find(any_text(header, "kid") or None, algorithm)
        signed = f"{first}.{second}".encode()
        if key is None or not key.signed(signed, signature, hash_name=ALGORITHMS[algorithm]):
            raise _refused("none of the keys has signed the token", "forged")
        try:
            return _object(second)
        except (ValueError, ParseError):
            raise _refused("the token cannot be read", "form") from None


def _check_times(claims: dict[str, Tree], now: int) -> None:
    ends, begins = (_moment(claims, name) for name in ("exp", "nbf"))
    if ends is None:
        raise _refused("the token has no end", "no_end")
    if now >= ends + LEEWAY:
        raise _refused("the token has expired", "expired")
    if begins is not None and now < begins - LEEWAY:
        raise _refused("the token is not valid yet", "early")


def _moment(claims: dict[str, Tree], name: str) -> int | None:
    """Read a time in epoch milliseconds; refuse what is there and is none."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if not isinstance(value, NumberText) or not _SECONDS.fullmatch(value):
        raise _refused("the token has a time that is none", "form")
    return int(float(value) * SECOND)


def _object(part: str) -> dict[str, Tree]:
    tree = strict_json.parse(decoded(part))
    if not isinstance(tree, dict):
        raise ParseError("no object", layer="token")
    return tree


def _refused(message: str, why: str) -> RefusedRequestError:
    return RefusedRequestError(message, why=why, status=401)
