"""JSON without the standard decoder's leniency.

Refused: duplicate keys (the standard decoder silently takes the last), NaN and Infinity, text that
UTF-8 cannot hold, nesting, structure and size beyond a limit. Nesting and structure are measured
before anything is decoded: what a document costs in memory is what it holds, not how long it is.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import NoReturn, TypeAlias, TypeGuard

from shared.toolkit.parser import Layer, ParseError, field_name

Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str | bool | None"

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 64
# A quality report of 20 MB holds about two million values in half a million objects and lists. Decoded,
# a document at both limits takes about 300 MB.
MAX_VALUES = 2_500_000
MAX_CONTAINERS = 500_000

_LAYER = "json"
_STRING = re.compile(r'"[^"]*"?')
_NOT_A_BRACKET = re.compile(r"[^\[\]{}]+")
_BLANK = re.compile(r"[ \t\r\n]*")
SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE_ESCAPE_IN_BYTES = re.compile(rb"\\u[dD][89a-fA-F]")


class NumberText(str):
    """A JSON number as the text it was written in."""

    __slots__ = ()


def is_text(value: Tree) -> TypeGuard[str]:
    """Tell text from all else; a number, although kept as its source text, is none."""
    return isinstance(value, str) and not isinstance(value, NumberText)


def any_text(tree: Tree, name: str) -> str | None:
    """Give a member that is text, of any length; None for anything else."""
    value = tree.get(name) if isinstance(tree, dict) else None
    # Only `NumberText` is a text that is none, so this is `is_text`, for the several calls of every message.
    return value if type(value) is str else None


def parse(data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Tree:
    """Decode one JSON value; raise `ParseError` for anything that is not exactly one."""
    text = _text(data, max_bytes)
    check_structure(text, max_depth)
    try:
        tree: Tree = decoder().decode(text)
    except json.JSONDecodeError as error:
        raise ParseError(f"not JSON: {error.msg}", layer=_LAYER, at=error.pos) from None
    if SURROGATE_ESCAPE.search(text):
        check_unicode(tree)
    return tree


document: Layer[bytes | str, Tree] = Layer(_LAYER, parse)
"""`parse` as a layer."""


def parse_stream(
    data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH
) -> Iterator[Tree]:
    """Decode JSON values that stand one after the other, with white space or nothing in between.

    Raise `ParseError` at the first that is none; those before it have been given by then.
    """
    text = _text(data, max_bytes)
    check_structure(text, max_depth)
    decode, escaped = decoder().raw_decode, SURROGATE_ESCAPE.search(text)
    at = _end_of_blank(text, 0)
    while at < len(text):
        try:
            tree, at = decode(text, at)
        except json.JSONDecodeError as error:
            raise ParseError(f"not JSON: {error.msg}", layer=_LAYER, at=error.pos) from None
        if escaped:
            check_unicode(tree)
        yield tree
        at = _end_of_blank(text, at)


def decoder() -> json.JSONDecoder:
    """Make a decoder of the standard library strict; size, nesting and surrogates are for its caller."""
    return json.JSONDecoder(
        parse_int=NumberText,
        parse_float=NumberText,
        parse_constant=_refuse_constant,
        object_pairs_hook=_unique,
    )


def _end_of_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _text(data: bytes | str, max_bytes: int) -> str:
    if len(data) > max_bytes:
        raise ParseError("too large", layer=_LAYER, size=len(data), limit=max_bytes)
    try:
        if isinstance(data, str):
            data.encode()
            return data
        return data.decode("utf-8-sig")
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise ParseError(f"not UTF-8 text: {error.reason}", layer=_LAYER) from None


def check_structure(text: str, max_depth: int) -> None:
    """Raise `ParseError` for what nests deep or holds very much.

    Few marks cannot, which spares most texts the scan.
    """
    brackets = text.count("[") + text.count("{")
    values = brackets + text.count(",")
    if brackets <= max_depth and values <= MAX_VALUES:
        return
    # Without escapes a string ends at the next quote. Pairs of backslashes go first: one may stand
    # before the quote that ends a string. Never a backtracking pattern here: the text is a stranger's.
    bare = _STRING.sub("", text.replace("\\\\", "").replace('\\"', ""))
    brackets = bare.count("[") + bare.count("{")
    if brackets > MAX_CONTAINERS:
        raise ParseError("too many objects and lists", layer=_LAYER, count=brackets, limit=MAX_CONTAINERS)
    values = brackets + bare.count(",")
    if values > MAX_VALUES:
        raise ParseError("too many values", layer=_LAYER, count=values, limit=MAX_VALUES)
    depth = 0
    for bracket in _NOT_A_BRACKET.sub("", bare):
        depth += 1 if bracket in "[{" else -1
        if depth > max_depth:
            raise ParseError("nested too deep", layer=_LAYER, limit=max_depth)


def _refuse_constant(name: str) -> NoReturn:
    raise ParseError(f"{name} is not JSON", layer=_LAYER)


def _unique(pairs: list[tuple[str, Tree]]) -> dict[str, Tree]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ParseError("a key stands twice in one object", layer=_LAYER, field=field_name(twice))
    return members


def may_hold_surrogates(data: bytes) -> bool:
    """Tell whether `check_unicode` could find anything in what is decoded from it."""
    return b"\\u" in data and _SURROGATE_ESCAPE_IN_BYTES.search(data) is not None


def check_unicode(tree: Tree) -> None:
    """Raise `ParseError` for lone surrogates, which an escape can smuggle into a decoded string."""
    pending: list[Tree] = [tree]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ParseError("a string holds a lone surrogate", layer=_LAYER) from None
        elif isinstance(value, dict):
            pending.extend(value)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
