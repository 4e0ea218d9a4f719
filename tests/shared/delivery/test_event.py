"""Events keep to CloudEvents 1.0.2: its spec, and its JSON event format in structured mode."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.event import SettledVersion, event_id, make_event
from shared.delivery.targets import SIZE_LIMITS, Target, TargetKind
from shared.jobs import JobRef
from shared.record import JobRecord, Score, Unmapped, canonical_bytes, digest
from tests.judged_answers import answered
from tests.scripted_vendor import answer

NOON = 1_763_640_000_000
REQUIRED = {"specversion", "id", "source", "type"}
OPTIONAL = {"datacontenttype", "dataschema", "subject", "time"}

PLAIN = Target("desk", "https://desk.example/", "https")
WHOLE = Target("desk", "https://desk.example/", "https", inline_record=True)


def version(stored: bytes, job_id: str = "j", number: int = 1, settled_at: int = NOON) -> SettledVersion:
    ref = JobRef("vod.media_audit", job_id)
    of = digest(stored)
    return SettledVersion(
        ref, number, of, settled_at, f"versions/{ref.path}/{of}.json", (f"raw/{ref.path}/1.json",)
    )


def event(
    stored: bytes, target: Target = PLAIN, *, source: str = "media-ledger", **more: Any
) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(make_event(version(stored, **more), stored, target, source=source))
    return made


def a_record(suggestion: str = "block") -> JobRecord:
    return answered(answer("j", suggestion=suggestion)).record


@given(st.text(min_size=1, max_size=9), st.integers(0, 2**41), st.sampled_from([PLAIN, WHOLE]))
def test_attributes_are_those_of_the_spec_and_of_its_types(
    job_id: str, settled_at: int, target: Target
) -> None:
    made = event(canonical_bytes(a_record()), target, job_id=job_id, settled_at=settled_at)

    attributes = {name: value for name, value in made.items() if name != "data"}
    assert REQUIRED <= attributes.keys() <= REQUIRED | OPTIONAL
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in attributes)
    assert all(isinstance(value, str) and value for value in attributes.values())
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "".join(attributes.values()))
    assert made["specversion"] == "1.0"
    assert urlsplit(made["source"]).geturl() == made["source"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["time"])
    assert datetime.fromisoformat(made["time"].replace("Z", "+00:00")).timestamp() == settled_at / 1000
    assert made["datacontenttype"] == "application/json"


def test_an_event_says_what_became_of_the_job_and_where_everything_lies() -> None:
    stored = canonical_bytes(a_record())
    of = digest(stored)

    made = event(stored, number=2, source="media-ledger/staging")

    key = JobRef("vod.media_audit", "j").key
    assert made == {
        "specversion": "1.0",
        "id": hashlib.sha256(f"{key}\0{of}".encode()).hexdigest(),
        "source": "media-ledger/staging",
        "type": "media-ledger.job.succeeded",
        "subject": key,
        "time": "2025-11-20T12:00:00.000Z",
        "datacontenttype": "application/json",
        "data": {
            "schema_version": 1,
            "kind": "vod.media_audit",
            "job_id": "j",
            "status": "succeeded",
            "verdict": {"suggestion": "block", "computed_suggestion": None, "labels": []},
            "version": 2,
            "digest": of,
            "record_key": f"versions/vod.media_audit/j/{of}.json",
            "raw_keys": ["raw/vod.media_audit/j/1.json"],
        },
    }


def test_a_failed_job_is_an_event_of_its_own_type() -> None:
    failed = answered(answer("j", "fail", suggestion=None)).record

    made = event(canonical_bytes(failed))

    assert (made["type"], made["data"]["status"]) == ("media-ledger.job.failed", "failed")


def test_another_version_is_another_event_and_the_same_one_is_the_same_bytes() -> None:
    one, other = (canonical_bytes(a_record(word)) for word in ("block", "pass"))

    assert event(one)["id"] != event(other)["id"]
    assert event_id("a", "b\0c") != event_id("a\0b", "d")
    assert make_event(version(one), one, PLAIN, source="s") == make_event(
        version(one), one, PLAIN, source="s"
    )


@given(st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20))
def test_a_record_in_an_event_has_the_digest_that_the_event_names(number: float, text: str) -> None:
    odd = Unmapped(source="answer:/x", value=text)
    finding = a_record().findings[:1]
    scored = tuple(replace(one, scores=(Score(text="1", value=number),)) for one in finding)
    stored = canonical_bytes(a_record().model_copy(update={"unmapped": (odd,), "findings": scored}))

    body = make_event(version(stored), stored, WHOLE, source="media-ledger")

    inlined = body.partition(b'"record":')[2].partition(b',"record_key":')[0]
    assert digest(inlined + b"\n") == json.loads(body)["data"]["digest"] == digest(stored)


@pytest.mark.parametrize("kind", [kind for kind in SIZE_LIMITS if kind != "hook"])
def test_a_record_that_does_not_fit_is_left_out_and_the_event_says_so(kind: TargetKind) -> None:
    target = Target("desk", "", kind, inline_record=True)

    def made(padding: int) -> bytes:
        unmapped = (Unmapped(source="answer:/x", value="x" * padding),)
        stored = canonical_bytes(a_record().model_copy(update={"unmapped": unmapped}))
        return make_event(version(b"whatever"), stored, target, source="media-ledger")

    fits = target.size_limit - len(made(0))

    assert len(made(fits)) == target.size_limit
    assert "record" in json.loads(made(fits))["data"]
    assert json.loads(made(fits + 1))["data"]["record_omitted"] == "too large"
    assert "record" not in json.loads(made(fits + 1))["data"]


def test_a_text_of_any_script_comes_through() -> None:
    odd = a_record().model_copy(update={"unmapped": (Unmapped(source="answer:/x", value="媒\u2028\0"),)})

    made = event(canonical_bytes(odd), WHOLE)

    assert made["data"]["record"]["unmapped"][0]["value"] == "媒\u2028\0"
