"""Vendor spellings of numbers, times, lists and URLs, read into the record's terms."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import datetime
from functools import lru_cache

from shared.documents.cursor import Node, is_whole_number
from shared.record import Evidence, Score, Times

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_ISO_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2})(\.[0-9]{1,6})?Z", re.ASCII
)
_NEXT_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_FIRST_PLAUSIBLE_YEAR = "2009"  # the vendor's first year


def number(text: str | None) -> float | None:
    """Read a decimal number; None for anything else and for what no float can hold."""
    if text is None or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def whole_number(text: str | None) -> int | None:
    """Read a plain whole number; None for anything else."""
    return int(text) if text is not None and is_whole_number(text) else None


def score(text: str | None, scale: str | None = None) -> tuple[Score, ...]:
    """Keep a score in the vendor's digits, or none where there is none; no scale is an undocumented one."""
    return () if text is None else (Score(text=text, value=number(text), scale=scale),)


@lru_cache(maxsize=256)  # an answer has one of a few names in each of many entries
def snake_case(name: str) -> str:
    """Write `GreenEnhanced` as `green_enhanced`; a name in snake case stays as it is."""
    return _NEXT_WORD.sub("_", name).lower()


def comma_list(node: Node, name: str) -> tuple[str, ...]:
    """Take a comma-separated list; an empty or repeated entry is nothing. Leave a text of commas alone."""
    text = node.text(name)
    if text is None:
        return ()
    if text.isalnum():  # one entry, as nearly always
        return (text,)
    stripped = [entry.strip() for entry in text.split(",")]
    entries = tuple(dict.fromkeys([entry for entry in stripped if entry]))
    if not entries:
        node.put_back(name)
    return entries


def position_ms(node: Node, name: str) -> int | None:
    """Take a position in whole milliseconds; leave what is none, so that it is listed as unmapped."""
    value = node.integer(name)
    if value is not None and value < 0:
        node.put_back(name)
        return None
    return value


def iso_time(node: Node, name: str) -> str | None:
    """Take a UTC time and write it with milliseconds; leave what is none."""
    text = node.text(name)
    if text is None:
        return None
    found = _ISO_TIME.fullmatch(text)
    if found is None or not _is_moment(f"{found[1]}T{found[2]}"):
        node.put_back(name)
        return None
    return f"{found[1]}T{found[2]}.{(found[3] or '.')[1:4]:0<3}Z"


def _is_moment(text: str) -> bool:
    """Tell whether the calendar has it: a pattern alone would let the 31st of February pass."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def times(node: Node, *, created: str, completed: str) -> Times:
    """Read when a job began and ended, and flag what cannot be."""
    began, ended = iso_time(node, created), iso_time(node, completed)
    flags = [
        f"{which}_implausible"
        for which, moment in (("created", began), ("completed", ended))
        if moment is not None and moment[:4] < _FIRST_PLAUSIBLE_YEAR
    ]
    if began is not None and ended is not None and ended < began:
        flags.append("completed_before_created")
    return Times(created=began, completed=ended, flags=tuple(flags))


def short_hash(*words: str) -> str:
    """Give 16 hex that name these words."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


class EvidenceList:
    """Collects what findings point at; one URL is one item, however often it is shown."""

    def __init__(self) -> None:
        self._items: dict[str, Evidence] = {}

    def take(self, node: Node, name: str) -> tuple[str, ...]:
        """Take a member that is a URL; give the ids to refer to it by. Leave what is none."""
        url = node.text(name)
        if url is None:
            return ()
        if "://" not in url:
            node.put_back(name)
            return ()
        item = short_hash(url)
        if item not in self._items:
            self._items[item] = Evidence(id=item, url=url, source=f"{node.source}/{name}")
        return (item,)

    def items(self) -> tuple[Evidence, ...]:
        """List the items in the order of their first showing."""
        return tuple(self._items.values())
