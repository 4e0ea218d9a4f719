"""The values that travel between socket, gateway and services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from shared.adapters.signing import ACS3_ALGORITHM

Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str | int | None"
Answer: TypeAlias = "dict[str, Tree] | bytes"
Format = Literal["json", "xml"]
Pairs: TypeAlias = "tuple[tuple[str, str], ...]"

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class WireRequest:
    """A request as it arrived. `target` is the path with its query; header names are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """Give the path without the query."""
        return urlsplit(self.target).path

    @cached_property
    def query(self) -> Pairs:
        """Give the decoded query: on the wire a space is `+` or `%20` (query-apis.md 8, detail 2)."""
        return _decode(urlsplit(self.target).query)

    @cached_property
    def form(self) -> Pairs:
        """Give the decoded body where it is a form."""
        is_form = self.headers.get("content-type", "").startswith(_FORM)
        return _decode(self.body.decode(errors="replace")) if is_form else ()

    @cached_property
    def params(self) -> Mapping[str, str]:
        """Give query and form together: clients use either (query-apis.md 8, detail 5)."""
        return dict((*self.query, *self.form))

    @property
    def is_acs3(self) -> bool:
        """Tell whether the signature is in the Authorization header."""
        return self.headers.get("authorization", "").startswith(ACS3_ALGORITHM)

    @property
    def action(self) -> str:
        """Name the operation: a header in ACS3, a parameter in RPC 1.0."""
        return self._system("Action", "x-acs-action")

    @property
    def version(self) -> str:
        """Name the version of the API."""
        return self._system("Version", "x-acs-version")

    @property
    def answer_format(self) -> Format:
        """Tell the wanted format: XML unless JSON is asked for (media-jobs.md 3, errors)."""
        wanted = self.params.get("Format") or self.headers.get("accept", "")
        return "json" if "json" in wanted.lower() else "xml"

    def _system(self, param: str, header: str) -> str:
        return self.headers.get(header, "") if self.is_acs3 else self.params.get(param, "")


@dataclass(frozen=True)
class WireReply:
    """What goes back over the wire."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """The call ends with an error body: HTTP status, the vendor's code and its message."""

    def __init__(self, status: int, code: str, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after


@dataclass(frozen=True)
class Action:
    """One operation of one product. `handle` gives a tree, or bytes that are sent as they are."""

    product: str
    version: str
    name: str
    handle: Callable[[Mapping[str, str]], Answer]


def required(params: Mapping[str, str], name: str) -> str:
    """Read a business parameter, or refuse the call in the gateway's words."""
    value = params.get(name, "")
    if not value:
        raise RefusedError(400, f"Missing{name}", f"{name} is mandatory for this action.")
    return value


def given(params: Mapping[str, str], *names: str) -> dict[str, Tree]:
    """Repeat what was submitted under these names; what was not is left out."""
    return {name: params[name] for name in names if name in params}


def _decode(text: str) -> Pairs:
    return tuple(parse_qsl(text, keep_blank_values=True))
