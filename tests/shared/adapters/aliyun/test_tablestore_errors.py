"""What a failure means, by its code."""

from __future__ import annotations

import pytest

from shared.adapters.aliyun.tablestore_errors import Failure, Fate, refused, unreadable
from shared.errors import MisconfiguredError


@pytest.mark.parametrize(
    ("status", "code", "fate"),
    [
        (403, "OTSConditionCheckFail", Fate.LOST),
        (403, "OTSCapacityUnitExhausted", Fate.AGAIN),
        (404, "OTSTableNotReady", Fate.AGAIN),
        (409, "OTSRowOperationConflict", Fate.AGAIN),
        (503, "OTSServerBusy", Fate.AGAIN),
        (503, "OTSPartitionUnavailable", Fate.AGAIN),
        (408, "OTSRequestTimeout", Fate.DOUBT),
        (500, "OTSInternalServerError", Fate.DOUBT),
        (503, "OTSTimeout", Fate.DOUBT),
        (503, "OTSNewInTheYear2030", Fate.DOUBT),
        (403, "OTSAuthFailed", Fate.NEVER),
        (403, "OTSQuotaExhausted", Fate.NEVER),
        (400, "OTSNewInTheYear2030", Fate.NEVER),
    ],
)
def test_the_code_decides_whether_to_try_again(status: int, code: str, fate: Fate) -> None:
    assert refused(status, code, "").fate is fate


def test_too_many_calls_on_tables_are_a_matter_of_waiting() -> None:
    assert refused(403, "OTSQuotaExhausted", "Too frequent table operations.").fate is Fate.AGAIN


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        (unreadable(200, "The difference between date in response is more than 15 minutes."), "clock"),
        (unreadable(404, "HTTP status: 404, reason: Not Found."), "endpoint"),
        (refused(403, "OTSAuthFailed", "The user has no privilege to access the instance."), "RAM policy"),
        (refused(403, "OTSAuthFailed", "The instance is not running."), "region"),
    ],
)
def test_what_is_ours_to_mend_comes_with_advice(failure: Failure, advice: str) -> None:
    error = failure.error(instance="ledger", table="jobs")

    assert isinstance(error, MisconfiguredError)
    assert advice in error.message
