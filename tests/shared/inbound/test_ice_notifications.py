from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ParseError
from shared.inbound.notifications import Claim, Notification, read
from shared.inbound.notifications.ice import OTHER_EVENTS
from shared.jobs import JobRef
from tests.shared.inbound.readings import body_of, notification, readable, set_aside

JOB_ID = "8bc0f4c2b0de4c2c9e9ab7b0f6c0d1e2"
MESSAGE_BODY: dict[str, object] = {"Status": "Success", "JobId": JOB_ID, "ErrorCode": "", "UserData": "{}"}


def ice(body: object = None, **fields: object) -> bytes:
    envelope: dict[str, object] = {
        "EventType": "AIProduceComplete",
        "UserId": 1833222837560000,
        "EventTime": "2022-07-13T10:49:45Z",
        "MessageBody": MESSAGE_BODY if body is None else body,
    }
    return body_of({**envelope, **fields})


def changed(**fields: object) -> bytes:
    return ice({n: v for n, v in {**MESSAGE_BODY, **fields}.items() if v != "(absent)"})


def test_a_finished_job_names_itself_its_account_and_what_it_claims() -> None:
    assert read(ice()) == Notification(
        ref=JobRef("ice.production", JOB_ID),
        claim=Claim("succeeded"),
        event_type="AIProduceComplete",
        event_time=1_657_709_385_000,
        user_id="1833222837560000",
    )


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(MESSAGE_BODY),
        {"jobId": JOB_ID, "status": "Success"},
        json.dumps({"jobId": JOB_ID, "status": "Success"}),
        {"jobId": "", "JobId": JOB_ID, "Status": None, "status": "Success"},
    ],
    ids=["a string", "lower case", "a string, lower case", "two casings, one empty"],
)
def test_the_body_may_be_a_string_and_its_keys_of_any_casing(body: object) -> None:
    assert read(ice(body)) == read(ice())


def test_the_keys_of_the_envelope_may_be_of_any_casing() -> None:
    envelope = {name[0].lower() + name[1:]: value for name, value in json.loads(ice()).items()}

    assert read(body_of(envelope)) == read(ice())


@pytest.mark.parametrize(
    ("status", "claim"),
    [
        ("Success", Claim("succeeded")),
        ("success", Claim("succeeded")),
        ("Finished", Claim("succeeded")),
        ("Fail", Claim("failed")),
        ("Failed", Claim("failed")),
        ("Analysing", None),
        ("Analyzing", None),
        ("", None),
        (None, None),
        (0, None),
        ({"a": "Success"}, None),
        ("(absent)", None),
    ],
)
def test_only_a_terminal_status_that_is_understood_is_a_claim(status: object, claim: Claim | None) -> None:
    assert notification(changed(Status=status)).claim == claim


@pytest.mark.parametrize(
    ("value", "user_id"),
    [
        (183320223000, "183320223000"),
        (9_007_199_254_740_993, "9007199254740993"),  # beyond what a float can tell apart
        ("183320223000", "183320223000"),
        (1.5, None),
        (-1, None),
        ("1833****", None),
        ("", None),
        (None, None),
        (True, None),
        ([1], None),
        ("(absent)", None),
    ],
)
def test_the_account_is_kept_digit_by_digit_or_not_at_all(value: object, user_id: str | None) -> None:
    assert notification(ice(UserId=value)).user_id == user_id


@pytest.mark.parametrize("value", ["2022-07-13 10:49:45", "", 1657709385, None, "(absent)"])
def test_a_time_that_is_none_is_left_out(value: object) -> None:
    assert notification(ice(EventTime=value)).event_time is None


@pytest.mark.parametrize("event_type", sorted(OTHER_EVENTS))
@pytest.mark.parametrize("body", [MESSAGE_BODY, "{broken", None])
def test_other_documented_events_are_set_aside_as_known(event_type: str, body: object) -> None:
    found = set_aside(ice(body, EventType=event_type))

    assert (found.event_type, found.known) == (event_type, True)
    assert "ICE" in found.reason


@pytest.mark.parametrize("event_type", ["AIProduceStart", "aiproducecomplete", "IProductionComplete", "审"])
def test_an_event_that_nobody_documented_is_set_aside_as_unknown(event_type: str) -> None:
    found = set_aside(ice(EventType=event_type))

    assert (found.event_type, found.known) == (event_type, False)
    assert "does not know" in found.reason


def test_the_event_of_a_review_inside_the_envelope_is_none_of_vod() -> None:
    assert set_aside(ice(EventType="AIMediaAuditComplete")).known


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (ice(MessageBody=None), "MessageBody is not an object"),
        (ice(MessageBody=""), "MessageBody is not an object"),
        (ice(MessageBody=[MESSAGE_BODY]), "MessageBody is not an object"),
        (ice(MessageBody=17), "MessageBody is not an object"),
        (ice(MessageBody="[]"), "MessageBody is not an object"),
        (ice(MessageBody='"{}"'), "MessageBody is not an object"),
        (ice(MessageBody="{broken"), "not JSON"),
        (ice(MessageBody='{"JobId": "a", "JobId": "b"}'), "twice"),
        (ice(MessageBody="[" * 10_000), "deep"),
        (ice(MessageBody={}), "JobId is missing"),
        (changed(JobId="(absent)"), "JobId is missing"),
        (changed(JobId=""), "JobId is missing"),
        (changed(JobId=43), "JobId is not text"),
        (changed(JobId=["x"]), "JobId is not text"),
        (changed(JobId="x" * 129), "JobId is too long"),
        (changed(JobId="审" * 20), "too long for a key"),
        (ice(EventType=None), "EventType is missing"),
        (ice(EventType=5), "EventType is not text"),
        (ice(EventType="x" * 129), "EventType is too long"),
    ],
)
def test_an_envelope_that_names_no_job_is_unreadable_and_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason) as caught:
        read(body)

    assert caught.value.layer in ("ice", "json")
    assert len(str(caught.value)) < 200


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_FIELDS = ["EventType", "eventType", "UserId", "userId", "EventTime", "Type", "JobId", "Status"]
_INNER_FIELDS = ["JobId", "jobId", "Status", "status"]


@given(
    st.dictionaries(st.sampled_from(_FIELDS), _VALUES),
    st.dictionaries(st.sampled_from(_INNER_FIELDS), _VALUES),
    st.booleans(),
)
def test_no_wrong_type_in_any_field_is_a_crash_or_a_guess(
    outer: dict[str, Any], inner: dict[str, Any], is_text: bool
) -> None:
    message_body = {**MESSAGE_BODY, **inner}
    envelope = json.loads(ice(json.dumps(message_body) if is_text else message_body)) | outer

    found = readable(json.dumps(envelope).encode())

    if isinstance(found, Notification):
        assert found.ref.kind == "ice.production"
        assert found.ref.job_id in (message_body["JobId"], inner.get("jobId"))
        assert found.user_id is None or found.user_id.isdecimal()


@given(_VALUES)
def test_a_message_body_of_anything_else_names_no_job(value: object) -> None:
    assert readable(ice(MessageBody=value)) is None
