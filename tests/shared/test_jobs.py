"""Identity and states of a job."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidJobIdError
from shared.jobs import (
    MAX_ENCODED_JOB_ID,
    TRANSITIONS,
    JobRef,
    State,
    encode_job_id,
    kind_of,
    refs_named,
)

text_ids = st.text(min_size=1, max_size=20)


def test_a_key_is_a_hash_prefix_then_kind_then_id() -> None:
    key = JobRef("vod.media_audit", "43q91jdh7df").key

    assert key == "78.vod.media_audit.43q91jdh7df"


@given(text_ids, text_ids)
def test_two_ids_never_share_a_key(one: str, other: str) -> None:
    keys = {JobRef("vod.media_audit", job_id).key for job_id in (one, other)}

    assert len(keys) == len({one, other})


@given(text_ids)
def test_a_key_is_read_back(job_id: str) -> None:
    ref = JobRef("vod.media_audit", job_id)

    assert JobRef.from_key(ref.key) == ref


@given(text_ids)
def test_an_encoded_id_is_one_harmless_segment(job_id: str) -> None:
    encoded = encode_job_id(job_id)

    assert encoded.isascii()
    assert not set(encoded) & set("./\\~ \0")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "78",
        "78.vod.media_audit",
        "78.vod.media_audit.",
        "78..43q91jdh7df",
        "00.vod.media_audit.43q91jdh7df",
        "78.vod.media_audit.43q91jdh7d%66",
        "78..unreadable.43q91jdh7df",
    ],
)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidJobIdError):
        JobRef.from_key(key)


@pytest.mark.parametrize("job_id", ["", "\ud800", "x" * (MAX_ENCODED_JOB_ID + 1), "媒" * 15])
def test_what_cannot_be_an_id_is_refused_and_never_cut(job_id: str) -> None:
    with pytest.raises(InvalidJobIdError):
        JobRef("vod.media_audit", job_id)


def test_the_longest_id_is_taken_whole() -> None:
    job_id = "x" * MAX_ENCODED_JOB_ID

    assert JobRef.from_key(JobRef("k", job_id).key).job_id == job_id


def test_a_long_id_is_not_told_whole() -> None:
    with pytest.raises(InvalidJobIdError) as caught:
        encode_job_id("x" * 10_000)

    assert len(str(caught.value)) < 200


def test_every_state_has_its_line_and_every_job_begins_tracked() -> None:
    assert set(TRANSITIONS) == {None, *State}
    assert TRANSITIONS[None] == {State.TRACKED}


def test_a_terminal_state_leads_nowhere() -> None:
    assert {state for state in State if not TRANSITIONS[state]} == {State.SUCCEEDED, State.FAILED}
    assert {state for state in State if state.is_terminal} == {State.SUCCEEDED, State.FAILED}


def test_every_state_can_be_reached() -> None:
    reached: set[State] = set()
    news = set(TRANSITIONS[None])
    while news:
        reached |= news
        news = {after for state in news for after in TRANSITIONS[state]} - reached

    assert reached == set(State)


def test_a_name_may_be_a_key_a_kind_with_an_id_or_the_id_alone() -> None:
    kinds = ("vod.media_audit", "mts.production")
    ref = JobRef("mts.production", "job/1")

    assert ref in refs_named(ref.key, kinds)
    assert ref in refs_named("mts.production/job/1", kinds)
    assert refs_named("job/1", kinds) == [JobRef(kind, "job/1") for kind in kinds]
    assert refs_named("", kinds) == refs_named("x" * 200, kinds) == []


def test_a_key_names_its_kind_and_nonsense_none() -> None:
    assert kind_of(JobRef("mts.production", "job.1").key) == "mts.production"
    assert kind_of("nonsense") == kind_of("") == ""
