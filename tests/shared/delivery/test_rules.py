from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.rules import DeliveryPlan, Facts
from shared.jobs import State
from shared.kinds import KINDS
from shared.record import Finding, Job, JobRecord, Media, Status, Times, Verdict
from shared.taxonomy import KNOWN_LABELS, SUGGESTIONS

TARGETS = {"publisher": {"url": "https://publisher.example/"}, "desk": {"url": "fc:desk"}}


def plan(*rules: dict[str, Any], **more: Any) -> DeliveryPlan:
    return DeliveryPlan.parse(json.dumps({"targets": TARGETS, "rules": rules, **more}), kinds=KINDS)


def record(
    kind: str = "vod.media_audit",
    status: Status = "succeeded",
    *,
    labels: tuple[str, ...] = (),
    said: str | None = None,
    computed: str | None = None,
) -> JobRecord:
    finding = Finding(
        id="1",
        modality="video",
        check="porn",
        label="sexy",
        canonical_label="sexual.suggestive",
        source="a:/",
    )
    unheard = replace(finding, label="brand_new", canonical_label=None)
    return JobRecord(
        normalizer_version=1,
        job=Job(kind=kind, job_id="j"),
        media=Media(),
        status=status,
        vendor_status="success",
        incomplete=False,
        error=None,
        times=Times(),
        verdict=Verdict(labels=labels, suggestion=said, computed_suggestion=computed),
        findings=(finding, unheard) if "porn" in labels else (),
    )


PASSED = record(said="pass", computed="pass")
BLOCKED = record(labels=("porn", "Tattoo"), said="block", computed="block")
MADE = record("ice.production")
FAILED = record(status="failed")
ALL = [PASSED, BLOCKED, MADE, FAILED]


@pytest.mark.parametrize(
    ("lists", "told_of"),
    [
        ({}, ALL),
        ({"kinds": ["vod.media_audit"]}, [PASSED, BLOCKED, FAILED]),
        ({"kinds": ["ice.production", "mts.production"]}, [MADE]),
        ({"states": ["failed"]}, [FAILED]),
        ({"suggestions": ["block", "review"]}, [BLOCKED]),
        ({"suggestions": ["pass"]}, [PASSED]),
        ({"labels": ["porn"]}, [BLOCKED]),
        ({"labels": ["tattoo"]}, [BLOCKED]),
        ({"labels": ["sexual.suggestive"]}, [BLOCKED]),
        ({"labels": ["violence.blood"]}, []),
        ({"kinds": ["vod.media_audit"], "suggestions": ["pass", "block"]}, [PASSED, BLOCKED]),
        ({"kinds": ["ice.production"], "suggestions": ["pass"]}, []),
    ],
)
def test_a_rule_matches_when_each_of_its_lists_holds_a_word_of_the_record(
    lists: dict[str, list[str]], told_of: list[JobRecord]
) -> None:
    made = plan({"to": ["publisher"], **lists})

    assert [one for one in ALL if made.targets_for(one)] == told_of


@pytest.mark.parametrize(
    ("said", "computed", "counts"),
    [
        ("pass", "block", "block"),
        ("review", "pass", "review"),
        ("BLOCK", None, "block"),
        (None, "review", "review"),
        (None, None, None),
        ("brand-new", "pass", None),
        ("brand-new", "review", "review"),
    ],
)
def test_the_worse_suggestion_counts_and_nothing_passes_beside_an_unknown_word(
    said: str | None, computed: str | None, counts: str | None
) -> None:
    facts = Facts.of(record(said=said, computed=computed))

    assert facts.suggestions == ({counts} if counts else set())


def test_a_target_of_several_matching_rules_is_named_once() -> None:
    made = plan({"to": ["publisher", "desk"]}, {"to": ["desk"], "kinds": ["vod.media_audit"]})

    assert made.targets_for(PASSED) == ("desk", "publisher")


def test_without_rules_nobody_is_told() -> None:
    assert DeliveryPlan().targets_for(PASSED) == plan().targets_for(PASSED) == ()


def test_a_target_is_found_by_its_name() -> None:
    made = plan()

    assert [target.name for target in made.targets] == ["desk", "publisher"]
    assert made.target("desk") == made.targets[0]
    assert made.target("gone") is None


def test_the_source_of_events_can_be_told_apart() -> None:
    assert (plan().source, plan(source="media-ledger/staging").source) == (
        "media-ledger",
        "media-ledger/staging",
    )


def test_equal_plans_are_one_key() -> None:
    """Services are kept by their settings, of which the plan is one."""
    one, other = (plan({"to": ["desk"], "labels": ["porn", "ad"]}) for _ in range(2))

    assert {one: 1} == {other: 1}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "the plan: not JSON"),
        ("[]", "the plan: must be an object"),
        ('{"rule": []}', "the plan: 'rule' is unknown: did you mean 'rules'?"),
        ('{"targets": []}', "targets: must be an object"),
        ('{"targets": {"a": {"url": "fc:f"}, "a": {"url": "fc:g"}}}', "a key stands twice"),
        ('{"rules": {}}', "rules: must be a list"),
        ('{"source": 1}', "source: must be text"),
        ('{"source": "no blanks"}', "source: must be text"),
    ],
)
def test_what_is_wrong_with_a_plan_is_told(text: str, told: str) -> None:
    with pytest.raises(ValueError) as refused:
        DeliveryPlan.parse(text, kinds=KINDS)

    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({}, "to is missing"),
        ({"to": []}, "to: must be a list of texts, at least one"),
        ({"to": "desk"}, "to: must be a list"),
        ({"to": ["desk", 1]}, "to: must be a list of texts"),
        ({"to": ["publsher"]}, "to: 'publsher' is unknown: did you mean 'publisher'?"),
        ({"to": ["xyz"]}, "to: 'xyz' is unknown: known are desk, publisher"),
        ({"to": ["desk"], "kind": ["ice.production"]}, "'kind' is unknown: did you mean 'kinds'?"),
        ({"to": ["desk"], "kinds": ["vod.audit"]}, "'vod.audit' is unknown: did you mean 'vod.media_audit'?"),
        ({"to": ["desk"], "states": ["running"]}, "'running' is unknown: known are failed, succeeded"),
        ({"to": ["desk"], "suggestions": ["blocked"]}, "did you mean 'block'?"),
        ({"to": ["desk"], "suggestions": []}, "suggestions: must be a list of texts, at least one"),
        ({"to": ["desk"], "labels": ["pron"]}, "labels: 'pron' is unknown: did you mean 'porn'?"),
        ({"to": ["desk"], "labels": ["violence.bloody"]}, "did you mean 'violence.blood'?"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told_with_its_number_and_the_nearest_word(
    rule: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError) as refused:
        plan({"to": ["desk"]}, rule)

    assert str(refused.value).startswith("rule 2: ")
    assert told in str(refused.value)


def test_a_label_that_is_like_none_of_ours_may_be_a_new_one_of_the_vendors() -> None:
    made = plan({"to": ["desk"], "labels": ["pornographic_adultContent_tii"]})

    assert made.targets_for(record(labels=("pornographic_adultContent_tii",))) == ("desk",)


words = {
    "to": sorted(TARGETS),
    "kinds": sorted(KINDS),
    "states": [state.value for state in State if state.is_terminal],
    "suggestions": sorted(SUGGESTIONS),
    "labels": sorted(KNOWN_LABELS),
}
rules = st.fixed_dictionaries(
    {"to": st.lists(st.sampled_from(words["to"]), min_size=1)},
    optional={
        name: st.lists(st.sampled_from(known), min_size=1) for name, known in words.items() if name != "to"
    },
)


@given(st.lists(rules, max_size=4), st.sampled_from(ALL))
def test_more_rules_never_take_a_target_away(some: list[dict[str, Any]], one: JobRecord) -> None:
    told = [set(plan(*some[:count]).targets_for(one)) for count in range(len(some) + 1)]

    assert all(fewer <= more for fewer, more in pairwise(told))
    assert plan(*reversed(some)).targets_for(one) == plan(*some).targets_for(one)
