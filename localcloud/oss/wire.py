"""What the OSS protocol says on the wire: requests taken apart, refusals, XML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from time import gmtime, strftime
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from localcloud.loopback import HttpReply, HttpRequest
from localcloud.media.rendering import render
from localcloud.media.wire import Tree


class RefusedError(Exception):
    """The request ends with an error body: HTTP status, the vendor's code and its message."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, **told: str
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.told = told
        """Further elements of the body."""


@dataclass(frozen=True)
class OssRequest:
    """A request in path style, `/bucket/key?query`, decoded. Header names are lower-case."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, request: HttpRequest) -> OssRequest:
        """Take a request apart; raise `RefusedError` for a path that is not UTF-8."""
        parts = urlsplit(request.target)
        try:
            path = unquote(parts.path, errors="strict")
        except UnicodeDecodeError:
            raise RefusedError(400, "InvalidObjectName", "The specified object name is not valid.") from None
        bucket, _, key = path.removeprefix("/").partition("/")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return cls(request.method, bucket, key, query, request.headers, request.body)

    def number(self, name: str, default: int) -> int:
        """Read a whole number of the query."""
        text = self.query.get(name) or str(default)
        if not text.isascii() or not text.isdigit():
            raise RefusedError(
                400, "InvalidArgument", f"{name} is not a number.", ArgumentName=name, ArgumentValue=text
            )
        return int(text)


def xml_reply(root: str, tree: dict[str, Tree], *, headers: Mapping[str, str] | None = None) -> HttpReply:
    """Answer with a document, without a name space as the vendor's clients read it (local-servers.md 1)."""
    body = render(tree, root=root, answer_format="xml")
    return HttpReply(200, body, {"content-type": "application/xml", **(headers or {})})


def http_date(ms: int) -> str:
    """Write epoch milliseconds as headers have them: whole seconds."""
    return formatdate(ms // 1000, usegmt=True)


def xml_date(ms: int) -> str:
    """Write epoch milliseconds as lists have them: whole seconds, with three zeros that `oss2` insists on."""
    return strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime(ms // 1000))


def url_encoded(text: str) -> str:
    """Write a key as lists do on request: XML cannot hold every character."""
    return quote(text, safe="")
