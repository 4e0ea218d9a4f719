"""Two versions of a record are told apart by what they say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.record import canonical_bytes
from shared.replay.differences import Difference, differences
from shared.replay.one_job import Replayed
from shared.replay.tally import EXAMPLES, Tally
from tests.judged_answers import BLOCKED, FAILED, NO_RESULT, PASSED

FINDING = {"id": "f1", "modality": "video", "check": "porn", "label": "sexy", "canonical_label": None}


def told(before: object, after: object) -> list[tuple[str, ...]]:
    return [tuple(one) for one in differences(json.dumps(before).encode(), json.dumps(after).encode())]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"normalizer_version": 1, "schema_version": 1}, {"normalizer_version": 2}, []),
        (
            {"verdict": {"suggestion": "pass"}},
            {"verdict": {"suggestion": "review"}},
            [("verdict.suggestion", "pass", "review")],
        ),
        ({"incomplete": False}, {"incomplete": True}, [("incomplete", "false", "true")]),
        ({"error": None}, {"error": {"code": "1"}}, [("error", "absent", "present")]),
        ({"error": {"code": "1"}}, {"error": {"code": "2"}}, [("error.code", "1", "2")]),
        ({"times": {"created": "a"}}, {"times": {"created": "b"}}, [("times.created", "present", "another")]),
        ({"labels": ["a", "b"]}, {"labels": ["b"]}, [("labels[]", "a", "absent")]),
        ({"regions": []}, {"regions": [[1, 3]]}, [("regions[]", "absent", "present")]),
        (
            {"findings": [FINDING]},
            {"findings": [{**FINDING, "canonical_label": "porn"}]},
            [("findings[].canonical_label", "absent", "porn")],
        ),
        ({"findings": [FINDING]}, {"findings": []}, [("findings[]", "video porn sexy", "absent")]),
        ({"unmapped": [{"source": "a"}]}, {"unmapped": []}, [("unmapped[]", "present", "absent")]),
        ({"kept": 1}, {}, [("kept", "present", "absent")]),
    ],
)
def test_a_difference_is_told_by_its_field(
    before: Mapping[str, Any], after: Mapping[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert told(before, after) == expected


def test_the_order_of_items_is_no_difference() -> None:
    one, other = {**FINDING, "id": "a"}, {**FINDING, "id": "b"}

    assert told({"findings": [one, other]}, {"findings": [other, one]}) == []


def test_items_that_are_alike_are_counted() -> None:
    assert told({"labels": ["a", "a"]}, {"labels": ["a"]}) == [("labels[]", "a", "absent")]


def test_a_long_value_is_cut() -> None:
    assert told({"label": None}, {"label": "x" * 100}) == [("label", "absent", "x" * 59 + "…")]


@pytest.mark.parametrize("one", [PASSED, FAILED, BLOCKED, NO_RESULT])
def test_a_record_does_not_differ_from_itself(one: Any) -> None:
    assert differences(one.stored, canonical_bytes(one.record)) == ()


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcid"), inner, max_size=3),
    max_leaves=8,
)


@given(before=st.dictionaries(st.text(max_size=3), trees), after=st.dictionaries(st.text(max_size=3), trees))
def test_what_differs_one_way_differs_the_other_way(before: object, after: object) -> None:
    there, back = told(before, after), told(after, before)

    assert {field for field, *_ in there} == {field for field, *_ in back}
    assert told(before, before) == []


def test_a_tally_names_verdicts_first_and_some_jobs() -> None:
    verdict, other = (
        Difference("verdict.suggestion", "pass", "review"),
        Difference("labels[]", "absent", "ad"),
    )
    tally = Tally.of(Replayed(f"job-{n}", "moved", differences=(other,)) for n in range(9))
    tally.add(Tally.of([Replayed("job-9", "moved", differences=(verdict,))]))

    assert tally.ranked() == [(verdict, 1), (other, 9)]
    assert tally.examples[other] == [f"job-{n}" for n in range(EXAMPLES)]


def test_a_tally_has_a_bound_however_many_differences_there_are() -> None:
    tally = Tally()
    for number in range(3_000):
        one = Difference("label", "absent", str(number))
        tally.add(Tally.of([Replayed(f"job-{number}", "moved", differences=(one,))]))
        tally.add(Tally.of([Replayed(f"job-{number}", "unreadable", "why")]))

    assert (len(tally.changes), sum(tally.changes.values())) == (1_001, 3_000)
    assert len(tally.problems["unreadable"]) == 20


def test_what_a_run_has_counted_can_be_read_again() -> None:
    tally = Tally.of([Replayed("a", "moved"), Replayed("b", "busy", "somebody works on it")])

    assert Tally.read(json.loads(json.dumps(tally.document()))) == tally
    assert (tally.needs_a_person, tally.is_left) == (False, True)
