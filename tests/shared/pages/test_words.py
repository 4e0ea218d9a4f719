"""What pages say: in both languages the same things, and nothing outside of the catalogues."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import shared.pages
from shared import explanation
from shared.jobs import State
from shared.kinds import KINDS
from shared.pages.words import LANGUAGES, Language, Words, catalogue, language
from shared.taxonomy import _CANONICAL, SUGGESTIONS

FOLDER = Path(shared.pages.__file__).parent
TEMPLATES = sorted(FOLDER.glob("*.html"))
# Names that the code puts together: `notice.` and the name of one, the word of a vocabulary.
MADE = (
    *("state", "verdict", "evidence", "kind", "modality", "module", "output", "transport", "unit", "check"),
    *("label", "notice", "language", "media", "job", "times", "raw", "need", "slack", "overview", "error"),
    *("filter", "list", "by"),
)
HAN = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("accepted", "chosen", "expected"),
    [
        (None, None, "en"),
        ("", None, "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", None, "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", None, "en"),
        ("fr, zh-Hant;q=0.5, en;q=0.4", None, "zh"),
        ("zh;q=0", None, "en"),
        ("de,fr;q=0.9", None, "en"),
        ("*", None, "en"),
        ("zh;q=nonsense", None, "en"),
        ("zh", "en", "en"),
        ("en", "zh", "zh"),
        ("zh", "klingon", "zh"),
        ("x" * 100_000 + ",zh", None, "en"),
    ],
)
def test_a_page_speaks_the_chosen_language_or_that_of_the_browser(
    accepted: str | None, chosen: str | None, expected: str
) -> None:
    assert language(accepted, chosen) == expected


def test_both_languages_have_the_same_phrases_with_the_same_values() -> None:
    english, chinese = (
        {
            name: {frozenset(_values(form)) for form in phrase.split("|")}
            for name, phrase in catalogue(one).items()
        }
        for one in LANGUAGES
    )

    assert english.keys() == chinese.keys()
    # The form for one thing may leave its number out.
    assert {n for n in english if not chinese[n] <= {v | {"count"} for v in english[n]} | english[n]} == set()


def _values(phrase: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(phrase) if name is not None}


def test_chinese_phrases_are_chinese() -> None:
    same = {"site.name", "language.en", "raw.members", "raw.items", "overview.number", "story.because"}

    assert {name for name, phrase in catalogue("zh").items() if not HAN.search(phrase)} == same


@pytest.mark.parametrize("one", LANGUAGES)
def test_every_word_of_ours_has_a_name(one: Language) -> None:
    words = Words(one)
    labels = {label for table in _CANONICAL.values() for label in table.values()}
    vocabulary = {
        "state": {state.value for state in State},
        "verdict": SUGGESTIONS,
        "kind": set(KINDS),
        "check": set(_CANONICAL),
        "label": labels,
    }

    assert [
        (group, w) for group, its in vocabulary.items() for w in its if words.term(group, w) is None
    ] == []


def test_a_phrase_has_a_form_for_one_and_one_for_more() -> None:
    words = Words("en")

    assert (words("findings.count", count=1), words("findings.count", count=5_000)) == (
        "1 finding",
        "5,000 findings",
    )
    assert Words("zh")("findings.count", count=1) == "1 条"


def test_a_word_that_nobody_named_has_no_name() -> None:
    assert Words("en").term("label", "<script>") is None


def test_templates_say_nothing_themselves() -> None:
    outside = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)
    for template in TEMPLATES:
        text = outside.sub("", template.read_text(encoding="utf-8"))
        told = re.sub(r"<[^>]*>", " ", text, flags=re.DOTALL)

        assert re.findall(r"[^\W\d_]+", told) == [], template.name
        assert re.findall(r'(?:alt|title|aria-label|placeholder)="[^"{]*\w', text) == [], template.name


def test_no_phrase_is_missing_and_none_is_left_over() -> None:
    files = [*TEMPLATES, *FOLDER.glob("*.py")]
    files.append(Path(explanation.__file__))
    code = "\n".join(file.read_text(encoding="utf-8") for file in files if "words_" not in file.name)
    asked = set(re.findall(r"""\b(?:t|words)\(\s*["']([a-z_0-9.]+)["'](?!\s*~)""", code))
    known = catalogue("en").keys()

    assert asked - known == set()
    # `effect_` and the name of one is put together, too.
    left = {name for name in known - asked if name.partition(".")[0] not in MADE}
    left = {name for name in left if f'"{name.removeprefix("story.")}"' not in code}
    assert {name for name in left if not name.startswith("story.effect_")} == set()
