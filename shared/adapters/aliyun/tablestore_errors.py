"""What a failed call to Tablestore means: lost, again, in doubt, or never. Pure.

The code decides, never the HTTP status: 403 is a lost race, a throttled table or a wrong key
(tablestore-oss.md 1.2, 1.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shared.errors import FunctionError, MisconfiguredError, OutcomeUnknownError, StoreUnavailableError

_SHOWN = 200


class Fate(Enum):
    """What became of a call, and what may follow."""

    LOST = "a condition did not hold"
    AGAIN = "nothing was written, and another try may work"
    DOUBT = "it may have been done, and another try may work"
    NEVER = "it was refused, and every try will be"


@dataclass(frozen=True)
class Failure:
    """A failed call, or a failed row of a batch."""

    fate: Fate
    code: str
    reason: str
    request_id: str | None = None

    def error(self, *, instance: str, table: str | None, in_doubt: bool = False) -> FunctionError:
        """Give the error to raise; `in_doubt` says that an earlier try, or this one, may have written."""
        kind, message = self._kind_and_message(in_doubt=in_doubt)
        return kind(message, instance=instance, table=table, code=self.code, request_id=self.request_id)

    def _kind_and_message(self, *, in_doubt: bool) -> tuple[type[FunctionError], str]:
        if in_doubt:
            return OutcomeUnknownError, f"Tablestore may or may not have written this: {self.reason}"
        if self.fate is Fate.NEVER:
            return MisconfiguredError, _advice(self)
        return StoreUnavailableError, f"Tablestore did not answer in time: {self.reason}"


_AGAIN = {
    "OTSCapacityUnitExhausted",
    "OTSNotEnoughCapacityUnit",
    "OTSOperationConflict",
    "OTSOperationThrottled",
    "OTSPartitionUnavailable",
    "OTSRowOperationConflict",
    "OTSServerBusy",
    "OTSTableNotReady",
}
_DOUBT = {"OTSInternalServerError", "OTSRequestTimeout", "OTSServerUnavailable", "OTSTimeout"}
_TOO_OFTEN = "too frequent table operations"


def refused(status: int, code: str, message: str, request_id: str | None = None) -> Failure:
    """Read an error that Tablestore answered with."""
    if code == "OTSConditionCheckFail":
        fate = Fate.LOST
    elif code in _AGAIN or (code == "OTSQuotaExhausted" and _TOO_OFTEN in message.lower()):
        fate = Fate.AGAIN
    elif code in _DOUBT or status >= 500:
        fate = Fate.DOUBT
    else:
        fate = Fate.NEVER
    return Failure(fate, code, message[:_SHOWN], request_id or None)


def unsent(reason: str) -> Failure:
    """Say that no connection came about."""
    return Failure(Fate.AGAIN, "NotConnected", reason)


def unanswered(reason: str) -> Failure:
    """Say that the request went out, and no whole answer came back."""
    return Failure(Fate.DOUBT, "NoAnswer", reason)


def unreadable(status: int | None, reason: str) -> Failure:
    """Read the SDK's verdict on an answer that is not Tablestore's, or not for us."""
    if "15 minutes" in reason:
        return Failure(Fate.NEVER, "ClockSkew", reason[:_SHOWN])
    if "MD5" in reason or status is None or status >= 500:
        return Failure(Fate.DOUBT, "NoAnswer", reason[:_SHOWN])
    return Failure(Fate.NEVER, "NotTablestore", reason[:_SHOWN])


# Words of the vendor's messages, all in lower case, the first that is found; then what to do.
_ADVICE_ON_ACCESS = (
    ("x-ots-date", "check the clock of this machine"),
    ("token", "the temporary credentials are wrong or have expired: renew them"),
    ("acl", "the instance's network policy refuses this network: allow it, or use the VPC's endpoint"),
    ("instance is not", "check the name and the region of the instance"),
    ("instance does not exist", "check the name and the region of the instance"),
    ("privilege", "let this role read and write the tables (RAM policy, ots:*Row, ots:GetRange)"),
    ("permission", "let this role read and write the tables (RAM policy, ots:*Row, ots:GetRange)"),
)


def _advice(failure: Failure) -> str:
    if failure.code == "ClockSkew":
        return "Tablestore's time and this machine's differ: check the clock of this machine"
    if failure.code == "NotTablestore":
        return "what answers there is not Tablestore: check the endpoint"
    if failure.code in ("OTSAuthFailed", "OTSNoPermissionAccess"):
        said = failure.reason.lower()
        known = (advice for words, advice in _ADVICE_ON_ACCESS if words in said)
        return f"Tablestore refuses us: {next(known, 'check the access key')}"
    if failure.code == "OTSObjectNotExist":
        return "the table, or one of its indexes, does not exist: run `media-ledger init`"
    if failure.code == "OTSInvalidPK":
        return "the table has another key: run `media-ledger init`, which says how it should be"
    return f"Tablestore refused the call: {failure.reason}"
