"""What a refusal of MNS means for us. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from shared.errors import (
    FunctionError,
    OutcomeUnknownError,
    PermanentError,
    SettingError,
    StoreUnavailableError,
    VendorRefusedError,
)
from shared.toolkit.masking import Masker

# The codes, in lower case and with wildcards, of
# https://www.alibabacloud.com/help/en/message-service/latest/syntax-of-error-responses
_RULES: tuple[tuple[type[FunctionError], str, tuple[str, ...]], ...] = (
    (
        SettingError,
        "check the name, and account and region in LEDGER_MNS",
        ("queuenotexist", "topicnotexist"),
    ),
    (VendorRefusedError, "check the clock of this machine", ("timeexpired", "*dateheader")),
    (
        VendorRefusedError,
        "check the access key, its secret and its token",
        ("*accesskey*", "*securitytoken*", "*signature*", "*authorizationheader"),
    ),
    (VendorRefusedError, "check the permissions of the key (RAM policy, mns:*)", ("accessdenied*",)),
    (
        PermanentError,
        "MNS takes no such message",
        ("invalidargument", "malformedxml", "messagebody*", "invalidquerystring", "invalidrequesturl"),
    ),
    (StoreUnavailableError, "call less often", ("*qpslimit*", "*throttl*")),
)
_NOT_HELD = ("messagenotexist", "receipthandleerror")
_SHOWN = 200


def says_not_held(code: str) -> bool:
    """Tell whether a code means that there is no message, or not under this receipt any more."""
    return code.lower() in _NOT_HELD


def refused(code: str, message: str, request_id: str | None, **where: Any) -> FunctionError:
    """Give the error for a refusal; one that no rule knows may come after it was done."""
    told = Masker().text(message)[:_SHOWN]
    details: dict[str, Any] = {**where, "code": code, "request_id": request_id}
    for kind, advice, codes in _RULES:
        if any(fnmatchcase(code.lower(), pattern) for pattern in codes):
            return kind(f"MNS refused the call: {told}; {advice}", **details)
    return OutcomeUnknownError(f"MNS could not answer: {told}; try again later", **details)


def unsent(reason: str, **where: Any) -> FunctionError:
    """Give the error for a call that never went out."""
    return StoreUnavailableError(f"MNS cannot be reached: {reason}", **where)


def unanswered(reason: str, **where: Any) -> FunctionError:
    """Give the error for a call without an answer that can be read."""
    return OutcomeUnknownError(f"no answer from MNS: {reason}", **where)
