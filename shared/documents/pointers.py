"""Addresses of values: `<part>:<pointer>`, the `source` of everything in a record.

A pointer is RFC 6901. Where the value stands in a JSON document inside a string, the pointer of the
string and the pointer inside it are joined by `#`; so a `#` in a key is written `~2`, beside the
standard's `~0` and `~1`. Example: `answer:/Job/VideoQualityResults#/Freeze/0/Score`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from shared.documents import embedded
from shared.errors import ParseError
from shared.toolkit.strict_json import NumberText, Tree

_LAYER = "pointer"
_INDEX = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)  # RFC 6901, section 4: no leading zeros


def escape(token: str) -> str:
    """Write a key as a token of a pointer."""
    if "~" in token or "/" in token or "#" in token:
        return token.replace("~", "~0").replace("/", "~1").replace("#", "~2")
    return token


def unescape(token: str) -> str:
    """Read a token of a pointer back as a key."""
    return token.replace("~2", "#").replace("~1", "/").replace("~0", "~")


def resolve(trees: Mapping[str, Tree], source: str) -> Tree:
    """Give the value at `source`; raise `ParseError` naming the first step that leads nowhere."""
    part, _, chain = source.partition(":")
    if part not in trees:
        raise ParseError("no such part", layer=_LAYER, part=part, parts=",".join(sorted(trees)))
    value = trees[part]
    for position, pointer in enumerate(chain.split("#")):
        if position:
            if not isinstance(value, str):
                raise ParseError("only a text can hold another document", layer=_LAYER, at=source)
            value = embedded.read(value).tree
        value = _follow(value, pointer, source)
    return value


def _follow(value: Tree, pointer: str, source: str) -> Tree:
    head, *tokens = pointer.split("/")
    if head:
        raise ParseError("a pointer begins with a slash", layer=_LAYER, at=source)
    for token in tokens:
        value = _step(value, unescape(token), source)
    return value


def _step(value: Tree, key: str, source: str) -> Tree:
    if isinstance(value, dict) and key in value:
        return value[key]
    if isinstance(value, list) and _INDEX.fullmatch(key) and int(key) < len(value):
        return value[int(key)]
    raise ParseError("nothing stands there", layer=_LAYER, step=key, at=source)


def leaves(tree: Tree, at: str = "") -> Iterator[tuple[str, str]]:
    """Give every leaf as (pointer, text), in document order. Empty containers are no leaves."""
    # One pointer at a time: all of a list together may take a multiple of the document.
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from leaves(value, f"{at}/{escape(name)}")
    elif isinstance(tree, list):
        for i, value in enumerate(tree):
            yield from leaves(value, f"{at}/{i}")
    else:
        yield at, scalar_text(tree)


def scalar_text(value: str | bool | None) -> str:
    """Write a scalar as JSON would; text stays as it is."""
    if isinstance(value, NumberText):
        return str(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
