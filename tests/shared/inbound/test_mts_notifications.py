from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ParseError
from shared.inbound.notifications import Claim, Notification, SetAside, Unsorted, decide, read
from shared.inbound.notifications.mts import OTHER_TYPES
from shared.jobs import JobRef
from tests.shared.inbound.readings import body_of, notification, readable, set_aside, unsorted

JOB_ID = "39f8e0bc005e4f309379701645f4744c"


def production(**fields: object) -> bytes:
    body: dict[str, object] = {
        "Type": "IProduction",
        "FunctionName": "VideoH2V",
        "JobId": JOB_ID,
        "State": "Success",
        "Code": "Success",
        "Message": "success",
        "Details": [],
    }
    return body_of({**body, **fields})


def quality(**fields: object) -> bytes:
    body: dict[str, object] = {"Type": "VideoQuality", "JobId": JOB_ID, "State": "Success"}
    return body_of({**body, **fields})


# --- intelligent production ---------------------------------------------------------------------


def test_a_finished_production_job_names_its_job_and_what_it_claims() -> None:
    assert read(production()) == Notification(
        ref=JobRef("mts.production", JOB_ID), claim=Claim("succeeded"), event_type="IProduction"
    )


def test_neither_details_nor_user_data_are_needed_or_in_the_way() -> None:
    audio_mixing = production(
        FunctionName="AudioMixing", Message="Successful.", Details="(absent)", UserData="test"
    )

    assert read(audio_mixing) == read(production())


@pytest.mark.parametrize(
    ("state", "claim"),
    [
        ("Success", Claim("succeeded")),
        ("success", Claim("succeeded")),
        ("Fail", Claim("failed")),
        ("Queuing", None),
        ("Analysing", None),
        ("Finished", None),
        ("", None),
        (None, None),
        (1, None),
        (["Success"], None),
        ("(absent)", None),
    ],
)
def test_only_success_and_fail_are_claims(state: object, claim: Claim | None) -> None:
    assert notification(production(State=state)).claim == claim


def test_the_printed_example_that_is_cut_off_is_unreadable() -> None:
    printed = (
        b'{"Code":"Success","Details":[],"FunctionName":"CaptionExtraction",'
        b'"JobId":"39f8e0bc005e4f309379701645f4744c","Message":"success","State":"Succes'
    )

    with pytest.raises(ParseError, match="not JSON"):
        read(printed)


@pytest.mark.parametrize("job_id", ["(absent)", None, "", 43, ["x"], {"a": 1}, "x" * 129, "审" * 20])
def test_without_a_usable_job_id_a_production_message_is_unreadable(job_id: object) -> None:
    with pytest.raises(ParseError, match=r"JobId is|too long for a key") as caught:
        read(production(JobId=job_id))

    assert (caught.value.layer, caught.value.details["field"]) == ("mts", "JobId")


def test_text_to_speech_is_set_aside_because_it_was_answered_when_it_was_submitted() -> None:
    found = set_aside(body_of({"jobId": JOB_ID, "requestId": "r", "result": '{"file":"UklGRg=="}'}))

    assert (found.event_type, found.known) == ("TextToSpeech", True)
    assert "synchronous" in found.reason


# --- casing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "IProduction", "jobId": JOB_ID, "state": "Success"},
        {"TYPE": "iproduction", "JOBID": JOB_ID, "STATE": "SUCCESS"},
        {"jobId": "", "JobId": JOB_ID, "type": None, "Type": "IProduction", "state": "", "State": "Success"},
        {"JobId": JOB_ID, "jobId": "other", "Type": "IProduction", "State": "Success", "state": "Fail"},
    ],
)
def test_of_several_casings_of_a_key_the_first_that_is_not_empty_counts(fields: dict[str, Any]) -> None:
    found = notification(body_of(fields))

    assert (found.ref.job_id, found.claim) == (JOB_ID, Claim("succeeded"))


# --- set aside ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "event_type", "what"),
    [
        ({"jobId": "x", "JobId": "x", "type": "Transcode", "Type": "Transcode"}, "Transcode", "classic"),
        ({"jobId": "x", "state": "Success", "type": "Snapshot"}, "Snapshot", "classic"),
        ({"JobId": "x", "State": "Fail", "Type": "Analysis", "code": "c", "msg": "m"}, "Analysis", "classic"),
        ({"Type": "MediaInfo"}, "MediaInfo", "classic"),
        ({"Type": "smarttag", "JobId": "x", "State": "Processing"}, "smarttag", "smart tag"),
        ({"Type": "MediaCensor", "MediaCensorJobNotify": {"JobId": "x"}}, "MediaCensor", "censor"),
        ({"Type": "FpShot", "FpShotJobNotify": {"JobId": "x"}}, "FpShot", "fingerprint"),
        ({"RunId": "r", "Type": "Start", "MediaWorkflowExecution": {}}, "Start", "workflow"),
        (
            {"RunId": "r", "Type": "Report", "JobId": "x", "MediaWorkflowExecution": {"State": "Completed"}},
            "Report",
            "workflow",
        ),
    ],
)
def test_messages_of_other_documented_jobs_are_set_aside_with_a_reason(
    fields: dict[str, Any], event_type: str, what: str
) -> None:
    found = set_aside(body_of(fields))

    assert (found.event_type, found.known) == (event_type, True)
    assert "MPS" in found.reason
    assert what in found.reason


@pytest.mark.parametrize("type_", sorted(OTHER_TYPES))
@pytest.mark.parametrize("job_id", [JOB_ID, "(absent)", 7])
def test_a_documented_type_is_never_taken_for_a_video_quality_job(type_: str, job_id: object) -> None:
    assert set_aside(quality(Type=type_.upper(), JobId=job_id)).known


@pytest.mark.parametrize("job_id", ["(absent)", None, "", 43, "x" * 129])
def test_an_unknown_type_without_a_usable_job_id_is_set_aside_as_unknown(job_id: object) -> None:
    found = set_aside(quality(JobId=job_id))

    assert (found.event_type, found.known) == ("VideoQuality", False)


@pytest.mark.parametrize("type_", [["x"], 5, {"a": 1}, True, "x" * 129])
def test_a_type_that_is_no_usable_text_is_unreadable(type_: object) -> None:
    with pytest.raises(ParseError, match="Type is") as caught:
        read(quality(Type=type_))

    assert caught.value.details["field"] == "Type"


# --- video quality ------------------------------------------------------------------------------


def test_a_message_of_an_unknown_type_may_be_about_a_video_quality_job() -> None:
    assert read(quality(PipelineId="p1")) == Unsorted(
        event_type="VideoQuality",
        ref=JobRef("mts.video_quality", JOB_ID),
        claim=Claim("succeeded"),
        pipeline_id="p1",
    )


@pytest.mark.parametrize("type_", ["(absent)", None, ""])
def test_so_may_one_without_any_type(type_: object) -> None:
    found = unsorted(quality(Type=type_))

    assert (found.event_type, found.ref.job_id) == ("(no Type)", JOB_ID)


@pytest.mark.parametrize("type_", ["Start", "Report"])
def test_so_may_one_that_is_named_like_a_step_of_a_workflow_but_has_none(type_: str) -> None:
    assert unsorted(quality(Type=type_)).event_type == type_


def test_a_state_tells_speech_and_video_quality_apart() -> None:
    body = body_of({"jobId": JOB_ID, "requestId": "r", "result": "{}", "state": "Success"})

    assert unsorted(body).ref == JobRef("mts.video_quality", JOB_ID)


@pytest.mark.parametrize(
    ("fields", "claim"),
    [
        ({"State": "Success"}, Claim("succeeded")),
        ({"State": "Fail"}, Claim("failed")),
        ({"State": "(absent)", "Status": "Fail"}, Claim("failed")),
        ({"State": "", "status": "success"}, Claim("succeeded")),
        ({"State": "Processing", "Status": "Success"}, None),
        ({"State": "Submitted"}, None),
        ({"State": 5}, None),
        ({"State": "(absent)"}, None),
    ],
)
def test_what_it_claims_stands_in_state_or_status(fields: dict[str, Any], claim: Claim | None) -> None:
    assert unsorted(quality(**fields)).claim == claim


@pytest.mark.parametrize(
    ("known", "source", "pipeline"),
    [(True, None, None), (False, "quality-queue", None), (False, "other", "quality-pipeline")],
    ids=["known job", "configured queue or topic", "configured pipeline"],
)
def test_what_surrounds_a_message_makes_it_one_about_a_video_quality_job(
    known: bool, source: str | None, pipeline: str | None
) -> None:
    message = unsorted(quality(PipelineId=pipeline))

    found = decide(
        message,
        known=known,
        source=source,
        sources=frozenset({"quality-queue"}),
        pipelines=frozenset({"quality-pipeline"}),
    )

    assert found == Notification(message.ref, message.claim, "VideoQuality")


@pytest.mark.parametrize("source", [None, "", "another-queue"])
@pytest.mark.parametrize("pipeline", [None, 7, "another-pipeline"])
@pytest.mark.parametrize("configured", [frozenset[str](), frozenset({"quality"})])
def test_where_nothing_speaks_for_it_the_message_is_set_aside_as_unknown(
    source: str | None, pipeline: object, configured: frozenset[str]
) -> None:
    message = unsorted(quality(PipelineId=pipeline))

    found = decide(message, known=False, source=source, sources=configured, pipelines=configured)

    assert isinstance(found, SetAside)
    assert (found.event_type, found.known) == ("VideoQuality", False)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_FIELDS = ["Type", "type", "JobId", "jobId", "State", "state", "Status", "PipelineId", "requestId", "result"]


@given(st.sampled_from([production(), quality()]), st.dictionaries(st.sampled_from(_FIELDS), _VALUES))
def test_no_wrong_type_in_any_field_is_a_crash_or_a_guess(body: bytes, change: dict[str, Any]) -> None:
    fields = json.loads(body) | change

    found = readable(json.dumps(fields).encode())

    if isinstance(found, Notification | Unsorted):
        assert found.ref.job_id in (fields["JobId"], fields.get("jobId"))
        assert found.event_type
