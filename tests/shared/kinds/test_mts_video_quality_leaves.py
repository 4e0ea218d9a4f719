"""Is every leaf of an answer, of its summary and of its file in the record?

Asked without any of the code that makes records. A leaf may be in the finding or measure that was made
from the object it stands in, in a header field, or in `unmapped` with exactly its source and text. The
only other way out is `is_ignored`, by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings

from shared.kinds.mts_video_quality import KIND
from shared.record import Finding, JobRecord, Measure
from shared.vendor import Part
from tests.shared.kinds.accounting import Leaf, leaves, without_queries
from tests.shared.kinds.answers import Json
from tests.shared.kinds.test_mts_video_quality_cases import ANSWERS, parts_of
from tests.shared.kinds.test_mts_video_quality_properties import (
    CASES,
    FIELDS,
    SCORES,
    SPOILT,
    check_of,
    milliseconds,
    quick,
    record_of,
    snake,
    written,
)

JOB = "answer:/Job"
SUMMARY = f"{JOB}/VideoQualityResults"
DOCUMENTED = {*FIELDS, "JobId", "Status", "UserId", "Output", "Message", "VideoQualityResults", "type"}


def documents(text: str) -> list[Json]:
    """Read JSON values in a row; none, if that fails anywhere."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    found, at = [], 0
    try:
        while text[at:].strip():
            at += len(text[at:]) - len(text[at:].lstrip())
            value, at = decoder.raw_decode(text, at)
            found.append(value)
    except json.JSONDecodeError:
        return []
    return found


def every_leaf(parts: Sequence[Part]) -> Iterator[Leaf]:
    for part in parts:
        # The one slip of the page's example; no other case has the character.
        text = part.body.decode().replace("\uff0c {", ", {")
        if part.name == "output":
            yield from leaves(documents(text), "output:")
            continue
        for leaf in leaves(documents(text)[0]):
            inside = documents(leaf.value) if isinstance(leaf.value, str) and leaf.source == SUMMARY else []
            tree = inside[0] if len(inside) == 1 else inside
            if isinstance(tree, (dict, list)) and inside:
                yield from leaves(tree, f"{SUMMARY}#")
            else:
                yield leaf


def is_kept(leaf: Leaf, record: JobRecord) -> bool:
    unmapped = {item.source: item.value for item in record.unmapped}
    if leaf.source in unmapped:
        return unmapped[leaf.source] == without_queries(leaf.text)
    return is_ignored(leaf, record) or is_mapped(leaf, record)


def is_ignored(leaf: Leaf, record: JobRecord) -> bool:
    """Tell whether a leaf is left out by name, or says nothing (quirk 44)."""
    if re.match(r"answer:/(RequestId|Code|Message)(/|$)", leaf.source):
        return True  # of the query, not of the job
    if leaf.source.startswith(f"{JOB}/Message") and record.status == "succeeded":
        return True  # "The job is completed successfully"
    if leaf.value in (None, ""):
        # A check that is null, under whatever name, or a documented field.
        return leaf.name in DOCUMENTED or re.fullmatch(r".*(:/[0-9]+|#|#/[0-9]+)", leaf.parent) is not None
    return leaf.name == "type" and snake(leaf.text) == check_of(leaf.parent)


def is_mapped(leaf: Leaf, record: JobRecord) -> bool:
    text = without_queries(leaf.text)
    if leaf.parent == JOB:
        return not isinstance(leaf.value, bool) and text == header(record).get(leaf.name)
    region = re.fullmatch(r"(output:.*)/(border|box)/[0-9]+(/[0-9]+)?", leaf.source)
    if region:
        found = [edge for item in items(record, region[1]) for edges in item.regions for edge in edges]
        return float(text) in found
    return any(is_said(leaf, text, item) for item in items(record, leaf.parent))


def header(record: JobRecord) -> dict[str, str | None]:
    return {
        "JobId": record.job.job_id,
        "Status": record.vendor_status,
        "UserId": record.job.user_id,
        "Output": record.media.output,
        "Message": record.error.message if record.error else None,
    }


def items(record: JobRecord, source: str) -> list[Any]:
    found: list[Finding | Measure] = [*record.findings, *record.measures]
    return [item for item in found if source in (item.source, *getattr(item, "other_sources", ()))]


def is_said(leaf: Leaf, text: str, item: Finding | Measure) -> bool:
    if leaf.name in ("TimeStamp", "timestamp"):
        return item.start_ms == milliseconds(text)
    if leaf.name in ("Result", "result"):
        return item.label == text
    if leaf.name in SCORES:
        # A ratio is one everywhere; the file's scores leave the scale of the summary's (quirk 17).
        score = "0-1" if leaf.source.startswith("answer:") else None
        return (text, score if leaf.name in ("Score", "score") else "ratio") in numbers(item)
    return leaf.name == "id" and isinstance(item, Finding) and item.frame == int(text)


def numbers(item: Finding | Measure) -> list[tuple[str | None, str | None]]:
    if isinstance(item, Measure):
        return [(item.text, item.unit)]
    return [(score.text, score.scale) for score in item.scores]


@quick
@given(CASES)
def test_a_documented_answer_is_mapped_to_the_last_leaf_of_a_finding(case: Json) -> None:
    parts = written(case)

    record = KIND.normalize(parts)

    # A normal entry is a measure, which has no place in the frame; a job that runs has no message yet.
    places = [item.source for item in record.unmapped if re.search(r"/(id|border|box)(/|$)", item.source)]
    assert {item.source for item in record.unmapped} <= {*places, f"{JOB}/Message"}
    assert all(any(at.startswith(f"{m.source}/") for m in record.measures) for at in places)
    assert [leaf for leaf in every_leaf(parts) if not is_kept(leaf, record)] == []


@settings(quick, max_examples=300)
@given(SPOILT)
def test_no_leaf_of_answer_summary_or_file_is_lost(case: Json) -> None:
    parts = written(case)

    record = record_of(parts)

    assert record is None or [leaf for leaf in every_leaf(parts) if not is_kept(leaf, record)] == []


@pytest.mark.parametrize("name", sorted({answer.parent.name for answer in ANSWERS} - {"unreadable-file"}))
def test_no_leaf_of_a_recorded_answer_is_lost(name: str) -> None:
    answer = next(answer for answer in ANSWERS if answer.parent.name == name and answer.suffix == ".json")
    parts = parts_of(answer)

    record = KIND.normalize(parts)

    assert [leaf for leaf in every_leaf(parts) if not is_kept(leaf, record)] == []
