from __future__ import annotations

import pytest

from shared.errors import JobNotFoundError, NoTimeLeftError, ThrottledError, VendorRefusedError
from shared.policy import DAY, HOUR
from shared.vendor_health import MissingJobs, Service, VendorHealth

HERE, THERE = Service("vod", "cn-shanghai"), Service("vod", "cn-beijing")
OTHER = Service("mts", "cn-shanghai")
NOW = 1_000_000


def asked(health: VendorHealth, *, by: int = NOW) -> list[bool]:
    """Tell which services are to be asked in that time."""
    return [health.is_to_be_asked(service, by=by) for service in (HERE, THERE, OTHER)]


def test_a_service_that_refuses_three_jobs_in_a_row_is_left_alone() -> None:
    health = VendorHealth()
    for _ in range(2):
        health.learn(HERE, VendorRefusedError("no"), NOW)
    before = asked(health)[0]
    health.learn(HERE, VendorRefusedError("no"), NOW)

    assert [before, *asked(health)] == [True, False, True, True]


@pytest.mark.parametrize("answer", [None, JobNotFoundError("no")])
def test_an_answer_ends_a_row_of_refusals_and_they_are_told(answer: Exception | None) -> None:
    health = VendorHealth()
    for error in (*[VendorRefusedError("another account's job")] * 2, answer) * 3:
        health.learn(HERE, error, NOW)

    assert (asked(health)[0], health.refused_by) == (True, {HERE})


@pytest.mark.parametrize(("wait", "is_asked"), [(5_000, True), (5_001, False), (None, True)])
def test_a_product_is_asked_about_when_a_call_of_its_budget_comes_in_time(
    wait: int | None, is_asked: bool
) -> None:
    health = VendorHealth()
    health.learn(HERE, NoTimeLeftError("no call is left", retry_after_ms=wait), NOW)

    assert asked(health, by=NOW + 5_000) == [is_asked, is_asked, True]
    assert asked(health, by=NOW + 5_001) == [True, True, True]
    assert health.refused_by == set()


def test_a_service_that_fails_five_times_in_a_row_is_left_alone() -> None:
    health = VendorHealth()
    for _ in range(4):
        health.learn(HERE, ThrottledError("slow down"), NOW)
    before = asked(health)[0]
    health.learn(HERE, ThrottledError("slow down"), NOW)

    assert [before, *asked(health)] == [True, False, True, True]


@pytest.mark.parametrize(
    ("answer", "is_asked"),
    [(None, True), (JobNotFoundError("no"), True), (OSError("a store"), False)],
)
def test_only_an_answer_ends_a_row_of_failures(answer: Exception | None, is_asked: bool) -> None:
    health = VendorHealth()
    for error in (*[ThrottledError("slow down")] * 4, answer, ThrottledError("slow down")):
        health.learn(HERE, error, NOW)

    assert asked(health)[0] is is_asked


def missing_jobs(found: int, missing: int, *, is_certain: bool = True, for_ms: int = DAY) -> MissingJobs:
    jobs = MissingJobs()
    for _ in range(found):
        jobs.found(HERE, is_certain=True)
    for number in range(missing):
        jobs.missing(HERE, f"job-{number}", for_ms=for_ms, is_certain=is_certain)
    return jobs


@pytest.mark.parametrize(
    ("found", "missing", "is_doubtful"),
    [(0, 9, False), (0, 10, True), (40, 10, False), (39, 10, True), (1_000, 250, False), (1_000, 251, True)],
)
def test_more_than_a_fifth_and_at_least_ten_missing_jobs_speak_against_us(
    found: int, missing: int, is_doubtful: bool
) -> None:
    jobs = missing_jobs(found, missing)

    assert jobs.doubtful() == ([HERE] if is_doubtful else [])
    assert len(jobs.unknown()) == (0 if is_doubtful else missing)
    assert len(jobs.held()) == missing


@pytest.mark.parametrize(
    ("found", "for_ms", "is_believed"), [(0, DAY - 1, False), (0, DAY, True), (1, HOUR, True)]
)
def test_where_no_job_was_found_a_missing_one_is_believed_after_a_day(
    found: int, for_ms: int, is_believed: bool
) -> None:
    jobs = missing_jobs(found, 1, for_ms=for_ms)

    assert (jobs.held(), jobs.unknown()) == (["job-0"], ["job-0"] if is_believed else [])


def test_jobs_that_a_person_named_do_not_speak_against_us() -> None:
    jobs = missing_jobs(0, 30, is_certain=False)

    assert (jobs.doubtful(), len(jobs.unknown())) == ([], 30)


def test_one_service_says_nothing_of_another() -> None:
    jobs = missing_jobs(30, 30)
    jobs.missing(OTHER, "other", for_ms=HOUR, is_certain=True)

    assert jobs.unknown() == []
    jobs.found(OTHER, is_certain=False)
    assert jobs.unknown() == ["other"]
