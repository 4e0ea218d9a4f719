"""What the vendor's refusals mean for us."""

from __future__ import annotations

import json
from collections.abc import Callable
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.vendor_errors import Refusal, error_for, read_refusal
from shared.errors import (
    FunctionError,
    JobNotFoundError,
    PermanentError,
    TemporaryError,
    ThrottledError,
    VendorRefusedError,
    VendorUnavailableError,
)
from shared.vendor import ApiRequest

Write = Callable[..., bytes]

REQUEST = ApiRequest("vod", "2017-03-21", "GetAIMediaAuditJob", params={"JobId": "secret-job"})

MEANINGS: list[tuple[int, str, type[FunctionError]]] = [
    (400, "Throttling", ThrottledError),
    (400, "Throttling.User", ThrottledError),
    (400, "Throttling.Api", ThrottledError),
    (429, "", ThrottledError),
    (503, "ServiceUnavailable", VendorUnavailableError),
    (400, "ServiceUnAvailable", VendorUnavailableError),
    (400, "InternalError", VendorUnavailableError),
    (500, "InternalError", VendorUnavailableError),
    (502, "", VendorUnavailableError),
    (504, "InvalidParameter.JobNotFound", VendorUnavailableError),
    (400, "SignatureNonceUsed", VendorUnavailableError),
    (404, "InvalidAccessKeyId.NotFound", VendorRefusedError),
    (400, "InvalidAccessKeyId.Inactive", VendorRefusedError),
    (400, "SignatureDoesNotMatch", VendorRefusedError),
    (403, "SignatureDoesNotMatch", VendorRefusedError),
    (400, "IncompleteSignature", VendorRefusedError),
    (400, "InvalidTimeStamp.Expired", VendorRefusedError),
    (400, "InvalidTimeStamp.Format", VendorRefusedError),
    (400, "MissingSecurityToken", VendorRefusedError),
    (400, "InvalidSecurityToken.Expired", VendorRefusedError),
    (403, "Forbidden", VendorRefusedError),
    (403, "Forbidden.RAM", VendorRefusedError),
    (400, "NoPermission", VendorRefusedError),
    (400, "InvalidIdentity.ServiceDisabled", VendorRefusedError),
    (403, "OperationDenied.Suspended", VendorRefusedError),
    (404, "InvalidAction.NotFound", VendorRefusedError),
    (404, "InvalidApi.NotFound", VendorRefusedError),
    (400, "InvalidVersion", VendorRefusedError),
    (404, "InvalidRegionId.NotFound", VendorRefusedError),
    (400, "EntityNotExist.Role", VendorRefusedError),
    (401, "", VendorRefusedError),
    (403, "SomethingNew", VendorRefusedError),
    (400, "InvalidParameter.JobNotFound", JobNotFoundError),
    (404, "InvalidJobId.NotFound", JobNotFoundError),
    (400, "JobNotExist", JobNotFoundError),
    (400, "InvalidParameter", PermanentError),
    (400, "InvalidParameter.UUIDFormatInvalid", PermanentError),
    (400, "MissingParameter", PermanentError),
    (400, "MissingJobId", PermanentError),
    (400, "IdempotentParameterMismatch", PermanentError),
    (400, "SomethingNew", VendorUnavailableError),
    (404, "", VendorUnavailableError),
    (302, "", VendorUnavailableError),
]


def as_json(**fields: str) -> bytes:
    return json.dumps(fields).encode()


def as_xml(**fields: str) -> bytes:
    members = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return f"<?xml version='1.0' encoding='UTF-8'?>\n<Error>{members}</Error>".encode()


@pytest.mark.parametrize(("status", "code", "meaning"), MEANINGS, ids=lambda part: str(part))
def test_status_and_code_decide_what_happens_next(
    status: int, code: str, meaning: type[FunctionError]
) -> None:
    error = error_for(Refusal(status, code=code), REQUEST)

    assert type(error) is meaning


@pytest.mark.parametrize(
    ("status", "code", "meaning", "elsewhere"),
    [
        (409, "ActionInProgress", VendorUnavailableError, VendorUnavailableError),
        (409, "StackExists", PermanentError, VendorUnavailableError),
        (404, "StackNotFound", PermanentError, JobNotFoundError),
        (400, "StackValidationFailed", PermanentError, VendorUnavailableError),
        (400, "InvalidTemplate", PermanentError, VendorUnavailableError),
        (400, "NotSupported", PermanentError, VendorUnavailableError),
    ],
)
def test_words_about_stacks_mean_that_for_stacks_alone(
    status: int, code: str, meaning: type[FunctionError], elsewhere: type[FunctionError]
) -> None:
    refusal = Refusal(status, code=code)

    assert type(error_for(refusal, ApiRequest("ros", "2019-09-10", "UpdateStack"))) is meaning
    assert type(error_for(refusal, REQUEST)) is elsewhere


@pytest.mark.parametrize("code", ["Throttling", "SomethingNew", "InternalError", "InvalidParameter"])
def test_a_wait_that_the_vendor_asks_for_always_throttles(code: str) -> None:
    error = error_for(Refusal(400, code=code, retry_after_ms=7_000), REQUEST)

    assert isinstance(error, ThrottledError)
    assert error.retry_after_ms == 7_000


@pytest.mark.parametrize("write", [as_json, as_xml])
def test_an_error_tells_what_the_vendors_support_asks_for(write: Write) -> None:
    body = write(RequestId="R-1", HostId="vod", Code="Forbidden", Message="Not <you> & me.")

    error = error_for(read_refusal(403, body), REQUEST)

    assert error.details == {
        "product": "vod",
        "action": "GetAIMediaAuditJob",
        "vendor_code": "Forbidden",
        "request_id": "R-1",
        "status": 403,
    }
    assert "Not <you> & me." in str(error)
    assert "check the permissions" in str(error)
    assert "secret-job" not in str(error)


def test_lower_case_keys_are_read_too() -> None:
    refusal = read_refusal(400, as_json(requestId="R-1", code="Throttling.User", message="Slower."))

    assert refusal == Refusal(400, code="Throttling.User", message="Slower.", request_id="R-1")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad Gateway",
        b"null",
        b"[]",
        b'"Code"',
        b'{"Code":{}}',
        b"\xff\xfe",
        b'{"Code":1',
        b"[" * 9999,
    ],
)
def test_a_body_that_cannot_be_read_leaves_the_status_to_decide(body: bytes) -> None:
    refusal = read_refusal(502, body)

    assert refusal == Refusal(502)
    assert "it gave no reason" in str(error_for(refusal, REQUEST))


@pytest.mark.parametrize(
    "message",
    [
        "Specified signature is not matched with our calculation. server string to sign is:"
        "POST&%2F&AccessKeyId%3DLTAI5tSECRET01%26JobId%3DSECRET",
        "Specified signature does not match our calculation. server StringToSign is SECRET",
        "Not matched. server CanonicalRequest is 'POST\\n/\\nJobId=SECRET'",
        "See https://vod.aliyuncs.com/?AccessKeyId=SECRET&Signature=SECRET for more.",
        "AccessKeyId=SECRET is not found.",
        "The key LTAI5tSECRET00112233 is disabled.",
        "The key STS.NTSECRET00112233 is expired.",
    ],
)
@pytest.mark.parametrize("write", [as_json, as_xml])
def test_queries_keys_and_signatures_are_not_passed_on(write: Write, message: str) -> None:
    body = write(Code="SignatureDoesNotMatch", Message=message)

    error = error_for(read_refusal(400, body), REQUEST)

    assert "SECRET" not in f"{error} {error!r} {error.details}"


def test_the_address_itself_stays_readable() -> None:
    body = as_json(Message="See https://help.aliyun.com/doc.html?token=1 for more.")

    assert read_refusal(400, body).message == "See https://help.aliyun.com/doc.html for more."


def test_a_code_is_short_and_harmless_in_a_log() -> None:
    refusal = read_refusal(400, as_json(Code="Bad\n\x1b[31mCode" + "x" * 5_000, RequestId="a b\n"))

    assert refusal.code.startswith("Bad?31mCode")
    assert len(refusal.code) == 100
    assert refusal.request_id == "a?b"


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(
    st.integers(min_value=100, max_value=599),
    st.one_of(
        st.binary(max_size=60),
        st.builds(lambda code, message: as_json(Code=code, Message=message), words, words),
    ),
)
def test_every_refusal_becomes_exactly_one_of_the_three_families(status: int, body: bytes) -> None:
    error = error_for(read_refusal(status, body), REQUEST)

    families = (TemporaryError, PermanentError, VendorRefusedError)
    assert sum(isinstance(error, family) for family in families) == 1
    assert error.details["status"] == status
