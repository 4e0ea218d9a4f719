"""What states and reasons mean in plain words."""

from __future__ import annotations

import pytest

from cli.deploy.advice import advice_for, meaning_of, takes_no_update


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("BucketAlreadyExists: The requested bucket name is not available", "another --parameter Archive"),
        ("EntityAlreadyExists.Role: The role already exists", "another --parameter Name"),
        ("InvalidAccountStatus.NotEnoughBalance", "no money"),
        ("QuotaExceeded.Function", "Quota Center"),
        ("Forbidden.RAM: User not authorized to operate", "the key may not do this"),
        ("UserNotOpen: service NotOpen", "enable the service"),
        ("AliyunServiceRoleForEventBridgeSendToFC does not exist", "service-linked role"),
        ("NoSuchKey: the object does not exist", "cannot read the package"),
        ("Resource CREATE failed: Timed out", "a longer --timeout"),
    ],
)
def test_a_known_reason_has_its_advice(reason: str, advice: str) -> None:
    assert advice in str(advice_for(reason))


def test_a_reason_that_nobody_knows_has_none() -> None:
    assert advice_for("InternalError") is None


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_UPDATE_COMPLETE"])
def test_a_stack_that_is_complete_needs_nobody(status: str) -> None:
    assert (meaning_of(status), takes_no_update(status)) == (None, False)


@pytest.mark.parametrize(
    ("status", "must_go"),
    [
        ("CREATE_ROLLBACK_COMPLETE", True),
        ("CREATE_FAILED", True),
        ("ROLLBACK_COMPLETE", False),
        ("ROLLBACK_FAILED", False),
        ("SOMETHING_NEW", False),
    ],
)
def test_only_a_stack_that_was_never_whole_has_to_be_deleted(status: str, must_go: bool) -> None:
    assert (meaning_of(status) is None, takes_no_update(status)) == (False, must_go)
    assert ("delete it" in str(meaning_of(status))) == must_go
