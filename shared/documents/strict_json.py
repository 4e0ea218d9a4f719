"""JSON without the standard decoder's leniency.

Refused: duplicate keys (the standard decoder silently takes the last), NaN and Infinity, text that
UTF-8 cannot hold, nesting and size beyond a limit. The nesting is measured before anything is
decoded.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import NoReturn, TypeAlias

from shared.errors import UnreadableError

Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str | bool | None"

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 64

_LAYER = "json"
_NOT_A_BRACKET = re.compile(r'"[^"]*"?|[^"\[\]{}]+')
_BLANK = re.compile(r"[ \t\r\n]*")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class NumberText(str):
    """A JSON number as the text it was written in."""

    __slots__ = ()


def parse(data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Tree:
    """Decode one JSON value; raise `UnreadableError` for anything that is not exactly one."""
    text = _text(data, max_bytes)
    _check_depth(text, max_depth)
    try:
        tree: Tree = _decoder().decode(text)
    except json.JSONDecodeError as error:
        raise UnreadableError(f"not JSON: {error.msg}", layer=_LAYER, at=error.pos) from None
    if _SURROGATE_ESCAPE.search(text):
        _check_unicode(tree)
    return tree


def parse_stream(
    data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH
) -> Iterator[Tree]:
    """Decode JSON values that stand one after the other, with white space or nothing in between.

    Raise `UnreadableError` at the first that is none; those before it have been given by then.
    """
    text = _text(data, max_bytes)
    _check_depth(text, max_depth)
    decode, escaped = _decoder().raw_decode, _SURROGATE_ESCAPE.search(text)
    at = _end_of_blank(text, 0)
    while at < len(text):
        try:
            tree, at = decode(text, at)
        except json.JSONDecodeError as error:
            raise UnreadableError(f"not JSON: {error.msg}", layer=_LAYER, at=error.pos) from None
        if escaped:
            _check_unicode(tree)
        yield tree
        at = _end_of_blank(text, at)


def _decoder() -> json.JSONDecoder:
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
        raise UnreadableError("too large", layer=_LAYER, size=len(data), limit=max_bytes)
    try:
        if isinstance(data, str):
            data.encode()
            return data
        return data.decode("utf-8-sig")
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise UnreadableError(f"not UTF-8 text: {error.reason}", layer=_LAYER) from None


def _check_depth(text: str, max_depth: int) -> None:
    """Refuse deep nesting. Few brackets cannot nest deep, which spares most documents the scan."""
    if text.count("[") + text.count("{") <= max_depth:
        return
    # Without escapes a string ends at the next quote. Pairs of backslashes go first: one may stand
    # before the quote that ends a string. Never a backtracking pattern here: the text is a stranger's.
    bare = text.replace("\\\\", "").replace('\\"', "")
    depth = 0
    for bracket in _NOT_A_BRACKET.sub("", bare):
        depth += 1 if bracket in "[{" else -1
        if depth > max_depth:
            raise UnreadableError("nested too deep", layer=_LAYER, limit=max_depth)


def _refuse_constant(name: str) -> NoReturn:
    raise UnreadableError(f"{name} is not JSON", layer=_LAYER)


def _unique(pairs: list[tuple[str, Tree]]) -> dict[str, Tree]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        # Nobody has looked for lone surrogates yet, and the error will be printed.
        shown = twice[:100].encode(errors="replace").decode()
        raise UnreadableError("a key stands twice in one object", layer=_LAYER, key=shown)
    return members


def _check_unicode(tree: Tree) -> None:
    """Refuse lone surrogates, which an escape can smuggle into a decoded string."""
    pending: list[Tree] = [tree]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise UnreadableError("a string holds a lone surrogate", layer=_LAYER) from None
        elif isinstance(value, dict):
            pending.extend(value)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
