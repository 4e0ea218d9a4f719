"""No more calls than the budget allows, each try counted."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from shared.adapters.clocks import ManualClock
from shared.adapters.paced_media_api import CallBudget, PacedMediaApi
from shared.errors import NoTimeLeftError, PermanentError, TemporaryError, ThrottledError
from shared.vendor import ApiAnswer, ApiRequest, Part

QUERY = ApiRequest("vod", "2017-03-21", "GetAIMediaAuditJob", {"JobId": "1"})
ANSWER = ApiAnswer(Part("answer", "json", b"{}"))
MINUTE = 60_000


@dataclass
class Vendor:
    """A vendor that raises what it is told to, then answers; it notes when it was called."""

    clock: ManualClock
    errors: list[Exception] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        self.calls.append(self.clock.now())
        if self.errors:
            raise self.errors.pop(0)
        return ANSWER


def paced(
    *errors: Exception, rate: float = 10, part: float = 1, among: int = 1
) -> tuple[Vendor, PacedMediaApi]:
    clock = ManualClock(0)
    vendor = Vendor(clock, list(errors))
    budget = CallBudget({"vod": rate, "mts": 100 * rate}, clock=clock, part=part, among=among)
    return vendor, PacedMediaApi(vendor, clock, random.Random(1), budget)


def test_calls_come_at_the_rate_of_a_share_and_never_in_a_burst() -> None:
    vendor, api = paced(rate=50, part=0.4, among=2)
    for _ in range(4):
        api.call(QUERY, deadline=MINUTE)

    assert vendor.calls == [100, 200, 300, 400]


def test_the_time_since_the_budget_was_made_counts_towards_the_first_wait() -> None:
    vendor, api = paced(rate=0.5)
    vendor.clock.advance(1_500)
    api.call(QUERY, deadline=MINUTE)

    assert vendor.calls == [2_000]


def test_every_try_takes_a_token() -> None:
    vendor, api = paced(*[ThrottledError("slow down")] * 3, rate=0.5)
    api.call(QUERY, deadline=MINUTE)

    assert vendor.calls == [2_000, 4_000, 6_000, 8_000]


def test_products_do_not_share_a_budget_and_an_unknown_one_has_the_lowest_rate() -> None:
    vendor, api = paced(rate=0.5)
    for product in ("mts", "new", "mts"):
        api.call(ApiRequest(product, "1", "GetIt"), deadline=MINUTE)

    assert vendor.calls == [20, 2_020, 2_020]


def test_a_call_that_gets_no_token_in_time_waits_for_nothing_and_says_so() -> None:
    vendor, api = paced(rate=0.01)

    with pytest.raises(NoTimeLeftError, match="vod") as caught:
        api.call(QUERY, deadline=MINUTE)
    assert (vendor.calls, vendor.clock.now()) == ([], 0)
    assert caught.value.retry_after_ms == 100_000


def test_what_came_of_a_try_counts_more_than_that_there_is_no_token_for_another() -> None:
    vendor, api = paced(ThrottledError("slow down"), rate=1 / 40)

    with pytest.raises(ThrottledError):
        api.call(QUERY, deadline=MINUTE)
    assert vendor.calls == [40_000]


@pytest.mark.parametrize(
    ("error", "tries"), [(TemporaryError("away"), 4), (PermanentError("no such job"), 1)]
)
def test_only_what_may_pass_is_tried_again(error: Exception, tries: int) -> None:
    vendor, api = paced(*[error] * 5)

    with pytest.raises(type(error)):
        api.call(QUERY, deadline=MINUTE)
    assert len(vendor.calls) == tries


def test_the_next_try_comes_no_sooner_than_the_vendor_wishes() -> None:
    vendor, api = paced(ThrottledError("slow down", retry_after_ms=7_000))
    api.call(QUERY, deadline=MINUTE)
    first, second = vendor.calls

    assert 7_000 + 100 <= second - first <= 7_000 + 200


def test_a_wish_beyond_the_deadline_is_not_waited_for() -> None:
    vendor, api = paced(ThrottledError("slow down", retry_after_ms=MINUTE))

    with pytest.raises(ThrottledError):
        api.call(QUERY, deadline=MINUTE)
    assert (len(vendor.calls), vendor.clock.now()) == (1, vendor.calls[0])
