"""Vendor labels and what they are called here: one table.

The same word means different things by check (`logo` is a terrorism sign in one and a scene of its
own in another), so the key is (check, label), label in lower case: the vendor writes `pip` and `PIP`
(query-apis.md 5.2 and quirks 51, 54, 55, 56). A pair that is not here has no canonical label; it is
never guessed, and the vendor's own word is always kept beside it.
"""

from __future__ import annotations

_ANTISPAM = {
    "spam": "text.spam",
    "ad": "text.advertising",
    "politics": "political",
    "terrorism": "violence.terrorism",
    "abuse": "text.abuse",
    "porn": "sexual.explicit",
    "flood": "text.flooding",
    "contraband": "illegal.contraband",
    "meaningless": "text.meaningless",
}

_CANONICAL: dict[str, dict[str, str]] = {
    "porn": {"porn": "sexual.explicit", "sexy": "sexual.suggestive"},
    "terrorism": {
        "terrorism": "violence.terrorism",
        "bloody": "violence.blood",
        "explosion": "violence.explosion",
        "outfit": "violence.special_outfit",
        "logo": "violence.special_sign",
        "weapon": "violence.weapon",
        "violence": "violence.fighting",
        "politics": "political",
        "crowd": "political.crowd",
        "parade": "political.parade",
        "flag": "political.flag",
        "location": "political.location",
        "carcrash": "accident.car_crash",
        "others": "violence.unspecified",
    },
    "ad": {
        "ad": "advertising",
        "politics": "political",
        "porn": "sexual.explicit",
        "abuse": "text.abuse",
        "terrorism": "violence.terrorism",
        "contraband": "illegal.contraband",
        "spam": "text.spam",
        "npx": "advertising.flyposting",
        "qrcode": "advertising.qr_code",
        "programcode": "advertising.mini_program_code",
    },
    "live": {
        "meaningless": "quality.meaningless",
        "pip": "quality.picture_in_picture",
        "smoking": "behaviour.smoking",
        "drivelive": "behaviour.driving_while_live",
    },
    "logo": {"logo": "logo", "tv": "logo.regulated", "trademark": "logo.trademark"},
    "antispam": _ANTISPAM,
    # Video quality review of MPS; where an entry has no word of its own, its check is the label.
    "blockness": {"blocking": "quality.blocking", "blockness": "quality.blocking"},
    "brightness": {
        "dark": "quality.dark",
        "bright": "quality.bright",
        "black": "quality.black_frame",
        "white": "quality.white_frame",
    },
    "freeze": {"freeze": "quality.freeze"},
    "image_definition": {"image_definition": "quality.blur"},
    "less_expose": {"less_expose": "quality.underexposed"},
    "over_expose": {"over_expose": "quality.overexposed"},
    "border": {"border": "quality.border"},
    "noise": {"noise": "quality.noise"},
    "mosaic": {"mosaic": "quality.mosaic"},
}

NORMAL = "normal"
PASS = "pass"
_SEVERITY = {PASS: 0, "review": 1, "block": 2}

SUGGESTIONS = frozenset(_SEVERITY)
KNOWN_LABELS = frozenset({NORMAL, "audio"}).union(  # `audio` stands at the top of a VOD review alone
    *({check, *table, *table.values()} for check, table in _CANONICAL.items())
)
"""Every word that may stand as a label in a record, in lower case: the vendor's, and ours for them."""


def canonical_label(check: str | None, label: str | None) -> str | None:
    """Translate a vendor label; None when the table does not know the pair."""
    if check is None or label is None:
        return None
    return _CANONICAL.get(check.casefold(), {}).get(label.casefold())


def is_hit(label: str | None, suggestion: str | None) -> bool:
    """Tell whether an entry says that something was found.

    `normal` with any other suggestion than `pass` is a contradiction that somebody should see, and
    so is `pass` on a label: both are hits.
    """
    return (label or NORMAL).casefold() != NORMAL or (suggestion or PASS).casefold() != PASS


def worst(suggestions: list[str | None]) -> str | None:
    """Give the most severe suggestion, in lower case; words that are none of the three do not count."""
    known = {s.casefold() for s in suggestions if s} & _SEVERITY.keys()
    return max(known, key=_SEVERITY.__getitem__, default=None)
