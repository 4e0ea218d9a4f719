"""Reading what the submit side says: each item by itself, the wrong ones named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.announcements import FIELDS, MAX_BYTES, MAX_ITEMS, Announcement, Refusal, read, read_item
from shared.errors import ParseError
from shared.jobs import JobRef

CANARY = "canary-that-nobody-may-see"
FULL = {
    "kind": "mts.video_quality",
    "job_id": "a",
    "region": "cn-shanghai",
    "user_id": "1",
    "output": "oss://b.oss-cn-shanghai.aliyuncs.com/k.txt",
    "media_id": "m",
    "expected_seconds": 90,
    "submitted_at": "2025-11-20T13:00:00.250+01:00",
}


def encoded(*items: object) -> bytes:
    """Write items, one in each line."""
    return b"\n".join(json.dumps(item).encode() for item in items)


def test_all_that_can_be_said_of_a_job_is_read() -> None:
    assert set(FULL) == set(FIELDS)
    assert read(encoded(FULL)) == [
        Announcement(
            JobRef("mts.video_quality", "a"),
            region="cn-shanghai",
            user_id="1",
            output="oss://b.oss-cn-shanghai.aliyuncs.com/k.txt",
            media_id="m",
            expected=90_000,
            submitted_at=1_763_640_000_250,
        )
    ]


@pytest.mark.parametrize(
    ("item", "kind", "media_id"),
    [
        ({"RequestId": "r", "JobId": "a", "MediaId": "m"}, "vod.media_audit", "m"),
        ({"RequestId": "r", "JobId": "a", "Code": "Success", "Message": ""}, "mts.video_quality", None),
        ({"kind": "mts.production", "answer": {"RequestId": "r", "JobId": "a"}}, "mts.production", None),
        (
            {"kind": "mts.production", "answer": {"JobId": "a", "Result": {"Data": {"file": "QUJD"}}}},
            "mts.production",
            None,
        ),
        ({"kind": "ice.production", "answer": {"RequestId": "r", "JobId": "a"}}, "ice.production", None),
        # What the envelope says goes before what the answer looks like.
        ({"kind": "ice.production", "answer": {"JobId": "a", "MediaId": "m"}}, "ice.production", "m"),
    ],
)
def test_what_a_submit_action_answered_announces_its_job(
    item: dict[str, Any], kind: str, media_id: str | None
) -> None:
    assert read(encoded(item)) == [Announcement(JobRef(kind, "a"), media_id=media_id)]


JOB = {"kind": "ice.production", "job_id": "a"}


@pytest.mark.parametrize(
    ("item", "name", "field"),
    [
        ("text", "", "not an object"),
        ({}, "", "kind"),
        ({"job_id": "a"}, "a", "kind"),
        ({"kind": "ice.production"}, "ice.production", "job_id"),
        ({**JOB, "job_id": ""}, "ice.production/", "job_id: the job id is empty"),
        ({**JOB, "job_id": "x" * 200}, f"ice.production/{'x' * 85}", "job_id: the job id is too long"),
        ({**JOB, "job_id": ["a"]}, "ice.production", "job_id"),
        ({**JOB, "region": "CN Shanghai"}, "ice.production/a", "region: regions look like cn-shanghai"),
        ({**JOB, "region": "evil.example/"}, "ice.production/a", "region"),
        ({**JOB, "user_id": "someone"}, "ice.production/a", "user_id: account ids are numbers"),
        ({**JOB, "output": "https://b/k?Signature=x"}, "ice.production/a", "output"),
        ({**JOB, "output": "oss://b/k?x=y"}, "ice.production/a", "output: outputs look like"),
        ({**JOB, "media_id": ""}, "ice.production/a", "media_id"),
        ({**JOB, "expected_seconds": -1}, "ice.production/a", "expected_seconds"),
        ({**JOB, "expected_seconds": 604_801}, "ice.production/a", "expected_seconds"),
        ({**JOB, "submitted_at": "2025-11-20T12:00:00"}, "ice.production/a", "submitted_at"),
        ({**JOB, "jobid": "a"}, "ice.production/a", "jobid: Extra inputs"),
        ({"RequestId": "r", "JobId": "a"}, "a", "kind is missing"),
        ({"RequestId": "r", "Code": "Throttling", "Message": "m"}, "", "JobId"),
        ({"kind": "mts.production", "answer": "text"}, "mts.production", "input should be"),
    ],
)
def test_a_wrong_item_is_refused_by_what_it_calls_itself_and_what_is_wrong(
    item: object, name: str, field: str
) -> None:
    (refused,) = read(encoded([item]))

    assert isinstance(refused, Refusal)
    assert refused.name == name
    assert field.casefold() in refused.reason.casefold()


@pytest.mark.parametrize("field", [name for name in FIELDS if name != "job_id"])
def test_a_reason_never_holds_the_value_that_is_wrong(field: str) -> None:
    item = {**JOB, field: {"https://b.example/k": f"https://b.example/k?Signature={CANARY}"}}
    (refused,) = read(encoded(item))

    assert isinstance(refused, Refusal)
    assert CANARY not in refused.name + refused.reason


def test_the_name_of_a_refused_item_holds_no_signature() -> None:
    (refused,) = read(encoded({**JOB, "job_id": f"https://b.example/k?Signature={CANARY}", "region": "?"}))

    assert isinstance(refused, Refusal)
    assert CANARY not in refused.name + refused.reason


ITEMS = [{"kind": "ice.production", "job_id": name} for name in ("a", "b", "c")]


@pytest.mark.parametrize(
    "payload",
    [
        json.dumps(ITEMS).encode(),
        json.dumps(ITEMS, indent=2).encode(),
        encoded(*ITEMS),
        encoded(*ITEMS).replace(b"\n", b"\r\n\r\n") + b"\r\n",
        b"\xef\xbb\xbf" + json.dumps(ITEMS).encode(),
        b"\xef\xbb\xbf" + encoded(*ITEMS),
        b"[\n" + b",\n".join(json.dumps(item).encode() for item in ITEMS) + b"\n]\n",
        b"\n \t[" + encoded(*ITEMS).replace(b"\n", b",\n") + b"]",
    ],
    ids=[
        "array",
        "indented",
        "lines",
        "blank lines",
        "array after a mark",
        "lines after a mark",
        "array of one in each line",
        "array after blanks",
    ],
)
def test_many_jobs_come_in_an_array_or_one_in_each_line(payload: bytes) -> None:
    assert read(payload) == [Announcement(JobRef("ice.production", name)) for name in ("a", "b", "c")]


def test_one_indented_object_is_one_item() -> None:
    assert read(json.dumps({"kind": "ice.production", "answer": {"JobId": "a"}}, indent=4).encode()) == [
        Announcement(JobRef("ice.production", "a"))
    ]


def test_a_line_that_is_no_json_harms_no_other() -> None:
    first, broken, last = read(encoded(ITEMS[0]) + b'\n{"kind": "ice.prod\n' + encoded(ITEMS[2]))

    assert (first, last) == tuple(Announcement(JobRef("ice.production", name)) for name in ("a", "c"))
    assert isinstance(broken, Refusal)
    assert "not JSON" in broken.reason


@pytest.mark.parametrize(
    "payload",
    [b"", b"\n", b"[]", b"{", b"\xff", b'{"kind": NaN}', b"[" * 1000, b" " * (MAX_BYTES + 1)],
    ids=["empty", "blank", "no item", "cut", "not text", "no number", "deep", "large"],
)
def test_a_payload_without_any_item_is_unreadable(payload: bytes) -> None:
    with pytest.raises(ParseError):
        read(payload)


@pytest.mark.parametrize("payload", [b"[%s]" % b",".join([b"0"] * (MAX_ITEMS + 1)), b"{\n" * (MAX_ITEMS + 1)])
def test_more_items_than_one_payload_may_have_are_refused_unread(payload: bytes) -> None:
    with pytest.raises(ParseError, match=f"limit={MAX_ITEMS}"):
        read(payload)


def test_as_many_items_as_a_payload_may_have_are_read() -> None:
    assert len(read(b"[%s]" % b",".join([b"0"] * MAX_ITEMS))) == MAX_ITEMS


def test_of_many_things_that_are_wrong_with_an_item_the_first_are_told() -> None:
    (refused,) = read(encoded({**JOB, **{f"x{number}": 0 for number in range(1_000)}}))

    assert isinstance(refused, Refusal)
    assert refused.reason.endswith("; and 992 more")


def test_defaults_stand_in_for_what_an_item_does_not_say() -> None:
    defaults = {"kind": "ice.production", "region": "cn-beijing", "output": "oss://b/k"}

    assert read_item({"JobId": "a"}, defaults) == Announcement(
        JobRef("ice.production", "a"), region="cn-beijing", output="oss://b/k"
    )
    assert read_item({"JobId": "a", "MediaId": "m"}, {"kind": "ice.production"}) == Announcement(
        JobRef("vod.media_audit", "a"), media_id="m"
    )
    assert read_item({"job_id": "a", "region": "cn-shanghai"}, defaults) == Announcement(
        JobRef("ice.production", "a"), region="cn-shanghai", output="oss://b/k"
    )


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ITEM = st.dictionaries(st.sampled_from([*FIELDS, "answer", "JobId", "MediaId", "Code", "x"]), ANY_JSON)


@given(st.lists(ITEM | ANY_JSON, min_size=1))
def test_every_item_is_announced_or_refused_whatever_it_is(items: list[object]) -> None:
    found = read(json.dumps(items).encode())

    assert len(found) == len(items)


@given(ITEM)
def test_an_item_says_the_same_alone_and_in_a_line(item: Mapping[str, object]) -> None:
    assert read(encoded([item])) * 2 == read(encoded(item, item))
