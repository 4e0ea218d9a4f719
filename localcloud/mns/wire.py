"""What the MNS protocol says on the wire: requests taken apart, XML both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import unquote, urlsplit

from localcloud.loopback import HttpReply, HttpRequest
from localcloud.media.rendering import render
from localcloud.media.wire import RefusedError, Tree
from shared.toolkit import xml_tree
from shared.toolkit.parser import ParseError

NAMESPACE = "http://mns.aliyuncs.com/doc/v1/"
_CONTENT_TYPE = "text/xml;charset=utf-8"
_LISTS = frozenset({"ReceiptHandle", "PropertyValue", "SystemPropertyValue"})


@dataclass(frozen=True)
class MnsRequest:
    """A request, its path cut into segments. Names of headers and of the query are in lower case."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, http: HttpRequest) -> MnsRequest:
        """Take a request apart. A plus in the query is one: receipt handles may hold it."""
        parts = urlsplit(http.target)
        path = tuple(unquote(segment) for segment in parts.path.split("/") if segment)
        pairs = (pair.partition("=") for pair in parts.query.split("&") if pair)
        query = {name.lower(): unquote(value) for name, _, value in pairs}
        return cls(http.method, path, query, http.headers, http.body)

    def tree(self) -> dict[str, Tree]:
        """Read the body; raise `RefusedError` for what is no XML. An empty one has no members."""
        if not self.body:
            return {}
        try:
            # XML has no truth values, in which the two types differ.
            tree = cast("Tree", xml_tree.parse(self.body, lists=_LISTS))
        except ParseError:
            raise RefusedError(400, "MalformedXML", "The XML you provided was not well-formed.") from None
        return tree if isinstance(tree, dict) else {}

    def number(self, name: str, *, least: int, most: int, default: int | None = None) -> int:
        """Read a whole number of the query."""
        text = self.query.get(name.lower())
        if text is None and default is not None:
            return default
        return whole(text, name, least=least, most=most)


def whole(text: str | None, name: str, *, least: int, most: int) -> int:
    """Read a whole number within bounds, or refuse in the vendor's words."""
    if text and text.isascii() and text.isdigit() and least <= int(text) <= most:
        return int(text)
    raise RefusedError(
        400, "InvalidArgument", f"The value of {name} should between {least} and {most} seconds/bytes."
    )


def member(tree: Mapping[str, Tree], name: str) -> str | None:
    """Give the text of an element; None where there is none."""
    value = tree.get(name)
    return value if isinstance(value, str) else None


def each(tree: Mapping[str, Tree], name: str) -> list[dict[str, Tree]]:
    """Give the elements of a name, of which one alone looks like no list."""
    found = tree.get(name)
    listed = found if isinstance(found, list) else [found]
    return [one for one in listed if isinstance(one, dict)]


def flag(text: str | None, *, default: bool = False) -> bool:
    """Read True or False, in any casing."""
    return default if text is None else text.lower() == "true"


def to_xml(root: str, tree: dict[str, Tree]) -> bytes:
    """Write a document in the vendor's namespace."""
    written = render(tree, root=root, answer_format="xml")
    return written.replace(f"<{root}".encode(), f'<{root} xmlns="{NAMESPACE}"'.encode(), 1)


def xml_reply(status: int, root: str, tree: dict[str, Tree]) -> HttpReply:
    """Answer with a document."""
    return HttpReply(status, to_xml(root, tree), {"content-type": _CONTENT_TYPE})
