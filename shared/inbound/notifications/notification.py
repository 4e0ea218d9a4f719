"""What a callback says, whichever product sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.errors import CorruptRowError
from shared.jobs import JobRef

Ending = Literal["succeeded", "failed"]

# What all three products call the two endings, each in a casing of its own (media-jobs.md 1).
ENDINGS: Mapping[str, Ending] = {"success": "succeeded", "fail": "failed"}


@dataclass(frozen=True)
class Claim:
    """A terminal status that a notification claims, and the suggestion that came with it."""

    status: Ending
    suggestion: str | None = None

    @property
    def text(self) -> str:
        """Write the claim as one column: `failed`, `succeeded` or `succeeded/block`."""
        return f"{self.status}/{self.suggestion}" if self.suggestion else self.status

    def agrees(self, status: str, suggestion: str | None) -> bool:
        """Tell whether a record bears the claim out; a suggestion that either lacks is no difference."""
        if self.status != status:
            return False
        return self.suggestion is None or suggestion is None or self.suggestion == suggestion

    @classmethod
    def of(cls, word: str | None, endings: Mapping[str, Ending] = ENDINGS) -> Claim | None:
        """Make what a vendor's status word claims; None when that is no ending, or nothing known."""
        status = endings.get((word or "").lower())
        return cls(status) if status else None

    @classmethod
    def parse(cls, text: str) -> Claim:
        """Read what `text` wrote; raise `CorruptRowError` for anything else."""
        status, slash, suggestion = text.partition("/")
        known = next((known for known in ENDINGS.values() if known == status), None)
        if known is None or bool(slash) != bool(suggestion):
            raise CorruptRowError("not a claim", text=text[:100])
        return cls(known, suggestion or None)


@dataclass(frozen=True)
class Notification:
    """A callback about a job. `claim` is None when it claims nothing terminal that is understood.

    `event_time` is epoch milliseconds, None when it is missing or not a time. `region` and `user_id`
    are those of the body itself, where the product tells them.
    """

    ref: JobRef
    claim: Claim | None
    event_type: str
    event_time: int | None = None
    media_id: str | None = None
    region: str | None = None
    user_id: str | None = None


@dataclass(frozen=True)
class SetAside:
    """A callback that is no business of ours. `known` tells a documented type from a new one."""

    event_type: str
    reason: str
    known: bool


@dataclass(frozen=True)
class Unsorted:
    """A message of MPS that its own words do not sort: perhaps about a video quality job.

    `ref` is the job that it is about if it is; `decide` says whether it is.
    """

    event_type: str
    ref: JobRef
    claim: Claim | None
    pipeline_id: str | None = None
