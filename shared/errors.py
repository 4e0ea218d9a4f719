"""Every error of Media Ledger, by what must happen next.

toolkit.TemporaryError
├── VendorUnavailableError     the vendor cannot answer now (5xx, network, time ran out)
│   └── ThrottledError         it asks us to slow down; HTTP 400 with `Throttling*`
├── StoreUnavailableError      object or table store cannot answer now
│   └── OutcomeUnknownError    a write may or may not have happened: read before you conclude
├── TargetUnavailableError     a target of deliveries did not take an event this time
├── DownloadFailedError        a file did not arrive whole this time
│   └── GoneError              its server does not have it, or does not show it: some come back
├── ContendedError             others kept winning the same row
└── NoTimeLeftError            the invocation ends before the vendor could be asked

toolkit.PermanentError
├── ParseError                 bytes that are not what they should be; names layer and place
├── InvalidJobIdError          an id that no job can have
├── CorruptRowError            a ledger row that this version cannot read
├── ObjectNotFoundError        no object stands under that key
├── JobNotFoundError           the vendor does not know this job (yet)
├── OversizedAnswerError       the answer is larger than anything is read; a ParseError
├── WrongJobError              the answer is about another job than the one that was asked for
├── TargetRefusedError         a target of deliveries will never take this event
├── DownloadRefusedError       a file that is never fetched: its host, address, size or compression
├── SignatureError             not signed by who should have sent it, or not just now
├── RefusedRequestError        an HTTP request that is not taken in: who sent it, how much, how often
└── CrashLoopError             every one of several holders ended without a word

toolkit.MisconfiguredError
├── SettingError               names the variable and what is allowed
└── VendorRefusedError         key, signature, permission, region, disabled service, clock
"""

from __future__ import annotations

from shared.toolkit import lease_store
from shared.toolkit.errors import FunctionError, MisconfiguredError, PermanentError, TemporaryError
from shared.toolkit.leases import ContendedError
from shared.toolkit.parser import ParseError

__all__ = [
    "ContendedError",
    "CorruptRowError",
    "CrashLoopError",
    "DownloadFailedError",
    "DownloadRefusedError",
    "FunctionError",
    "GoneError",
    "InvalidJobIdError",
    "JobNotFoundError",
    "MisconfiguredError",
    "NoTimeLeftError",
    "ObjectNotFoundError",
    "OutcomeUnknownError",
    "OversizedAnswerError",
    "ParseError",
    "PermanentError",
    "RefusedRequestError",
    "SettingError",
    "SignatureError",
    "StoreUnavailableError",
    "TargetRefusedError",
    "TargetUnavailableError",
    "TemporaryError",
    "ThrottledError",
    "VendorRefusedError",
    "VendorUnavailableError",
    "WrongJobError",
]


class VendorUnavailableError(TemporaryError):
    """The vendor's API could not answer this time."""


class ThrottledError(VendorUnavailableError):
    """The vendor asks us to slow down."""


class StoreUnavailableError(TemporaryError):
    """A store could not answer this time; nothing was written."""


class OutcomeUnknownError(StoreUnavailableError, lease_store.OutcomeUnknownError):
    """A write timed out: it may have happened. Read the row before concluding anything."""


class TargetUnavailableError(TemporaryError):
    """A target did not take an event, as far as we know: it was away, too slow, or refused it for now."""


class DownloadFailedError(TemporaryError):
    """A file did not arrive whole this time: server, network or time."""


class GoneError(DownloadFailedError):
    """The server says that a file is not there, or that nobody may see it (403, 404, 410)."""


class FileTooLargeError(PermanentError):
    """A file is larger than what reads it can take."""


class NoTimeLeftError(TemporaryError):
    """The invocation, or the lease, ends before the vendor could be asked; it says nothing of the job."""


class InvalidJobIdError(PermanentError):
    """An id that cannot be a key: empty, or longer than the key format allows."""


class CorruptRowError(PermanentError):
    """A ledger row with a value that this version cannot read."""


class ObjectNotFoundError(PermanentError):
    """No object stands under that key."""


class JobNotFoundError(PermanentError):
    """The vendor does not know this job; right after a callback this may still change."""


class OversizedAnswerError(ParseError):
    """An answer of more bytes than are read; `received` is what came until then."""

    def __init__(self, reason: str, *, received: bytes, **details: object) -> None:
        super().__init__(reason, layer="http", field=None, **details)
        self.received = received


class WrongJobError(PermanentError):
    """The answer names another job than the one that was asked for."""


class TargetRefusedError(PermanentError):
    """A target will never take this event, however often it is sent."""


class DownloadRefusedError(PermanentError):
    """A file that will not be fetched or kept, however often it is tried."""


class SignatureError(PermanentError):
    """A body without a signature of the one who should have sent it, or with one of another time."""


class RefusedRequestError(PermanentError):
    """A request that is not taken in: `status` is what HTTP answers, `why` one word for whoever counts."""

    def __init__(self, message: str, *, why: str, status: int = 403) -> None:
        super().__init__(message, why=why)
        self.why = why
        self.status = status


class CrashLoopError(PermanentError):
    """Every one of several holders of the job ended without a word: it is not asked about again."""


class SettingError(MisconfiguredError):
    """A setting is missing or wrong; names the variable and says what is allowed."""


class VendorRefusedError(MisconfiguredError):
    """The vendor refused our key, signature, permission, region or clock."""
