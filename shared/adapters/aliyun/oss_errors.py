"""What a failed call of OSS means for us: whatever the vendor's client raised becomes one of our errors.

Pure. The client's own messages hold whole URLs, so nothing of them is passed on: only code, message
and request id of the vendor's answer, cleaned.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from fnmatch import fnmatchcase

from shared.adapters.vendor_errors import Refusal, read_refusal
from shared.errors import (
    FunctionError,
    ObjectNotFoundError,
    SettingError,
    StoreUnavailableError,
    VendorRefusedError,
)

# 403 of OSS: https://www.alibabacloud.com/help/en/oss/how-to-troubleshoot-403-status-code-when-you-access-oss
_RULES: tuple[tuple[type[FunctionError], str, tuple[str, ...]], ...] = (
    (ObjectNotFoundError, "no object stands there", ("nosuchkey",)),
    (
        SettingError,
        "check the bucket in LEDGER_OBJECTS, and that its endpoint is that of the bucket's region",
        ("nosuchbucket", "invalidbucketname", "bucketnotbelongto"),
    ),
    (
        VendorRefusedError,
        "check the access key, its secret and its token",
        ("*accesskey*", "*securitytoken*", "*signature*"),
    ),
    (VendorRefusedError, "check the clock of this machine", ("requesttimetooskewed",)),
    (
        VendorRefusedError,
        "objects of this bucket cannot be replaced: take its retention or overwrite rule from this prefix",
        ("fileimmutable", "filealreadyexists"),
    ),
    (StoreUnavailableError, "call less often", ("*qpslimit*", "*ratelimit*")),
)
_AWAY = (StoreUnavailableError, "try again later")
_DENIED = (
    VendorRefusedError,
    "check the permissions of the key, that the endpoint is that of the bucket's region, and the bill",
)


@dataclass(frozen=True)
class Failure:
    """How one try ended. `may_have_happened` tells that a write may be done nevertheless."""

    error: FunctionError
    may_have_happened: bool = False


def refused(refusal: Refusal, *, key: str) -> Failure:
    """Read an answer that is not a success."""
    kind, advice = _rule(refusal)
    error = kind(
        f"OSS refused the call: {refusal.message or 'it gave no reason'}; {advice}",
        key=key,
        vendor_code=refusal.code or None,
        request_id=refusal.request_id,
        status=refusal.status,
    )
    # 503 is said instead of doing it; any other failure of the server may come after it was done.
    return Failure(error, may_have_happened=refusal.status >= 500 and refusal.status != 503)


def read_answer(status: int, body: bytes, *, in_header: str = "") -> Refusal:
    """Read an error's body, which for a HEAD stands in the header `x-oss-err`."""
    try:
        return read_refusal(status, body or base64.b64decode(in_header))
    except binascii.Error:
        return Refusal(status)


def unanswered(reason: str, *, key: str, was_sent: bool) -> Failure:
    """Read a call that no answer came to."""
    return Failure(
        StoreUnavailableError(f"no answer from OSS: {reason}", key=key), may_have_happened=was_sent
    )


def damaged(what: str, *, key: str) -> StoreUnavailableError:
    """Say that bytes went missing, or were changed, on their way."""
    return StoreUnavailableError(f"what came from OSS is not what stands there: {what}", key=key)


def _rule(refusal: Refusal) -> tuple[type[FunctionError], str]:
    code = refusal.code.lower()
    for kind, advice, codes in _RULES:
        if any(fnmatchcase(code, pattern) for pattern in codes):
            return kind, advice
    if refusal.status == 404 and not code:
        return ObjectNotFoundError, "no object stands there"
    if refusal.status in (401, 403):
        return _DENIED
    # A code that no rule knows may pass: no job is condemned by a word that nobody knows.
    return _AWAY
