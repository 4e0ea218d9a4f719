"""Keeps secrets out of text that people will read. Pure; the log formatter applies it to everything.

Masked: the query of every URL, passwords in URLs, values that are named like a secret, access key
ids and STS tokens by their form, and literals that the caller registered. A little too much is
masked rather than a little too little. Every rule takes time linear in the text.
"""

from __future__ import annotations

import re
from functools import cache
from json.encoder import encode_basestring_ascii

TYPE_CHECKING = False  # as `typing` has it: importing that takes longer than all of a handler's modules
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Final

MASK = "***"

_NAME = (
    r"(?:secret(?:[-_]?key)?|token|passw(?:or)?d|pwd|passphrase|signature"
    r"|(?:private|auth|api|access)[-_]?key)"
)
_HEADER = r"(?:authorization|cookies?)"
_NAMED = rf"(?i){_NAME}|{_HEADER}|bearer"
# What stands between a name and its value; percent-encoded, or as some write JSON, too.
_QUOTES = r"(?:[\"'\\]|%(?:25)*2[27])*"
_IS = rf"{_QUOTES}\s*(?:[:=-]*>|[:=]+|%(?:25)*3[ad]|\\u003[ad])\s*"
_PREFIX = "[bur]{0,2}"  # of a text as Python shows it
# For a text that has such a name in it.
_NAME_RULES = (
    (r"(?i)\b(bearer)\s+[\w.~+/=-]{8,}", rf"\1 {MASK}"),
    # In quotes, escaped quotes included; then in quotes that are escaped themselves, as in JSON within JSON.
    (rf"(?is)((?:{_NAME}|{_HEADER}){_IS}{_PREFIX}([\"']))(?:\\.|(?!\2)[^\\])*", rf"\1{MASK}"),
    (
        rf"(?is)((?:{_NAME}|{_HEADER}){_IS}{_PREFIX}(\\+)([\"']))(?:(?!\2\3|\3)(?:\\+[\"']?|[^\\]))*",
        rf"\1{MASK}",
    ),
    # Such a header holds blanks, commas and quotes: everything to its end belongs to it. So it may be with
    # a value that is a list, an object or a call.
    (rf"(?i)({_HEADER}{_IS})(?!\s|{_PREFIX}\\*[\"'])[^\r\n]+", rf"\1{MASK}"),
    (rf"(?i)({_NAME}{_IS})(?:[\[{{(<]|[\w.]+\()[^\r\n]*", rf"\1{MASK}"),
    (rf"(?i)({_NAME}{_IS}{_QUOTES})(?!{_PREFIX}\\*[\"'])[^\s\"'\\&]+", rf"\1{MASK}"),
)
_KEY_RULES = (
    (r"(?:\b|(?<=%3[Dd]))LTAI[A-Za-z0-9]{8,}", f"LTAI{MASK}"),
    (r"(?:\b|(?<=%3[Dd]))STS\.[A-Za-z0-9]{8,}", f"STS.{MASK}"),
)
_SECRET_NAME = rf"(?i)(?:{_NAME}|{_HEADER})\Z"
# Of everything that a rule could match, a part as it looks in lower-cased JSON of ASCII. The escapes are
# the letters outside ASCII that `(?i)` takes for an i, k or s. Each branch starts with a character of its
# own: `re` skips what none can start with, and where one can, few branches are tried.
_TRIGGER = (
    r"s(?:ecret|ignature|ts\.)|token|p(?:ass(?:w|phrase)|wd|rivate[-_]?key)|bearer|cookie|ltai"
    r"|a(?:uth(?:orization|[-_]?key)|(?:pi|ccess)[-_]?key)"
    r"|\?|:\\*/\\*/|%(?:25)*3[af]|\\u(?:0130|0131|017f|212a)"
)
# A query may hold a single quote; what closes around it stays.
_WORD = r"[^\s\"<>]+"
_CLOSING = "',;]}"
# The parts of a URL: as they are, escaped in JSON, or percent-encoded once or more often.
_QUERY = r"(?i)(\?|%(?:25)*3F)"
_SCHEME = r"(?i)(\w(?::(?:\\*/){2}|%(?:25)*3A(?:%(?:25)*2F){2}))"
_AT, _NO_AT = r"(?:@|%(?:25)*40)", r"(?!/|@|%(?:25)*(?:2F|40))"
# With a colon in it, it may also hold a slash or an at sign: a password that should have been encoded.
_USER = rf"(?i)\A(?:(?:{_NO_AT}(?!:|%(?:25)*3A).)*(?::|%(?:25)*3A).*|(?:{_NO_AT}.)*){_AT}"
# Mobile numbers of mainland China, not inside a longer run of letters and digits such as a job id.
_PHONE = r"(?<![0-9A-Za-z])(?:\+?86[ -]?)?1[3-9]\d{9}(?![0-9A-Za-z])"
_PHONE_TRIGGER = r"1[3-9](?:[0-9]|\\u[0-9a-f]{4}){9}"  # `\d` takes digits of any script

# Compiled by the first call: an import would wait 3 ms for rules that many instances never need.
_compiled = cache(re.compile)

_NEVER_ENCODED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")


class Masker:
    """What to mask beyond the fixed rules.

    `literals` are secrets by value; they are found percent-encoded and JSON-escaped too. Empty ones
    are ignored.
    """

    __slots__ = ("_encoded_spellings", "_spellings", "literals", "phones")

    def __init__(self, literals: frozenset[str] = frozenset(), phones: bool = False) -> None:
        self.literals: Final = literals
        self.phones: Final = phones
        spellings = {spell(literal) for literal in literals if literal for spell in _SPELL}
        # The longest first: a literal may be part of another one.
        self._spellings = sorted(spellings, key=len, reverse=True)
        self._encoded_spellings = [_json_escaped(spelling) for spelling in self._spellings]

    def text(self, text: str) -> str:
        """Give the text without its secrets."""
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        text = _without_access(text)
        if _compiled(_NAMED).search(text):
            # What was masked may have been all that kept the parts of a URL asunder.
            text = _without_access(_all_of(_NAME_RULES, text))
        text = _all_of(_KEY_RULES, text)
        return _compiled(_PHONE).sub(MASK, text) if self.phones else text

    def value(self, name: str, value: str) -> str:
        """Give the text without its secrets, or nothing of it when its name says that it is one."""
        return MASK if value and is_secret_name(name) else self.text(value)

    def is_clean(self, encoded: str, texts: str | None = None) -> bool:
        """Tell that no text in this JSON holds anything to mask; False when only masking can tell.

        `encoded` is ASCII, as `json.dumps` writes it; `texts` is what of it a rule may match, by default
        all. One look at the whole costs far less than every rule on every text.
        """
        suspect = encoded if texts is None else texts
        if suspect and _compiled(_TRIGGER).search(suspect.lower()):
            return False
        if self.phones and _compiled(_PHONE_TRIGGER).search(suspect):
            return False
        for spelling in self._encoded_spellings:  # noqa: SIM110 - twice as fast, and in every line
            if spelling in encoded:
                return False
        return True

    def also(self, literals: Iterable[str | None]) -> Masker:
        """Give a masker that knows these literals too: itself when it did before."""
        more = self.literals.union(literal for literal in literals if literal)
        return self if more == self.literals else Masker(more, self.phones)


def is_secret_name(name: str) -> bool:
    """Tell that nothing that is called so is to be shown."""
    return _compiled(_SECRET_NAME).search(name) is not None


def is_harmless_name(name: str) -> bool:
    """Tell that no rule masks anything in this name, or because of it in what stands beside it."""
    encoded = encode_basestring_ascii(name)
    return not (_compiled(_TRIGGER).search(encoded.lower()) or _compiled(_PHONE_TRIGGER).search(encoded))


def _all_of(rules: Iterable[tuple[str, str]], text: str) -> str:
    for pattern, replacement in rules:
        text = _compiled(pattern).sub(replacement, text)
    return text


def _without_access(text: str) -> str:
    """Cut user and query off every URL; the query off a path, too, as HTTP libraries quote it in messages."""
    return _compiled(_WORD).sub(_bare, text) if any(map(text.__contains__, "?@%")) else text


def _bare(found: re.Match[str]) -> str:
    word = _without_query(found.group())
    before, *urls = _compiled(_SCHEME).split(word)
    bare = [_compiled(_USER).sub(f"{MASK}@", rest) for rest in urls[1::2]]
    return before + "".join(map(str.__add__, urls[::2], bare))


def _without_query(word: str) -> str:
    head, *parts = _compiled(_QUERY).split(word, maxsplit=1)
    if not parts:
        return word
    mark, query = parts
    kept = query.rstrip(_CLOSING)
    is_pair = "=" in query or "%3D" in query.upper()
    if kept and (_compiled(_SCHEME).search(head) or ("/" in head and is_pair)):
        return f"{head}{mark}{MASK}{query[len(kept) :]}"
    return word


def _percent_encoded(literal: str) -> str:
    # As `urllib.parse.quote` does it, which would take 2 ms to import.
    data = literal.encode(errors="replace")
    return "".join(chr(byte) if byte in _NEVER_ENCODED else f"%{byte:02X}" for byte in data)


def _json_escaped(literal: str) -> str:
    return encode_basestring_ascii(literal)[1:-1]


_SPELL: tuple[Callable[[str], str], ...] = (str, _percent_encoded, _json_escaped)
