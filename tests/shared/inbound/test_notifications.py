from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import CorruptRowError, ParseError
from shared.inbound.notifications import Claim, Notification, read
from shared.inbound.notifications.vod import OTHER_EVENTS
from shared.jobs import JobRef
from tests.shared.inbound.readings import body_of, notification, readable, set_aside


def vod(**fields: object) -> bytes:
    body = {
        "EventTime": "2017-03-20T07:49:17Z",
        "EventType": "AIMediaAuditComplete",
        "JobId": "43a91bdbc266af6894c943a70176d92e",
        "MediaId": "fe028d09441d4a2f9cd1afffb138cd7e",
        "Status": "success",
        "Code": "0",
        "Message": "OK",
        "Data": {"Suggestion": "review", "Label": "porn"},
        **fields,
    }
    return body_of(body)


def test_a_finished_review_names_its_job_and_what_it_claims() -> None:
    assert read(vod()) == Notification(
        ref=JobRef("vod.media_audit", "43a91bdbc266af6894c943a70176d92e"),
        claim=Claim("succeeded", "review"),
        event_type="AIMediaAuditComplete",
        event_time=1_489_996_157_000,
        media_id="fe028d09441d4a2f9cd1afffb138cd7e",
    )


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2017-03-20T07:49:17Z", 1_489_996_157_000),
        ("2022-10-20T10:29:46:540Z", 1_666_261_786_540),
        ("2022-10-20T10:29:46.540Z", 1_666_261_786_540),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_all_three_spellings_of_the_event_time_are_read(text: str, ms: int) -> None:
    assert notification(vod(EventTime=text)).event_time == ms


@pytest.mark.parametrize(
    "value",
    [
        "2022-13-20T10:29:46Z",
        "2022-10-20T10:29:60Z",
        "0000-10-20T10:29:46Z",
        "2022-10-20T10:29:46.5Z",
        "2022-10-20T10:29:46+08:00",
        "2022-10-20 10:29:46",
        "٢٠٢٢-10-20T10:29:46Z",
        "",
        1666261786,
        None,
        {},
    ],
)
def test_what_is_no_such_time_is_left_out(value: object) -> None:
    assert notification(vod(EventTime=value)).event_time is None


@pytest.mark.parametrize(
    ("status", "claim"),
    [
        ("success", Claim("succeeded", "review")),
        ("SUCCESS", Claim("succeeded", "review")),
        ("fail", Claim("failed")),
        ("Fail", Claim("failed")),
        ("processing", None),
        ("succeeded", None),
        ("", None),
        (None, None),
        (1, None),
        (True, None),
        (["success"], None),
        ("(absent)", None),
    ],
)
def test_only_a_terminal_status_that_is_understood_is_a_claim(status: object, claim: Claim | None) -> None:
    assert notification(vod(Status=status)).claim == claim


@pytest.mark.parametrize(
    ("data", "suggestion"),
    [
        ({"Suggestion": "block"}, "block"),
        ('{"Suggestion": "block"}', "block"),
        ({"Suggestion": "block now!"}, None),
        ({"Suggestion": "x" * 10_000}, None),
        ({"Suggestion": ["block"]}, None),
        ({"Suggestion": 1}, None),
        ({}, None),
        ("{broken", None),
        ('{"Suggestion": "block", "Suggestion": "pass"}', None),
        ("[" * 10_000, None),
        ("", None),
        ([{"Suggestion": "block"}], None),
        (7, None),
        (None, None),
        ("(absent)", None),
    ],
)
def test_the_suggestion_comes_from_data_object_or_text(data: object, suggestion: str | None) -> None:
    assert notification(vod(Data=data)).claim == Claim("succeeded", suggestion)


def test_a_failed_review_claims_no_suggestion() -> None:
    assert notification(vod(Status="fail")).claim == Claim("failed", None)


@pytest.mark.parametrize(
    ("job_id", "reason"),
    [
        ("(absent)", "JobId is missing"),
        (None, "JobId is missing"),
        ("", "JobId is empty"),
        (43, "JobId is not text"),
        (4.5, "JobId is not text"),
        (True, "JobId is not text"),
        ({"id": "x"}, "JobId is not text"),
        (["x"], "JobId is not text"),
        ("x" * 129, "JobId is too long"),
        ("x" * 10_240, "JobId is too long"),
        ("审" * 20, "too long for a key"),
    ],
)
def test_without_a_usable_job_id_the_body_is_unreadable(job_id: object, reason: str) -> None:
    with pytest.raises(ParseError, match=reason) as caught:
        read(vod(JobId=job_id))

    assert (caught.value.layer, caught.value.details["field"]) == ("vod", "JobId")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("media_id", [5, None, "", "x" * 10_000, {}, "(absent)"])
def test_a_media_id_that_is_none_is_left_out(media_id: object) -> None:
    assert notification(vod(MediaId=media_id)).media_id is None


@pytest.mark.parametrize("event_type", sorted(OTHER_EVENTS))
def test_other_documented_events_are_set_aside_as_known(event_type: str) -> None:
    found = set_aside(vod(EventType=event_type, JobId=None))

    assert (found.event_type, found.known) == (event_type, True)


@pytest.mark.parametrize("event_type", ["AIVideoCoverComplete", "aimediaauditcomplete", "审"])
def test_an_event_that_nobody_documented_is_set_aside_as_unknown(event_type: str) -> None:
    found = set_aside(vod(EventType=event_type))

    assert (found.event_type, found.known) == (event_type, False)
    assert "does not know" in found.reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"hello topic", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "EventType is missing"),
        (b'{"Status": "success"}', "EventType is missing"),
        (b'{"JobId": 5, "Status": "success"}', "EventType is missing"),
        (
            b'{"eventType": "AIMediaAuditComplete", "JobId": "x"}',
            "EventType is missing, but in another casing",
        ),
        (b'{"EventType": 5}', "EventType is not text"),
        (b'{"EventType": null}', "EventType is missing"),
        (b'{"EventType": "' + b"x" * 10_000 + b'"}', "EventType is too long"),
        (b'{"Type": ["x"]}', "Type is not text"),
        (b'{"EventType": "A", "EventType": "B"}', "twice"),
        (b'{"EventType": NaN}', "NaN"),
        (b'{"EventType": "\\ud800"}', "surrogate"),
        (b'{"a":' * 10_000, "deep"),
        (b'{"a": "' + b"x" * 20_000_000 + b'"}', "EventType is missing"),
    ],
)
def test_a_body_that_nobody_can_read_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason) as caught:
        read(body)

    assert caught.value.layer
    assert len(str(caught.value)) < 200


def test_a_byte_order_mark_is_tolerated() -> None:
    assert read(b"\xef\xbb\xbf" + vod()) == read(vod())


@given(st.binary() | st.text().map(lambda text: text.encode(errors="replace")))
def test_bytes_are_read_or_unreadable_and_nothing_else(body: bytes) -> None:
    found = readable(body)

    assert found is None or found.event_type


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_FIELDS = ["EventTime", "EventType", "JobId", "MediaId", "Status", "Data", "MessageBody", "Type", "type"]


@given(st.dictionaries(st.sampled_from(_FIELDS), _VALUES))
def test_no_wrong_type_in_any_field_is_a_crash_or_a_guess(change: dict[str, Any]) -> None:
    body = json.loads(vod()) | change

    found = readable(json.dumps(body).encode())

    if isinstance(found, Notification):
        assert found.ref.job_id == body["JobId"]
        assert found.claim is None or str(body["Status"]).lower() in ("success", "fail")


@given(
    st.sampled_from(["succeeded", "failed"]),
    st.none() | st.text(min_size=1),
)
def test_a_claim_is_read_back_from_its_text(status: Any, suggestion: str | None) -> None:
    claim = Claim(status, suggestion)

    assert Claim.parse(claim.text) == claim


def test_the_text_of_a_claim_is_what_a_person_would_write() -> None:
    assert Claim("succeeded", "block").text == "succeeded/block"
    assert Claim("succeeded").text == "succeeded"
    assert Claim("failed").text == "failed"


@pytest.mark.parametrize("text", ["", "running", "succeeded/", "/block", "Succeeded", "failed "])
def test_text_that_is_no_claim_is_a_corrupt_row(text: str) -> None:
    with pytest.raises(CorruptRowError, match="not a claim"):
        Claim.parse(text)


@pytest.mark.parametrize(
    ("claim", "status", "suggestion", "agrees"),
    [
        (Claim("succeeded", "block"), "succeeded", "block", True),
        (Claim("succeeded", "block"), "succeeded", "pass", False),
        (Claim("succeeded", "block"), "succeeded", None, True),
        (Claim("succeeded"), "succeeded", "pass", True),
        (Claim("failed"), "succeeded", None, False),
        (Claim("succeeded"), "failed", None, False),
    ],
)
def test_a_record_bears_a_claim_out_unless_both_say_something_else(
    claim: Claim, status: str, suggestion: str | None, agrees: bool
) -> None:
    assert claim.agrees(status, suggestion) is agrees
