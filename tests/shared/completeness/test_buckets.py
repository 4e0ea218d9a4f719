"""Each job is in exactly one bucket, whatever its row says; flags say the rest."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.completeness.buckets import (
    BUCKETS,
    FAR_OFF,
    FLAGS,
    LONG_RUNNING,
    OVERDUE,
    TOO_OFTEN,
    Sighting,
    bucket_of,
    flags_of,
)
from shared.delivery.outbox import Delivery, outbox_columns
from shared.job_row import Effect, effect_columns
from shared.jobs import State
from shared.policy import Policy
from tests.shared.completeness.conftest import seen
from tests.world import START

RECORD = Effect("record", "d", 0, START)
ENTRY = Delivery("next", 1, "d", (), settled_at=START, since=START, next_at=START)
NEVER = '[{"target":"next","version":1,"digest":"d","since":1,"attempts":9,"reason":"away"}]'
GRACE = Policy().not_found_grace


def held(status: str, *, digest: str = "d") -> Sighting:
    hold = {"status": status, "by": "ann", "reason": "case 7", "at": START, "digest": digest}
    return sighting(State.SUCCEEDED, digest="d", hold=json.dumps(hold))


def with_effect(effect: Effect) -> Sighting:
    columns: dict[str, Any] = effect_columns([effect])
    return sighting(State.SUCCEEDED, **columns)


def with_entry(entry: Delivery) -> Sighting:
    columns: dict[str, Any] = outbox_columns([entry])
    return sighting(State.SUCCEEDED, **columns)


def sighting(state: State, *, deliveries: int = 0, now: int = START, **columns: Any) -> Sighting:
    return Sighting(seen("job-1", state, **columns), deliveries, now, Policy())


def with_nobody_to_come(state: State, **columns: Any) -> Sighting:
    """Give a job that the index of what is due does not name, whatever its row wants."""
    row = seen("job-1", state, **columns).changed({"due_at": None, "due_bucket": None})
    return Sighting(row, 0, START, Policy())


@pytest.mark.parametrize(
    ("state", "columns", "bucket"),
    [
        (State.QUARANTINED, {}, "quarantined"),
        (State.QUARANTINED, {"incomplete": 1}, "quarantined"),
        (State.UNKNOWN, {}, "unknown"),
        (State.TRACKED, {}, "waiting"),
        (State.RUNNING, {"incomplete_since": START}, "waiting"),
        (State.SUCCEEDED, {"incomplete": 1}, "incomplete"),
        (State.SUCCEEDED, {"incomplete": 1, "undelivered": NEVER}, "incomplete"),
        (State.FAILED, {"undelivered": NEVER}, "undelivered"),
        (State.SUCCEEDED, {}, "settled"),
        (State.SUCCEEDED, {"incomplete": 0}, "settled"),
        (State.FAILED, {}, "failed"),
    ],
)
def test_a_job_is_in_the_first_bucket_that_holds(state: State, columns: dict[str, Any], bucket: str) -> None:
    assert bucket_of(sighting(state, **columns)).name == bucket


@given(st.sampled_from(State), st.none() | st.integers(0, 1), st.none() | st.integers(0, 3))
def test_every_row_has_a_bucket(state: State, incomplete: int | None, drifts: int | None) -> None:
    assert bucket_of(sighting(state, incomplete=incomplete, drifts=drifts)) in BUCKETS


@pytest.mark.parametrize(
    ("flag", "has_it", "has_it_not"),
    [
        (
            "refused",
            sighting(State.RUNNING, reason="VendorRefusedError: no such key"),
            sighting(State.RUNNING, reason="ThrottledError: slow down"),
        ),
        (
            "overdue",
            sighting(State.RUNNING, now=START + OVERDUE + 1),
            sighting(State.RUNNING, now=START + OVERDUE),
        ),
        (
            "far_off",
            sighting(State.RUNNING, query_at=START + FAR_OFF + 1),
            sighting(State.RUNNING, query_at=START + FAR_OFF),
        ),
        (
            "also_undelivered",
            sighting(State.SUCCEEDED, incomplete=1, undelivered=NEVER),
            sighting(State.SUCCEEDED, undelivered=NEVER),
        ),
        ("held", held("held"), sighting(State.SUCCEEDED)),
        ("hold_unfinished", held("copying"), held("held")),
        ("hold_unfinished", held("releasing"), sighting(State.SUCCEEDED)),
        ("hold_unfinished", held("held", digest="earlier"), held("held")),
        ("delivering", with_entry(ENTRY), sighting(State.SUCCEEDED)),
        ("deliveries_failing", with_entry(replace(ENTRY, attempts=1, last="away")), with_entry(ENTRY)),
        (
            "never_due",
            with_nobody_to_come(State.SUCCEEDED, **{**outbox_columns([ENTRY]), "deliver_at": None}),
            with_entry(ENTRY),
        ),
        ("never_due", sighting(State.TRACKED, query_at=None), sighting(State.SUCCEEDED)),
        ("never_due", with_nobody_to_come(State.TRACKED), sighting(State.TRACKED)),
        ("never_due", with_nobody_to_come(State.FAILED, query_at=START), with_effect(RECORD)),
        (
            "never_due",
            with_nobody_to_come(State.SUCCEEDED, **effect_columns([RECORD])),
            with_nobody_to_come(State.SUCCEEDED),
        ),
        (
            "never_due",
            with_nobody_to_come(State.SUCCEEDED, **{**effect_columns([RECORD]), "effects_at": None}),
            with_nobody_to_come(State.FAILED),
        ),
        (
            "not_found",
            sighting(State.TRACKED, not_found_since=START, now=START + GRACE),
            sighting(State.TRACKED, not_found_since=START, now=START + GRACE - 1),
        ),
        (
            "keeps_failing",
            sighting(State.RUNNING, failures=TOO_OFTEN),
            sighting(State.RUNNING, failures=TOO_OFTEN - 1),
        ),
        (
            "keeps_failing",
            sighting(State.SUCCEEDED, failures=TOO_OFTEN, query_at=START),
            sighting(State.SUCCEEDED, failures=TOO_OFTEN),
        ),
        (
            "keeps_failing",
            with_effect(replace(RECORD, attempts=TOO_OFTEN)),
            with_effect(replace(RECORD, attempts=TOO_OFTEN - 1)),
        ),
        (
            "long_running",
            sighting(State.RUNNING, now=START + LONG_RUNNING + 1),
            sighting(State.SUCCEEDED, now=START + LONG_RUNNING + 1),
        ),
        ("failing", sighting(State.RUNNING, failures=1), sighting(State.SUCCEEDED, failures=1)),
        ("crashed", sighting(State.RUNNING, crashes=1), sighting(State.RUNNING)),
        ("drifted", sighting(State.SUCCEEDED, drifts=1), sighting(State.SUCCEEDED)),
        ("lost_callback", sighting(State.FAILED, lost_callback=1), sighting(State.FAILED, lost_callback=2)),
        ("late_callback", sighting(State.FAILED, lost_callback=2), sighting(State.FAILED, lost_callback=1)),
        (
            "callback_not_stored",
            sighting(State.RUNNING, notified=1),
            sighting(State.RUNNING, notified=2, deliveries=1),
        ),
        (
            "callback_repeated",
            sighting(State.RUNNING, notified=2, deliveries=1),
            sighting(State.RUNNING, notified=2, deliveries=2),
        ),
        ("noted", sighting(State.SUCCEEDED, notes="output missing"), sighting(State.SUCCEEDED)),
        ("unconfirmed", sighting(State.SUCCEEDED, query_at=START), sighting(State.RUNNING)),
        (
            "effects_failing",
            with_effect(replace(RECORD, attempts=1)),
            with_effect(RECORD),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_flag_is_raised_where_it_holds_and_only_there(
    flag: str, has_it: Sighting, has_it_not: Sighting
) -> None:
    assert flag in [rule.name for rule in flags_of(has_it)]
    assert flag not in [rule.name for rule in flags_of(has_it_not)]


def test_age_alone_needs_nobody() -> None:
    old = sighting(State.RUNNING, now=START + 100 * LONG_RUNNING, query_at=START + 100 * LONG_RUNNING)

    assert [rule.name for rule in flags_of(old)] == ["long_running"]
    assert not any(rule.needs_person for rule in (bucket_of(old), *flags_of(old)))


@pytest.mark.parametrize("name", ["refused", "not_found", "keeps_failing", "overdue", "far_off", "never_due"])
def test_what_time_alone_does_not_mend_needs_a_person(name: str) -> None:
    assert next(rule for rule in FLAGS if rule.name == name).needs_person


def test_no_two_rules_have_one_name() -> None:
    names = [rule.name for rule in (*BUCKETS, *FLAGS)]

    assert len(set(names)) == len(names)
