"""What the answers of OSS mean for us."""

from __future__ import annotations

import base64

import pytest

from shared.adapters.aliyun.oss_errors import read_answer, refused
from shared.errors import (
    FunctionError,
    ObjectNotFoundError,
    SettingError,
    StoreUnavailableError,
    VendorRefusedError,
)

BODY = "<Error><Code>{}</Code><Message>why</Message><RequestId>5FC</RequestId></Error>"


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (404, "NoSuchKey", ObjectNotFoundError),
        (404, "NoSuchBucket", SettingError),
        (403, "InvalidAccessKeyId", VendorRefusedError),
        (403, "SecurityTokenExpired", VendorRefusedError),
        (403, "AccessKeyIdAndSecurityTokenNotMatch", VendorRefusedError),
        (403, "RequestTimeTooSkewed", VendorRefusedError),
        (403, "InDebtOverdue", VendorRefusedError),
        (409, "FileImmutable", VendorRefusedError),
        (503, "QpsLimitExceeded", StoreUnavailableError),
        (503, "PartitionQpsLimitted", StoreUnavailableError),
        (400, "InvalidDigest", StoreUnavailableError),
        (418, "NeverHeardOf", StoreUnavailableError),
    ],
)
def test_every_code_has_its_family(status: int, code: str, error: type[FunctionError]) -> None:
    failure = refused(read_answer(status, BODY.format(code).encode()), key="raw/a")

    assert type(failure.error) is error
    assert failure.error.details == {
        "key": "raw/a",
        "vendor_code": code,
        "request_id": "5FC",
        "status": status,
    }
    assert "why" in failure.error.message
    assert not failure.may_have_happened


@pytest.mark.parametrize(
    ("status", "may"), [(500, True), (502, True), (503, False), (504, True), (403, False)]
)
def test_a_server_that_failed_may_have_written_unless_it_was_busy(status: int, may: bool) -> None:
    assert refused(read_answer(status, b""), key="raw/a").may_have_happened is may


def test_the_answer_to_a_head_stands_in_a_header() -> None:
    in_header = base64.b64encode(BODY.format("NoSuchBucket").encode()).decode()

    assert read_answer(404, b"", in_header=in_header).code == "NoSuchBucket"


@pytest.mark.parametrize("in_header", ["", "a", "no xml"])
def test_nothing_there_and_no_word_is_an_object_that_is_not_found(in_header: str) -> None:
    failure = refused(read_answer(404, b"", in_header=in_header), key="raw/a")

    assert isinstance(failure.error, ObjectNotFoundError)
