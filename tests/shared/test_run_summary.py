"""What a run did is counted, in its answer and as metrics."""

from __future__ import annotations

import logging

import pytest

from shared.errors import VendorRefusedError
from shared.run_summary import Summary
from tests.measured import measured
from tests.shared.test_reconciliation import due_row, world_of
from tests.shared.test_reconciliation_verdicts import missing


@pytest.fixture(autouse=True)
def metrics_are_let_through(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_every_job_is_counted_by_what_became_of_it(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of(5)
    world.change("job-1", {"effects": "not json"})
    for number in (2, 3):
        world.vendor.know(f"job-{number}", VendorRefusedError("Forbidden"))
    world.put(due_row(6, not_found_since=1))
    world.run_timer()

    kind = "vod.media_audit"
    assert measured(caplog, "reconciled_jobs") == {
        (kind, "settled"): 2,
        (kind, "corrupt"): 1,
        (kind, "postponed"): 2,
        (kind, "unknown"): 1,
    }
    assert measured(caplog, "drained_effects") == {(): 2}


def test_a_key_that_names_no_job_is_counted_too(caplog: pytest.LogCaptureFixture) -> None:
    summary = Summary()
    summary.count("corrupt", "no key")

    assert (measured(caplog, "reconciled_jobs"), summary.outcomes) == (
        {("unreadable", "corrupt"): 1},
        {"corrupt": 1},
    )


def test_a_service_that_refuses_us_is_counted_once_in_a_run(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of(5)
    for number in range(5):
        world.vendor.know(f"job-{number}", VendorRefusedError("your key is disabled"))
    world.run_timer()

    assert measured(caplog, "misconfigured") == {("vod", "", "refused"): 1}


def test_a_service_of_which_too_many_jobs_are_missing_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    missing(10, region="cn-beijing", notified=1).run_timer()

    assert measured(caplog, "misconfigured") == {("vod", "cn-beijing", "missing"): 1}


@pytest.mark.parametrize("outcome", ["quarantined", "unknown", "corrupt", "settled", "missing", "postponed"])
def test_what_stays_wrong_needs_a_person(outcome: str) -> None:
    summary = Summary()
    summary.count(outcome, "no key")

    assert summary.needs_a_person is (outcome in ("quarantined", "unknown", "corrupt"))
