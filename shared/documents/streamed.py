"""JSON documents that may be larger than memory, read as they come.

It reads what `embedded.read` reads, slips mended alike, and refuses what that refuses; but a document may be
of any size, as long as each text and number in it is at most `MAX_VALUE` characters long. What comes of it
is a matter of its bytes alone, never of how these are cut. Whoever reads goes from value to value, in order,
and takes each whole or enters it:

    for i in stream.documents():
        for name in stream.members():
            tree = stream.value()
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

from shared.documents.embedded import SLIP_NAMES, SLIPS, mended
from shared.documents.pointers import escape, leaves, unescape
from shared.errors import ParseError
from shared.toolkit.strict_json import (
    MAX_DEPTH,
    SURROGATE_ESCAPE,
    NumberText,
    Tree,
    check_structure,
    check_unicode,
    decoder,
    is_text,
)

MAX_VALUE = 128 * 1024
"""Characters of a value that is taken whole, which may cost a hundred times as many bytes; a larger one has
to be entered."""

MAX_NAMES = 50_000
"""Members of all objects that are entered at a time: their names are kept, to find one that stands twice."""

MAX_NAME = 200
"""Characters of each of these names."""

_LAYER = "json"
_BLOCK_BYTES = 64 * 1024
_BLANK = re.compile(r"[ \t\r\n]*")
_OF_A_NUMBER = re.compile(r"[-+.0-9eE]*")


class TooLarge(Enum):
    """What is given in place of a value that has to be entered."""

    TOO_LARGE = "too large"


TOO_LARGE: Final = TooLarge.TOO_LARGE


class JsonStream:
    """JSON values one after the other. `chunks` may cut them anywhere, even within a character."""

    def __init__(
        self, chunks: Iterable[bytes], *, max_value: int = MAX_VALUE, block: int = _BLOCK_BYTES
    ) -> None:
        self._blocks = _blocks(chunks, block)
        self._max_value = max_value
        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")()
        self._decode = decoder().raw_decode
        self._text, self._at, self._before = "", 0, 0
        self._ended = self._escaped = False
        self._depth = self._names = 0
        self._slips: set[str] = set()

    @property
    def repaired(self) -> tuple[str, ...]:
        """Name what was not JSON as written, as `Embedded.repaired` does."""
        return tuple(sorted(self._slips))

    def documents(self) -> Iterator[int]:
        """Go to each document; raise `ParseError` when there is none."""
        count = 0
        while self.peek():
            yield count
            count += 1
        if not count:
            raise ParseError("nothing in it", layer=_LAYER)

    def peek(self) -> str:
        """Tell the first character of the value here; empty at the end."""
        while True:
            found = _BLANK.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_on():
                return ""

    def value(self) -> Tree | TooLarge:
        """Take the value here; `TOO_LARGE` leaves it, for `members` or `elements` to enter."""
        self.peek()
        while True:
            try:
                tree, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._mend():
                    continue
                if len(self._text) - self._at >= self._max_value:
                    return self._too_large(error.msg)
                if not self._read_on():
                    raise self._not_json(error.msg, error.pos) from None
                continue
            except RecursionError:
                raise ParseError("nested too deep", layer=_LAYER, limit=MAX_DEPTH) from None
            if end - self._at > self._max_value:
                return self._too_large("")
            if not (isinstance(tree, NumberText) and self._may_go_on()):
                return self._taken(tree, end)

    def members(self) -> Iterator[str]:
        """Enter the object here, and go to each of its values; tell their names."""
        names: set[str] = set()
        goes_on = self._enter("{", "}")
        while goes_on:
            name = self.value() if self.peek() == '"' else None
            if name is None or name is TOO_LARGE or not is_text(name):
                raise self._not_json("a name expected", self._at)
            if name in names:
                raise ParseError("a key stands twice in one object", layer=_LAYER)
            if self._names >= MAX_NAMES or len(name) > MAX_NAME:
                reason = "a name is too large" if len(name) > MAX_NAME else "too many members"
                raise ParseError(reason, layer=_LAYER)
            names.add(name)
            self._names += 1
            if self._mark() != ":":
                raise self._not_json("a colon expected", self._at - 1)
            yield name
            goes_on = self._goes_on("}")
        self._names -= len(names)

    def elements(self) -> Iterator[int]:
        """Enter the list here, and go to each of its values."""
        goes_on, count = self._enter("[", "]"), 0
        while goes_on:
            yield count
            count += 1
            goes_on = self._goes_on("]")

    def leaves(self, at: str) -> Iterator[tuple[str, str]]:
        """Take the value here, of any size, and give its leaves as `pointers.leaves` does."""
        tree = self.value()
        if tree is not TOO_LARGE:
            yield from leaves(tree, at)
        elif self.peek() == "{":
            for name in self.members():
                yield from self.leaves(f"{at}/{escape(name)}")
        else:
            for i in self.elements():
                yield from self.leaves(f"{at}/{i}")

    def _taken(self, tree: Tree, end: int) -> Tree:
        text, at = self._text, self._at
        room = MAX_DEPTH - self._depth
        if text.count("[", at, end) + text.count("{", at, end) > room:
            check_structure(text[at:end], room)
        if self._escaped:
            check_unicode(tree)
        self._at = end
        return tree

    def _may_go_on(self) -> bool:
        """Tell whether a number may not be whole, and read on."""
        found = _OF_A_NUMBER.match(self._text, self._at)
        return found is not None and found.end() == len(self._text) and self._read_on()

    def _too_large(self, otherwise: str) -> TooLarge:
        """Say so of what can be entered; raise of anything else, which may be no JSON."""
        first = self._text[self._at]
        if first in "[{":
            return TOO_LARGE
        if first == '"' or _OF_A_NUMBER.fullmatch(first):
            raise ParseError("too large", layer=_LAYER, at=self._before + self._at, limit=self._max_value)
        raise self._not_json(otherwise, self._at)

    def _enter(self, opening: str, closing: str) -> bool:
        """Go into a list or an object; False when it is empty."""
        if self._mark() != opening:
            raise self._not_json(f"{opening} expected", self._at - 1)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ParseError("nested too deep", layer=_LAYER, limit=MAX_DEPTH)
        if self.peek() != closing:
            return True
        self._leave()
        return False

    def _goes_on(self, closing: str) -> bool:
        """Go behind a value; False at the end of the list or object."""
        mark = self._mark()
        if mark == ",":
            return True
        if mark != closing:
            raise self._not_json(f"a comma or {closing} expected", self._at - 1)
        self._at -= 1
        self._leave()
        return False

    def _leave(self) -> None:
        self._at += 1
        self._depth -= 1

    def _mark(self) -> str:
        """Take one character between values."""
        mark = self.peek()
        self._at += 1
        if mark in SLIPS:
            self._slips.add(SLIP_NAMES[mark])
            return SLIPS[mark]
        return mark

    def _mend(self) -> bool:
        """Write the slips that have come so far in ASCII; False when there are none outside of strings."""
        rest = self._text[self._at :]
        if not any(slip in rest for slip in SLIPS):
            return False
        text, found = mended(rest)
        self._text = self._text[: self._at] + text
        self._slips |= found
        return bool(found)

    def _read_on(self) -> bool:
        """Have more text behind what is left; False at the end."""
        while not self._ended:
            block = next(self._blocks, None)
            try:
                new = self._utf8.decode(block or b"", final=block is None)
            except UnicodeDecodeError as error:
                raise ParseError(f"not UTF-8 text: {error.reason}", layer=_LAYER) from None
            self._ended = block is None
            if new:
                self._text = self._text[self._at :] + new
                self._before += self._at
                self._at = 0
                self._escaped = self._escaped or SURROGATE_ESCAPE.search(self._text) is not None
                return True
        return False

    def _not_json(self, reason: str, at: int) -> ParseError:
        return ParseError(f"not JSON: {reason}", layer=_LAYER, at=self._before + at)


def _blocks(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Cut anew: of several faults, which one is met first depends on the cut."""
    pending = bytearray()
    for chunk in chunks:
        pending += chunk
        while len(pending) >= size:
            yield bytes(pending[:size])
            del pending[:size]
    if pending:
        yield bytes(pending)


def value_at(chunks: Iterable[bytes], pointer: str) -> Tree:
    """Give the value at a pointer into the list of documents; raise `ParseError` when it leads nowhere.

    Nothing behind it is read.
    """
    stream, tokens = JsonStream(chunks), pointer.split("/")[1:]
    places: Iterable[str] = (str(i) for i in stream.documents())
    for depth, token in enumerate(map(unescape, tokens)):
        if not _found(stream, places, token):
            raise ParseError("nothing stands there", layer="pointer", step=token, at=pointer)
        if depth < len(tokens) - 1:
            places = _places(stream)
    value = stream.value() if tokens else TOO_LARGE
    if value is TOO_LARGE:
        raise ParseError("what stands there is too large to be shown", layer="pointer", at=pointer)
    return value


def _found(stream: JsonStream, places: Iterable[str], token: str) -> bool:
    """Go to a place, past those before it."""
    for place in places:
        if place == token:
            return True
        for _ in stream.leaves(""):
            pass
    return False


def _places(stream: JsonStream) -> Iterable[str]:
    if stream.peek() == "{":
        return stream.members()
    return (str(i) for i in stream.elements()) if stream.peek() == "[" else ()
