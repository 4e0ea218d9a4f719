"""JSON that a vendor wrote into a text or a file: one document, or several without a separator.

The vendor's own examples hold two kinds of slip, a full-width comma or colon where JSON wants an
ASCII one (query-apis.md 6, quirks 2 and 26). Such a text is read as it was meant, but only where it
cannot be read as it is, and the reader is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.errors import ParseError
from shared.toolkit.strict_json import Tree, parse_stream

SLIPS = {"\uff0c": ",", "\uff1a": ":"}
SLIP_NAMES = {"\uff0c": "full-width comma", "\uff1a": "full-width colon"}
# A string is matched whole, so that what stands inside one is text and stays. One that never ends is
# matched to the end: the scan starts over nowhere, and stays linear.
_STRING_OR_SLIP = re.compile('"[^"\\\\]*(?:\\\\.[^"\\\\]*)*(?:"|\\\\?\\Z)|[\uff0c\uff1a]', re.DOTALL)


@dataclass(frozen=True)
class Embedded:
    """What a text held. `documents` are in order; `repaired` names what was not JSON as written."""

    documents: tuple[Tree, ...]
    repaired: tuple[str, ...] = ()

    @property
    def tree(self) -> Tree:
        """Give what pointers walk in: the one document, or the list of several."""
        return self.documents[0] if len(self.documents) == 1 else list(self.documents)


def read(data: bytes | str) -> Embedded:
    """Decode a text that holds at least one document; raise `ParseError` when it does not."""
    try:
        return _read(data, ())
    except ParseError as error:
        text, slips = _mended(data)
        if not slips:
            raise
        try:
            return _read(text, slips)
        except ParseError:
            raise error from None


def _read(data: bytes | str, repaired: tuple[str, ...]) -> Embedded:
    documents = tuple(parse_stream(data))
    if not documents:
        raise ParseError("nothing in it", layer="json")
    return Embedded(documents, repaired)


def _mended(data: bytes | str) -> tuple[str, tuple[str, ...]]:
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "", ()
    mended_text, names = mended(text)
    return mended_text, tuple(sorted(names))


def mended(text: str) -> tuple[str, set[str]]:
    """Write slips outside of strings in ASCII, and name the kinds that there were.

    The text begins outside of a string; it may end inside one.
    """
    found: set[str] = set()

    def mend(match: re.Match[str]) -> str:
        piece = match.group()
        if piece not in SLIPS:
            return piece
        found.add(SLIP_NAMES[piece])
        return SLIPS[piece]

    return _STRING_OR_SLIP.sub(mend, text), found
