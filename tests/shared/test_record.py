"""A record has one form in bytes, and its published schema is the one that is used."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from cli.schema import path, schema_text
from shared.errors import ParseError
from shared.record import (
    Evidence,
    Finding,
    Job,
    JobRecord,
    Measure,
    Media,
    Score,
    Times,
    Unmapped,
    Verdict,
    canonical_bytes,
    digest,
    finding_line,
    read_record,
)

ANSWERS = Path(__file__).parents[1] / "data" / "answers"


def record(**changes: Any) -> JobRecord:
    fields: dict[str, Any] = {
        "normalizer_version": 1,
        "job": Job(kind="vod.media_audit", job_id="j"),
        "media": Media(),
        "status": "succeeded",
        "vendor_status": "success",
        "incomplete": False,
        "error": None,
        "times": Times(),
        "verdict": Verdict(),
        "findings": (),
    }
    return JobRecord(**{**fields, **changes})


def finding(**changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "id": "f",
        "modality": "video",
        "check": "porn",
        "label": None,
        "canonical_label": None,
        "source": "answer:/x",
    }
    return Finding(**{**fields, **changes})


def test_canonical_bytes_are_one_line_of_sorted_compact_json_in_utf8() -> None:
    stored = canonical_bytes(record(unmapped=(Unmapped(source="answer:/x", value="媒\u2028"),)))

    document = json.loads(stored)
    expected = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert stored == f"{expected}\n".encode()
    assert "媒\u2028".encode() in stored


def test_every_field_of_every_part_is_stored() -> None:
    told = finding(scores=(Score(text="1.50", value=1.5),), regions=((0, 0, 1280, 720.5),))
    whole = record(
        findings=(told,),
        measures=(Measure(name="m", value=None, text="n/a", source="answer:/m"),),
        evidence=(Evidence(id="e", url="http://x.test/a", source="answer:/e"),),
    )

    assert json.loads(canonical_bytes(whole)) == json.loads(whole.model_dump_json())


def test_the_digest_is_the_sha256_of_the_stored_bytes() -> None:
    stored = canonical_bytes(record())

    assert digest(stored) == hashlib.sha256(stored).hexdigest()


@given(
    st.lists(st.tuples(st.text(), st.floats(allow_nan=False, allow_infinity=False))),
    st.text(),
)
def test_any_text_and_any_number_survive_being_stored(scores: list[tuple[str, float]], text: str) -> None:
    measures = tuple(Measure(name="m", value=v, text=t, source="answer:/m") for t, v in scores)

    stored = canonical_bytes(record(measures=measures, vendor_status=text))

    assert JobRecord.model_validate_json(stored).vendor_status == text
    assert canonical_bytes(JobRecord.model_validate_json(stored)) == stored


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_in_no_record(value: float) -> None:
    with pytest.raises(ValueError, match="finite number"):
        Measure(name="m", value=value, text=None, source="a:")
    with pytest.raises(ValueError, match="finite number"):
        Score(text="1", value=value)
    with pytest.raises(ValueError, match="finite number"):
        finding(regions=((0.0, 0.0, value, 1.0),))
    stored = canonical_bytes(record(findings=(finding(scores=(Score(text="1", value=1.5),)),)))
    with pytest.raises(ParseError, match="no record"):
        read_record(stored.replace(b"1.5", str(value).encode()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": 5},
        {"start_ms": "0"},
        {"start_ms": 0.5},
        {"label": b"ad"},
        {"evidence": ["e"]},
        {"scores": ({"text": "1", "value": 1.0},)},
    ],
)
def test_a_finding_of_wrong_types_is_not_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(PydanticSerializationError, match=next(iter(wrong))):
        canonical_bytes(record(findings=(finding(**wrong),)))
    with pytest.raises(PydanticSerializationError, match=next(iter(wrong))):
        finding_line(finding(**wrong))


def test_keys_stand_in_the_order_of_their_names_at_every_depth() -> None:
    orders: list[list[str]] = []

    def keep(pairs: list[tuple[str, Any]]) -> None:
        orders.append([name for name, _ in pairs])

    for written in ANSWERS.glob("*/*/record.json"):
        stored = canonical_bytes(JobRecord.model_validate_json(written.read_bytes()))
        json.loads(stored, object_pairs_hook=keep)
        assert stored == written.read_bytes()

    assert len(orders) > 100
    assert all(names == sorted(names) for names in orders)


def test_a_record_cannot_be_changed_or_hold_what_the_schema_does_not_know() -> None:
    with pytest.raises(ValidationError):
        record().status = "failed"
    with pytest.raises(ValidationError):
        record(brand_new="field")
    with pytest.raises(TypeError):
        finding(brand_new="field")


def test_the_published_schema_is_the_one_that_is_used() -> None:
    """When this fails: `python -m cli.schema`, and read the difference as a reader of records would."""
    assert path("record-1").read_text(encoding="utf-8") == schema_text("record-1")


def test_the_published_schema_asks_for_every_field_and_allows_no_other() -> None:
    schema = json.loads(schema_text("record-1"))

    objects = [schema, *schema["$defs"].values()]
    assert all(item["additionalProperties"] is False for item in objects)
    assert all(set(item["required"]) == set(item["properties"]) for item in objects)
    assert set(json.loads(canonical_bytes(record()))) == set(schema["properties"])
