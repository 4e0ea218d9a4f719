"""Job identity, job states, and which state may follow which.

The README draws `TRANSITIONS` as its state table; `tests/test_readme.py` keeps the two equal.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote, unquote

from shared.errors import InvalidJobIdError

MAX_ENCODED_JOB_ID = 128
_UNRESERVED = re.compile(r"[A-Za-z0-9_-]*")


class State(str, Enum):
    """Where a job stands in the ledger."""

    TRACKED = "tracked"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    QUARANTINED = "quarantined"

    @property
    def is_terminal(self) -> bool:
        """Tell whether the vendor has spoken its last word."""
        return self in (State.SUCCEEDED, State.FAILED)


TRANSITIONS: dict[State | None, frozenset[State]] = {
    # First sight: announced by the submit side, or named in a notification.
    None: frozenset({State.TRACKED}),
    State.TRACKED: frozenset(
        {State.RUNNING, State.SUCCEEDED, State.FAILED, State.UNKNOWN, State.QUARANTINED}
    ),
    # Running again is progress too: the vendor has not finished, or its answer is incomplete.
    State.RUNNING: frozenset(
        {State.RUNNING, State.SUCCEEDED, State.FAILED, State.UNKNOWN, State.QUARANTINED}
    ),
    # Terminal never regresses, whatever arrives later.
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    # Reopened by a notification or a person.
    State.UNKNOWN: frozenset({State.TRACKED, State.QUARANTINED}),
    # Released by a person.
    State.QUARANTINED: frozenset({State.TRACKED}),
}


@dataclass(frozen=True)
class JobRef:
    """Name one vendor job."""

    kind: str
    job_id: str

    def __post_init__(self) -> None:
        encode_job_id(self.job_id)

    @property
    def path(self) -> str:
        """Give `<kind>/<encoded job id>`, the middle of every archive key."""
        return f"{self.kind}/{encode_job_id(self.job_id)}"

    @property
    def key(self) -> str:
        """Give the ledger key `<2 hex of sha256>.<kind>.<encoded job id>`.

        The hash prefix spreads keys over Tablestore partitions (reference: tablestore-oss.md 1.3).
        """
        name = f"{self.kind}.{encode_job_id(self.job_id)}"
        return f"{hashlib.sha256(name.encode()).hexdigest()[:2]}.{name}"

    @classmethod
    def from_key(cls, key: str) -> JobRef:
        """Read a ledger key back; raise `InvalidJobIdError` for what `key` never gives."""
        _, _, name = key.partition(".")
        kind, _, encoded = name.rpartition(".")
        ref = cls(kind, unquote(encoded))
        if not kind or ref.key != key:
            raise InvalidJobIdError("not a job key", key=key[:200])
        return ref


def kind_of(key: str) -> str:
    """Give the kind that a ledger key names, without asking whether it is one."""
    return key.partition(".")[2].rpartition(".")[0]


def refs_named(name: str, kinds: Iterable[str]) -> list[JobRef]:
    """Give the jobs that a name may mean: a ledger key, `kind/job id`, or a vendor's id of any kind."""
    kind, _, job_id = name.partition("/")
    found: list[JobRef] = []
    with suppress(InvalidJobIdError):
        found.append(JobRef.from_key(name))
    for one in kinds:
        for text in (job_id if kind == one else "", name):
            with suppress(InvalidJobIdError):
                found.append(JobRef(one, text))
    return found


def encode_job_id(job_id: str) -> str:
    """Percent-encode all but `[A-Za-z0-9_-]`, the same for keys and paths.

    Raise `InvalidJobIdError` when it is empty, is not text that UTF-8 can hold, or is longer than
    128 bytes after that: an id is never cut.
    """
    if not job_id:
        raise InvalidJobIdError("the job id is empty")
    if _UNRESERVED.fullmatch(job_id):
        encoded = job_id
    else:
        try:
            encoded = quote(job_id, safe="").replace(".", "%2E").replace("~", "%7E")
        except UnicodeEncodeError:
            raise InvalidJobIdError("the job id is not valid Unicode") from None
    if len(encoded) > MAX_ENCODED_JOB_ID:
        raise InvalidJobIdError(
            "the job id is too long for a key",
            bytes=len(encoded),
            limit=MAX_ENCODED_JOB_ID,
            job_id=f"{job_id[:40]}...",
        )
    return encoded
