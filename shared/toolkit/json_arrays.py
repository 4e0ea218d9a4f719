"""A JSON array cut into the source texts of its elements, so that one broken element stays one."""

from __future__ import annotations

import json
import re

from shared.toolkit.parser import ParseError

_LAYER = "json"
_BLANK = re.compile(r"[ \t\r\n]*")
# Only finds where an element ends; what it decodes is thrown away, so its leniency does not matter.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


def elements(text: str, *, limit: int) -> list[str]:
    """Split an array; raise `ParseError` for text that is none, or has over `limit` elements."""
    found: list[str] = []
    position = _skip(text, "[", 0)
    if text.startswith("]", _blank(text, position)):
        end = _skip(text, "]", position)
    else:
        end = _collect(text, position, found, limit)
    if _blank(text, end) != len(text):
        raise ParseError("something follows the array", layer=_LAYER, at=end)
    return found


def _collect(text: str, position: int, found: list[str], limit: int) -> int:
    while True:
        start = _blank(text, position)
        end = _end_of_value(text, start)
        found.append(text[start:end])
        if len(found) > limit:
            raise ParseError("too many elements", layer=_LAYER, limit=limit)
        position = _blank(text, end)
        if text.startswith("]", position):
            return position + 1
        position = _skip(text, ",", position)


def _end_of_value(text: str, start: int) -> int:
    try:
        _, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise ParseError(f"not JSON: {error.msg}", layer=_LAYER, at=error.pos) from None
    except RecursionError:
        raise ParseError("nested too deep", layer=_LAYER, at=start) from None
    return end


def _skip(text: str, mark: str, position: int) -> int:
    position = _blank(text, position)
    if not text.startswith(mark, position):
        raise ParseError(f"not JSON: {mark} expected", layer=_LAYER, at=position)
    return position + 1


def _blank(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return found.end() if found else position
