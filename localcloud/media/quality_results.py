"""Results of a video quality review, drawn at random over all nine checks.

One set of problem frames is told twice, in the two formats of query-apis.md 4: in short in the query's
answer, with numbers and places in the Output file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

Entry: TypeAlias = "dict[str, object]"

# What the three judging checks can say of a frame; each of them can also say `normal` (quirk 24).
JUDGING: dict[str, tuple[str, ...]] = {
    "brightness": ("dark", "bright", "black", "white"),
    "blockness": ("blocking",),
    "freeze": ("freeze",),
}
# The measuring checks, with what the Output file calls the ratio (quirk 16).
MEASURING = {"less_expose": "ratio", "over_expose": "ratio", "noise": "noise_rate"}
PLACING = ("border", "mosaic", "image_definition")
CHECKS = (*JUDGING, *MEASURING, *PLACING)

_FRAMES = 900
_FRAME_MS = 40
_WIDTH, _HEIGHT = 1280, 720


@dataclass(frozen=True)
class QualityResults:
    """`summary` is the text of `VideoQualityResults`, `file` the Output file."""

    summary: str
    file: bytes


def draw(random: Random) -> QualityResults:
    """Draw what a review has found; a check without problem frames is not in the summary."""
    summary: dict[str, list[Entry]] = {}
    documents: list[dict[str, list[Entry]]] = []
    for check in CHECKS:
        frames = sorted(random.sample(range(_FRAMES), random.randint(0, 3)))
        entries = [_entries(random, check, frame) for frame in frames]
        if frames:
            summary[_in_pascal_case(check)] = [short for short, _ in entries]
        told = [full for _, full in entries]
        if check in JUDGING:
            # A frame that is well: only the file lists such.
            told.append(_judged(random, check, "normal", random.randrange(_FRAMES) * _FRAME_MS))
        if told:
            documents.append({check: told})
    # The file is one document per check, with no more than a space between (quirk 1).
    file = " ".join(json.dumps(document, indent="\t") for document in documents)
    return QualityResults(json.dumps(summary, separators=(",", ":")), file.encode())


def _entries(random: Random, check: str, frame: int) -> tuple[Entry, Entry]:
    """Draw one problem frame, as the summary tells it and as the file does."""
    at_ms = frame * _FRAME_MS
    when: Entry = {"TimeStamp": _clock_time(at_ms)}
    numbered: Entry = {"id": frame, "timestamp": float(at_ms)}
    if check in JUDGING:
        result = random.choice(JUDGING[check])
        # Two scores on two scales (query-apis.md 4); of three results the summary tells one (quirk 23).
        short: Entry = {"Result": result} if check == "brightness" else {}
        short["Score"] = f"{random.random():.2f}"
        return short | when, _judged(random, check, result, at_ms)
    if check in MEASURING:
        ratio = f"{random.random():.16f}"
        return {"Ratio": ratio} | when, {MEASURING[check]: ratio} | numbered
    return when, _place(random, check) | numbered


def _judged(random: Random, check: str, result: str, at_ms: int) -> Entry:
    return {"result": result, "score": random.uniform(-3, 5), "timestamp": str(at_ms), "type": check}


def _place(random: Random, check: str) -> Entry:
    if check == "border":
        return {"border": [random.randint(0, 9), 0, _WIDTH, _HEIGHT]}
    if check == "mosaic":
        return {"box": [_box(random) for _ in range(random.randint(1, 4))]}
    return {}  # a blurred frame has no place and no score in either form (quirk 22)


def _box(random: Random) -> list[int]:
    left, top = random.randrange(_WIDTH - 80), random.randrange(_HEIGHT - 80)
    return [left, top, left + random.randint(20, 80), top + random.randint(20, 80)]


def _clock_time(ms: int) -> str:
    """Write a position as `hh:mm:ss.SSS`, whole seconds with one zero (quirk 6)."""
    seconds, rest = divmod(ms, 1000)
    fraction = f"{rest:03d}" if rest else "0"
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction}"


def _in_pascal_case(check: str) -> str:
    return "".join(word.title() for word in check.split("_"))
