"""What must be so of those who are told, when a run has come to rest."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared import archive
from shared.delivery.outbox import Delivery
from shared.jobs import JobRef
from shared.policy import SECOND
from tests.simulation.audiences import Audience
from tests.simulation.hazards import LEASE
from tests.simulation.records import settled_rows
from tests.simulation.run import Run
from tests.simulation.stores import TimedWrite

_SOON = 15 * SECOND
# Settling may wait for the vendor's rate as long as a lease lasts, sending for a target's time limit: 30 s.
_ANSWERED = LEASE + 5 * SECOND


@dataclass(frozen=True)
class _Version:
    """A version of a job, and when it was settled."""

    ref: JobRef
    number: int
    digest: str
    at: int
    record: Mapping[str, Any] | None


class _History:
    """What the rows of a run say about versions, and about those who never took them."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @cached_property
    def versions(self) -> list[_Version]:
        """Give every version that was ever settled."""
        found = []
        for writes in self._run.ledger.writes.values():
            for write in writes:
                if write.is_changed("version"):
                    found.append(self._version(write))
        return found

    def _version(self, write: TimedWrite) -> _Version:
        row = write.after
        named = row.text("digest") or ""
        body = self._run.objects.objects.get(archive.version_key(row.ref, named), b"null")
        return _Version(row.ref, row.count("version"), named, write.happened_at, json.loads(body))

    @cached_property
    def given_up(self) -> set[tuple[str, str, int]]:
        """Give target, job and version of what was ever said to be undelivered."""
        return {
            (one.target, write.after.key, one.version)
            for writes in self._run.ledger.writes.values()
            for write in writes
            for one in write.after.undelivered
        }


def everybody_is_told_or_it_is_said(run: Run) -> Iterator[str]:
    """Every version that a rule matches was taken, or the row said that it was not."""
    history = _History(run)
    taken = {(one.target, one.job_key, one.version) for one in run.targets.taken}
    for version in history.versions:
        for audience in run.audiences:
            owed = (audience.name, version.ref.key, version.number)
            if _wants(audience, version) and owed not in taken | history.given_up:
                yield f"{owed[1]}: {owed[0]} never took version {owed[2]}, and nobody says so"


def _wants(audience: Audience, version: _Version) -> bool:
    return version.record is not None and audience.wants(version.record)


def nobody_else_is_told(run: Run) -> Iterator[str]:
    """Nothing is sent that no rule matches, but for what a person sends to who missed an older version."""
    history = _History(run)
    audiences = {audience.name: audience for audience in run.audiences}
    versions = {(version.ref.key, version.number): version for version in history.versions}
    for attempt in run.targets.attempts:
        audience = audiences[attempt.target]
        missed = any((attempt.target, attempt.job_key, n) in history.given_up for n in range(attempt.version))
        if not missed and not _wants(audience, versions[attempt.job_key, attempt.version]):
            yield f"{attempt.job_key}: version {attempt.version} went to {attempt.target} by no rule"


def consumers_know_what_the_ledger_says(run: Run) -> Iterator[str]:
    """Who takes each event once, and drops older versions, ends with what the ledger holds."""
    for audience in run.audiences:
        known = run.targets.known(audience.name)
        for _, row in settled_rows(run):
            says = (row.count("version"), row.text("digest"), row.state.value)
            missed = any(
                (one.target, one.version) == (audience.name, row.count("version")) for one in row.undelivered
            )
            body = run.objects.objects.get(archive.version_key(row.ref, row.text("digest") or ""))
            wants = body is not None and audience.wants(json.loads(body))
            if wants and not missed and known.get(row.key) != says:
                yield f"{row.key}: {audience.name} knows {known.get(row.key)}, and the ledger says {says}"


def versions_come_in_order(run: Run) -> Iterator[str]:
    """A target takes a version first when it has taken the older ones, or these were given up."""
    given_up = _History(run).given_up
    newest: defaultdict[tuple[str, str], int] = defaultdict(int)
    first = {(one.target, one.job_key, one.version): None for one in run.targets.taken}
    for target, key, version in first:
        if version < newest[target, key] and (target, key, version) not in given_up:
            yield f"{key}: {target} took version {version} after version {newest[target, key]}"
        newest[target, key] = max(newest[target, key], version)


def an_attempt_is_made_once(run: Run) -> Iterator[str]:
    """Whoever sends has claimed the attempt: nobody else makes the same one."""
    made = Counter((one.target, one.job_key, one.delivery_id, one.number) for one in run.targets.attempts)
    for (target, key, _, number), count in made.items():
        if count > 1:
            yield f"{key}: attempt {number} to tell {target} was made {count} times"


def signatures_are_believed(run: Run) -> Iterator[str]:
    """A consumer that has the new key or the old one takes every event for ours."""
    yield from run.targets.forged


def wishes_are_respected(run: Run) -> Iterator[str]:
    """Who asked to be left alone for a while is told no sooner, as far as the row has it."""
    noted: dict[tuple[str, int], Delivery] = {}
    for key, writes in run.ledger.writes.items():
        for write in writes:
            for one in write.after.outbox:
                # Whoever leaves a target alone knows nothing of a wish that a crash kept out of the row.
                if one.last and "left alone" not in one.last:
                    noted.setdefault((one.delivery_id(key), one.attempts), one)
    for wish in run.targets.wishes:
        entry = noted.get((wish.delivery_id, wish.attempt))
        if entry is not None and entry.next_at < wish.at + wish.wait - 2 * run.weather.clock_error:
            yield f"{entry.target} asked for {wish.wait} ms, and gets {entry.next_at - wish.at}"


def a_dead_target_delays_nobody(run: Run) -> Iterator[str]:
    """Where nothing but one target is away, callbacks are answered, and what they settle is told at once.

    A run of the timer hands over what it settled when a round of it is done, which the vendor's rate decides.
    """
    if not run.weather.is_but_for_one:
        return
    for delivery in run.mns.deliveries:
        answered_at = delivery.acknowledged_at
        if answered_at is None or answered_at - delivery.first_at > _ANSWERED:
            yield f"a callback of {delivery.messages[0].ref.key} was not answered in {_ANSWERED} ms"
    first: dict[tuple[str, str, int], int] = {}
    for attempt in run.targets.attempts:
        first.setdefault((attempt.target, attempt.job_key, attempt.version), attempt.at)
    callbacks = {row.key for _, row in settled_rows(run) if row.text("settled_by") == "callback"}
    for version in _History(run).versions:
        is_at_once = version.number == 1 and version.ref.key in callbacks
        for audience in run.audiences if is_at_once else ():
            at = first.get((audience.name, version.ref.key, version.number), 0)
            if audience.name not in run.weather.tempers and at - version.at > _SOON:
                yield f"{version.ref.key}: {audience.name} was told {at - version.at} ms after settling"
