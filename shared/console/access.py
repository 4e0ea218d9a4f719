"""Who is let into the console. What was not set up lets nobody in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.errors import RefusedRequestError
from shared.inbound.json_web_tokens import TokenRules
from shared.toolkit.http_events import HttpRequest

COOKIE = "media_ledger_token"
"""Where a browser brings its token: it can set no header. The trigger in `template.yml` looks there too."""

_BEARER = "bearer "


class Access(Protocol):
    """Decides whether a request is answered."""

    def check(self, request: HttpRequest, *, now: int) -> None:
        """Raise `RefusedRequestError` unless whoever sent it may look."""
        ...


class ClosedAccess:
    """Lets nobody in: there is no key set to check a token with."""

    def check(self, request: HttpRequest, *, now: int) -> None:
        """See `Access.check`."""
        raise RefusedRequestError(
            "nobody is let in: LEDGER_CONSOLE_JWKS has no keys", why="closed", status=403
        )


@dataclass(frozen=True)
class TokenAccess:
    """Lets in whoever has a token, in `Authorization: Bearer` or in the cookie; the header goes first."""

    rules: TokenRules

    def check(self, request: HttpRequest, *, now: int) -> None:
        """See `Access.check`."""
        given = request.headers.get("authorization", "")
        is_bearer = given[: len(_BEARER)].lower() == _BEARER
        token = given[len(_BEARER) :].strip() if is_bearer else cookie(request.headers, COOKIE)
        if not token:
            raise RefusedRequestError("a token is needed", why="no_token", status=401)
        self.rules.check(token, now=now)


def cookie(headers: Mapping[str, str], name: str) -> str | None:
    """Find a cookie; names of headers are in lower case."""
    for pair in headers.get("cookie", "").split(";"):
        known, _, value = pair.strip().partition("=")
        if known == name:
            return value
    return None
