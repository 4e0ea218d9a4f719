"""The table of labels knows every word that the vendor documents, and guesses none."""

from __future__ import annotations

import re
from itertools import permutations

import pytest

from shared.taxonomy import canonical_label, is_hit, worst
from tests.shared.kinds.answers import AUDIO_LABELS, SCENE_LABELS, TEXT_LABELS

DOCUMENTED = [
    (check, label)
    for check, labels in {**SCENE_LABELS, "antispam": [*TEXT_LABELS, *AUDIO_LABELS]}.items()
    for label in sorted(set(labels) - {"normal"})
]


@pytest.mark.parametrize(("check", "label"), DOCUMENTED)
def test_every_documented_label_has_a_canonical_one(check: str, label: str) -> None:
    assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", canonical_label(check, label) or "")


def test_the_same_word_means_what_its_check_says() -> None:
    assert canonical_label("terrorism", "logo") == "violence.special_sign"
    assert canonical_label("logo", "logo") == "logo"
    assert canonical_label("porn", "porn") == "sexual.explicit"


def test_case_makes_no_difference() -> None:
    """One page of the vendor writes `pip`, its SDK `PIP` (query-apis.md, quirk 54)."""
    assert canonical_label("live", "PIP") == canonical_label("Live", "pip")


@pytest.mark.parametrize(
    ("check", "label"),
    [
        ("porn", "normal"),
        ("porn", "brand_new"),
        ("green_enhanced", "pornographic_adultContent_tii"),
        ("brand_new", "porn"),
        ("porn", ""),
        ("porn", None),
        (None, "porn"),
    ],
)
def test_an_unknown_pair_has_no_canonical_label(check: str | None, label: str | None) -> None:
    assert canonical_label(check, label) is None


@pytest.mark.parametrize(
    ("label", "suggestion", "hit"),
    [
        ("normal", "pass", False),
        ("Normal", "Pass", False),
        ("normal", None, False),
        (None, "pass", False),
        (None, None, False),
        ("normal", "review", True),
        ("normal", "brand_new", True),
        ("porn", "pass", True),
        ("porn", None, True),
        (None, "block", True),
    ],
)
def test_only_what_says_that_all_is_well_is_no_hit(
    label: str | None, suggestion: str | None, hit: bool
) -> None:
    assert is_hit(label, suggestion) is hit


def test_the_worst_suggestion_does_not_depend_on_the_order() -> None:
    for said in permutations(["pass", "block", "review", None, "escalate"]):
        assert worst(list(said)) == "block"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["pass", "pass"], "pass"),
        (["PASS", "Review"], "review"),
        (["escalate"], None),
        ([None, ""], None),
        ([], None),
    ],
)
def test_words_that_are_no_suggestion_do_not_count(said: list[str | None], expected: str | None) -> None:
    assert worst(said) == expected
