"""How long, how often, how many: every number that settling follows, in one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.delivery.rules import DeliveryPlan

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True)
class Policy:
    """Durations in milliseconds. `bootstrap` fills in what settings override."""

    lease: int = 60 * SECOND
    """How long one holder may take to settle a job before another may try."""
    large_lease: int = 10 * MINUTE
    """The same for a job whose result file memory has no room for; a holder's invocation may end sooner."""

    polls: tuple[int, ...] = (1 * MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE)
    """Waits between queries of a running job; then `poll_at_rest`."""
    poll_at_rest: int = 1 * HOUR

    early: tuple[int, ...] = (5 * SECOND, 15 * SECOND, 60 * SECOND, 300 * SECOND)
    """Waits while a finished job's answer is incomplete; the last one repeats."""
    incomplete_for: int = 24 * HOUR
    """How long an incomplete answer is waited for before it is recorded as it is."""

    retries: tuple[int, ...] = (30 * SECOND, 1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 1 * HOUR)
    """Waits after an error that may pass; the last one repeats."""
    not_found_grace: int = 1 * HOUR
    """How long a job may be unknown to the vendor: a callback can be ahead of the query store."""
    crash_limit: int = 5
    """How many holders in a row may end without a word before the job is not asked about any more."""

    confirm_after: int = 10 * MINUTE
    """How long after settling a job is asked about once more: the first answer may have been early."""
    verify_after: int = 15 * MINUTE
    """How long after that `records/` is compared with the row: longer than any invocation lives. A manifest
    is compared with its rows so long after the last of them has ended."""
    callback_grace: int = 15 * MINUTE
    """How long after the timer settled a job its callback may still come before it counts as lost."""

    delivery: DeliveryPlan = field(default_factory=DeliveryPlan)
    """Who is told of which records."""
    delivery_retries: tuple[int, ...] = (
        10 * SECOND,
        30 * SECOND,
        1 * MINUTE,
        5 * MINUTE,
        15 * MINUTE,
        1 * HOUR,
    )
    """Waits after a target has not taken an event; the last one repeats."""
    delivered_within: int = 24 * HOUR
    """How long a target may take an event; then that counts as undelivered."""

    evidence_windows: Mapping[str, int] = field(default_factory=dict)
    """How long after a job's end its evidence can be had, by kind, where it is not `evidence_window`; 0 for
    kinds whose evidence is not kept."""
    copied_outputs: frozenset[str] = frozenset()
    """Kinds whose outputs are kept as evidence is: copied out of the bucket that the jobs wrote into."""
    evidence_window: int = 14 * DAY
    """VOD deletes the pictures of a review after two weeks (media-jobs.md 4)."""
    evidence_least: int = 2 * HOUR
    """How long evidence is tried for at least, however late it was found."""
    evidence_first: int = 2 * MINUTE
    """How long whoever is invoked after a commit has its evidence to itself."""
    evidence_claim: int = 10 * MINUTE
    """How long one attempt may take before somebody else makes another: longer than any invocation lives."""
    evidence_retries: tuple[int, ...] = (1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 1 * HOUR)
    """Waits after evidence could not be had; the last one repeats."""
    evidence_settled: int = 20 * MINUTE
    """When a job's evidence is first looked at: what was kept right after the commit is so for good then, as
    `verify_after` has it."""
    evidence_again: int = 1 * HOUR
    """How often a job is looked at whose evidence is not all kept or lost for good."""

    expected: int = 10 * MINUTE
    """When a job that was only announced is first asked for."""
    jitter: float = 0.1
    """Share by which a wait is lengthened at random, so that jobs do not come back in step."""

    calls_per_second: Mapping[str, float] = field(
        default_factory=lambda: {"vod": 15.0, "mts": 50.0, "ice": 15.0}
    )
    """What the account may call, by product: MPS allows 50 queries of a quality review, VOD 15 of what is
    documented, ICE does not say (media-jobs.md 3)."""
    callbacks_part: float = 0.6
    """Part of these calls that callbacks, and jobs that are settled by name, may use together."""
    hearsay_part: float = 0.25
    """Part of whoever asks that may go into jobs which nobody announced and an unsigned body named."""
    callback_instances: int = 10
    """How many instances may work on these at once."""
    runs_part: float = 0.4
    """Part that the timer's run may use, all its shards together."""
    fan_out_at: int | None = None
    """How many due jobs make a run hand its work to shards; None for never."""
    shards: int = 4
    """How many shards that is."""

    def window_of(self, kind: str) -> int:
        """Give how long after its end a job's evidence can be had; 0 where none is kept."""
        return self.evidence_windows.get(kind, self.evidence_window)

    def smallest_share(self, product: str) -> float:
        """Give the calls per second that whoever has the least of a product's budget may make."""
        part = min(self.callbacks_part / self.callback_instances, self.runs_part / self.shards)
        return self.calls_per_second[product] * part

    contention: int = 16
    """How often a conditional write is decided anew before `ContendedError`."""

    region: str | None = None
    user_id: str | None = None
    """Where neither `track`, the trigger nor the FC context named one."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Where jobs of a kind write, for those whose submission nobody announced."""
    quality_sources: frozenset[str] = frozenset()
    quality_pipelines: frozenset[str] = frozenset()
    """Queues, topics and pipelines whose callbacks are those of video quality jobs: their own words
    for it are not documented (media-jobs.md 1.2 (g))."""
