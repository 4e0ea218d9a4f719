"""Keeps secrets out of text that people will read. Pure; the log formatter applies it to everything.

Masked: the query of every URL, passwords in URLs, values that are named like a secret, access key
ids and STS tokens by their form, and literals that the caller registered. A little too much is
masked rather than a little too little. Every rule takes time linear in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote

MASK = "***"

_NAME = (
    r"(?:secret(?:[-_]?key)?|token|passw(?:or)?d|pwd|passphrase|signature"
    r"|(?:private|auth|api)[-_]?key)"
)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # An Authorization header holds blanks and commas: everything to its end belongs to it.
    (re.compile(r"(?i)(authorization[\"'\\]*\s*[:=]\s*[\"'\\]*)[^\"'\\\r\n]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]{8,}"), rf"\1 {MASK}"),
    # Named and in quotes, escaped quotes included; then named in any other way.
    (
        re.compile(rf"(?i)({_NAME}[\"']?\s*[:=]\s*([\"']))(?:\\.|(?!\2)[^\\])*", re.DOTALL),
        rf"\1{MASK}",
    ),
    (re.compile(rf"(?i)({_NAME}[\"'\\]*\s*[:=]\s*[\"'\\]*)[^\s\"'\\&]+"), rf"\1{MASK}"),
    (re.compile(r"(\w://)[^\s/@\"'<>]+@"), rf"\1{MASK}@"),
    (re.compile(r"\bLTAI[A-Za-z0-9]{8,}"), f"LTAI{MASK}"),
    (re.compile(r"\bSTS\.[A-Za-z0-9]{8,}"), f"STS.{MASK}"),
)
_SECRET_NAME = re.compile(rf"(?i)(?:{_NAME}|authorization)\Z")
# Of everything that a rule could match, a part as it looks in lower-cased JSON of ASCII. The escapes are
# the letters outside ASCII that `(?i)` takes for an i, k or s. Each branch starts with a character of its
# own: `re` skips what none can start with, five times as fast as trying all.
_TRIGGER = re.compile(
    r"secret|token|passw|pwd|passphrase|signature|bearer|auth(?:orization|[-_]?key)|private[-_]?key"
    r"|api[-_]?key|\?|://|ltai|sts\.|\\u(?:0130|0131|017f|212a)"
)
_WORD = re.compile(r"[^\s\"'<>]+")
# Mobile numbers of mainland China, not inside a longer run of letters and digits such as a job id.
_PHONE = re.compile(r"(?<![0-9A-Za-z])(?:\+?86[ -]?)?1[3-9]\d{9}(?![0-9A-Za-z])")
_PHONE_TRIGGER = re.compile(r"1[3-9](?:[0-9]|\\u[0-9a-f]{4}){9}")  # `\d` takes digits of any script


@dataclass(frozen=True)
class Masker:
    """What to mask beyond the fixed rules.

    `literals` are secrets by value; they are found percent-encoded and JSON-escaped too. Empty ones
    are ignored.
    """

    literals: frozenset[str] = field(default=frozenset(), repr=False)
    phones: bool = False

    def text(self, text: str) -> str:
        """Give the text without its secrets."""
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        if "?" in text:
            text = _WORD.sub(_without_query, text)
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
        return _PHONE.sub(MASK, text) if self.phones else text

    def value(self, name: str, value: str) -> str:
        """Give the text without its secrets, or nothing of it when its name says that it is one."""
        return MASK if value and _SECRET_NAME.search(name) else self.text(value)

    def is_clean(self, encoded: str) -> bool:
        """Tell that no text in this JSON holds anything to mask; False when only masking can tell.

        `encoded` is ASCII, as `json.dumps` writes it. One look at the whole costs far less than every
        rule on every text.
        """
        if _TRIGGER.search(encoded.lower()) or (self.phones and _PHONE_TRIGGER.search(encoded)):
            return False
        return not any(map(encoded.__contains__, self._encoded_spellings))

    def also(self, literals: Iterable[str | None]) -> Masker:
        """Give a masker that knows these literals too: itself when it did before."""
        more = self.literals.union(literal for literal in literals if literal)
        return self if more == self.literals else Masker(more, self.phones)

    @cached_property
    def _spellings(self) -> tuple[str, ...]:
        # The longest first: a literal may be part of another one.
        spellings = {spell(literal) for literal in self.literals if literal for spell in _SPELL}
        return tuple(sorted(spellings, key=len, reverse=True))

    @cached_property
    def _encoded_spellings(self) -> tuple[str, ...]:
        return tuple(map(_json_escaped, self._spellings))


def _without_query(found: re.Match[str]) -> str:
    """Cut the query off a URL, or off a path as HTTP libraries quote it in their messages."""
    word = found.group()
    head, _, query = word.partition("?")
    if query and ("://" in head or ("/" in head and "=" in query)):
        return f"{head}?{MASK}"
    return word


def _percent_encoded(literal: str) -> str:
    return quote(literal, safe="", errors="replace")


def _json_escaped(literal: str) -> str:
    return json.dumps(literal)[1:-1]


_SPELL: tuple[Callable[[str], str], ...] = (str, _percent_encoded, _json_escaped)
