"""What a refusal of the vendor means for us: an HTTP status and a body become one of our errors.

Pure. The order of the rules matters: `InvalidAccessKeyId.NotFound` is about our key, although it
looks like a job that is not found. A code that no rule knows may pass, so it is temporary: no job is
condemned by a word that nobody knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from shared.errors import (
    FunctionError,
    JobNotFoundError,
    ParseError,
    PermanentError,
    TemporaryError,
    ThrottledError,
    VendorRefusedError,
    VendorUnavailableError,
)
from shared.toolkit import strict_json, xml_tree
from shared.vendor import ApiRequest

_NOT_IN_A_WORD = re.compile(r"[^\w.-]+", re.ASCII)
_LONGEST_WORD = 100
_LONGEST_MESSAGE = 300

# A wrong signature is answered with all that was signed, key id and parameters included: seen in
# https://github.com/NewFuture/DDNS/issues/57
_ECHO = re.compile(
    r"\s*(?:the )?(?:server )?(?:string ?to ?sign|canonical ?request)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_URL_QUERY = re.compile(r"(\bhttps?://[^\s?\"'<>]*)\?[^\s\"'<>]*", re.IGNORECASE)
_SECRET_FIELD = re.compile(r"\b(AccessKeyId|SecurityToken|Signature)(=|%3D)[^\s&\"'<>]+", re.IGNORECASE)
_KEY_ID = re.compile(r"\b(?:LTAI\w{8,}|STS\.\w{8,})")


# Function Compute's own names: https://www.alibabacloud.com/help/doc-detail/154973.htm
_FC_CODE = ("ErrorCode", "errorCode")
_FC_MESSAGE = ("ErrorMessage", "errorMessage")


@dataclass(frozen=True)
class Refusal:
    """An answer that is not a success. `code` and `message` are empty when the body tells none."""

    status: int
    code: str = ""
    message: str = ""
    request_id: str | None = None
    retry_after_ms: int | None = None


@dataclass(frozen=True)
class _Rule:
    """Codes, in lower case and with wildcards, that mean one kind of error."""

    error: type[FunctionError]
    advice: str
    codes: tuple[str, ...]

    def matches(self, code: str) -> bool:
        return any(fnmatchcase(code, pattern) for pattern in self.codes)


_THROTTLED = _Rule(
    ThrottledError,
    "call less often",
    ("throttling*",),  # with HTTP 400 (media-jobs.md 3, errors)
)
_UNAVAILABLE = _Rule(
    VendorUnavailableError,
    "try again later",
    (
        "serviceunavailable*",  # VOD writes ServiceUnAvailable (media-jobs.md 3, errors)
        "internalerror*",
        "signaturenonceused",  # the next try has another nonce
    ),
)
_REFUSED = (
    _Rule(
        VendorRefusedError,
        "check the access key, its secret and its token",
        ("*accesskey*", "*securitytoken*", "*signature*"),
    ),
    _Rule(VendorRefusedError, "check the clock of this machine", ("invalidtimestamp*",)),
    _Rule(
        VendorRefusedError,
        "check the permissions of the key and that the service is on and paid for",
        (
            "forbidden*",
            "nopermission*",
            "*servicedisabled*",
            "operationdenied*",
            # The role that MPS works with (media-jobs.md 1.2): not a job that does not exist.
            "entitynotexist.role*",
        ),
    ),
    _Rule(
        VendorRefusedError,
        "check the region and the endpoint: this API is not served there",
        (
            "invalidversion*",
            "missingversion",
            "invalidaction*",
            "missingaction",
            "invalidapi*",
            "invalidregion*",
        ),
    ),
)
_ABOUT_THE_JOB = (
    _Rule(
        JobNotFoundError,
        "the job may be older or younger than what is kept",
        ("*notfound*", "*notexist*"),
    ),
    _Rule(
        PermanentError,
        "this job cannot be asked for",
        (
            "invalidparameter*",
            "missingparameter*",
            # The gateway names the parameter: InvalidJobId, MissingUserId (media-jobs.md 3, errors).
            "invalidjobid*",
            "missingjobid*",
            "invaliduserid*",
            "missinguserid*",
            "invalidmediaid*",
            "missingmediaid*",
            "idempotentparametermismatch",
        ),
    ),
)
# What ROS says of stacks: https://www.alibabacloud.com/help/en/ros/developer-reference/api-ros-2019-09-10-updatestack
_OF_PRODUCT = {
    "ros": (
        _Rule(VendorUnavailableError, "wait until it has ended", ("actioninprogress",)),
        _Rule(PermanentError, "check its name and the region", ("stacknotfound", "stackexists")),
        _Rule(
            PermanentError, "check the template and its parameters", ("stackvalidation*", "invalidtemplate*")
        ),
        _Rule(PermanentError, "this cannot be done with this stack", ("notsupported*",)),
    )
}
_UNKNOWN = _Rule(VendorUnavailableError, "try again later; the code is new to us", ())
_NOT_ALLOWED = _Rule(VendorRefusedError, "check the access key and its permissions", ())


def read_refusal(status: int, body: bytes, *, retry_after_ms: int | None = None) -> Refusal:
    """Read an error body in JSON or XML; one that cannot be read leaves code and message empty."""
    parse = xml_tree.parse if body.lstrip().startswith(b"<") else strict_json.parse
    try:
        tree = parse(body)
    except ParseError:
        tree = None
    fields = tree if isinstance(tree, dict) else {}
    return Refusal(
        status,
        code=_word(fields, "Code", "code", *_FC_CODE),
        message=_without_secrets(_text(fields, "Message", "message", *_FC_MESSAGE)),
        request_id=_word(fields, "RequestId", "requestId") or None,
        retry_after_ms=retry_after_ms,
    )


def error_for(refusal: Refusal, request: ApiRequest) -> FunctionError:
    """Give the error that says what must happen next, and what the vendor's support asks for."""
    rule = _rule(refusal, request.product)
    details: dict[str, object] = {
        "product": request.product,
        "action": request.action,
        "vendor_code": refusal.code or None,
        "request_id": refusal.request_id,
        "status": refusal.status,
    }
    message = f"the vendor refused the call: {refusal.message or 'it gave no reason'}; {rule.advice}"
    if issubclass(rule.error, TemporaryError):
        return rule.error(message, retry_after_ms=refusal.retry_after_ms, **details)
    return rule.error(message, **details)


def _rule(refusal: Refusal, product: str) -> _Rule:
    code = refusal.code.lower()
    if refusal.status == 429 or refusal.retry_after_ms is not None or _THROTTLED.matches(code):
        return _THROTTLED
    if refusal.status >= 500 or _UNAVAILABLE.matches(code):
        return _UNAVAILABLE
    for rule in _REFUSED:
        if rule.matches(code):
            return rule
    if refusal.status in (401, 403):
        return _NOT_ALLOWED
    rules = (*_OF_PRODUCT.get(product, ()), *_ABOUT_THE_JOB)
    return next((rule for rule in rules if rule.matches(code)), _UNKNOWN)


def _text(fields: dict[str, strict_json.Tree], *names: str) -> str:
    found = (fields.get(name) for name in names)
    return next((value.strip() for value in found if isinstance(value, str) and value.strip()), "")


def _word(fields: dict[str, strict_json.Tree], *names: str) -> str:
    """Read a code or an id: it goes into logs, so it is short and harmless."""
    return _NOT_IN_A_WORD.sub("?", _text(fields, *names))[:_LONGEST_WORD]


def _without_secrets(message: str) -> str:
    message = _ECHO.sub("", message)
    message = _URL_QUERY.sub(r"\1", message)
    message = _SECRET_FIELD.sub(r"\1\2***", message)
    message = _KEY_ID.sub("***", message)
    return " ".join(message.split())[:_LONGEST_MESSAGE]
