"""The words of pages, in each language. A page holds none of its own: it asks for them by name.

A phrase is plain text with `{names}` of what is put in. One with a `|` has a form for one thing and a
form for any other number of them, by `count`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Literal, cast

from shared.pages.strangers import plain

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
TAGS: Mapping[Language, str] = {"en": "en", "zh": "zh-CN"}
"""What `lang` says on a page."""

_RANGE = re.compile(
    r"\s*([A-Za-z*]{1,8})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?)\s*)?", re.ASCII
)
_LONGEST = 500


def language(accept_language: str | None, chosen: str | None = None) -> Language:
    """Choose a page's language: the chosen one if there is such, else what the browser wants, or English."""
    if chosen in LANGUAGES:
        return chosen
    best: tuple[float, Language] = (0.0, "en")
    for one in (accept_language or "")[:_LONGEST].split(","):
        found = _RANGE.fullmatch(one)
        if found is None or found[1].lower() not in LANGUAGES:
            continue
        weight = float(found[2] or 1)
        if weight > best[0]:
            best = weight, cast(Language, found[1].lower())
    return best[1]


class Words:
    """The phrases of one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self.tag, self.tags = TAGS[language], TAGS
        self._phrases = catalogue(language)

    def __call__(self, name: str, **values: object) -> str:
        """Give a phrase with its values put in; raise `KeyError` for a name that there is not."""
        phrase = self._phrases[name]
        if "|" in phrase:
            one, others = phrase.split("|")
            phrase = one if values["count"] == 1 else others
        return phrase.format(**{name: _shown(value) for name, value in values.items()}) if values else phrase

    def told(self, parts: Iterable[tuple[str, Mapping[str, object]]]) -> str:
        """Tell something of a job's story (see `shared.explanation`), its words in this language, too."""
        return "".join(self(f"story.{name}", **self._in_words(values)) for name, values in parts)

    def _in_words(self, values: Mapping[str, object]) -> dict[str, object]:
        return {name: self.term(name, str(value)) or value for name, value in values.items()}

    def term(self, group: str, word: str | None) -> str | None:
        """Give what a word of a vocabulary is called (`term("state", "running")`); None if nobody said."""
        return self._phrases.get(f"{group}.{word}")


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Give all phrases of a language by their names."""
    story = "shared.story_words" if language == "en" else f"shared.pages.story_words_{language}"
    own = [f"shared.pages.{name}_{language}" for name in ("words", "list_words")]
    modules = [import_module(name) for name in (*own, story)]
    return {name: phrase for module in modules for name, phrase in module.PHRASES.items()}


def _shown(value: object) -> object:
    if isinstance(value, int):
        return f"{value:,}"
    return plain(value) if isinstance(value, str) else value
