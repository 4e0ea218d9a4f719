"""Copy evidence into the archive before the vendor deletes it; nobody needs a job's lease for that.

Each item moves by a conditional write of its own row. Who tries one that is due puts its next attempt off
first, so that no two fetch it and one that ends its instance delays no other; one that was never tried is
for whoever is invoked after the commit, and needs no such write. Objects are content-addressed: what a crash
leaves is at most an object that the next attempt finds there.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from shared import archive, evidence, evidence_manifest, evidence_rows
from shared.due import BUCKETS
from shared.errors import (
    CorruptRowError,
    DownloadRefusedError,
    MisconfiguredError,
    OutcomeUnknownError,
    StoreUnavailableError,
    TemporaryError,
)
from shared.evidence import EvidenceRow
from shared.jobs import JobRef
from shared.policy import HOUR, MINUTE, SECOND
from shared.ports import Change, Services, When
from shared.tables import EVIDENCE, EVIDENCE_DUE, Row
from shared.toolkit import metrics

LOG = logging.getLogger(__name__)

Outcome = Literal["kept", "put_off", "lost", "overtaken", "left", "error"]
"""What came of an attempt. `overtaken`: somebody else has moved the item; `left`: there was no time."""

RESERVE = 5_000
"""What is left of an invocation for the manifests."""

_LOST: Outcome = "lost"
_PUT_OFF: Outcome = "put_off"

# No server may hold a worker for longer, and none is asked that has less time than a small picture needs.
_LONGEST = 1 * MINUTE
_SHORTEST = 3_000
# A row that nobody can read needs a person, not a read every minute.
_CORRUPT_AGAIN = 1 * HOUR
_UNWANTED = DownloadRefusedError("LEDGER_EVIDENCE_DAYS says that nothing of this kind is kept")
_PAGE = 1_000
# Of a larger backlog only what is due longest is known; some MB of memory.
_AHEAD = 20_000


def keep_evidence_of(services: Services, job_keys: Sequence[str]) -> Counter[Outcome]:
    """Fetch what was never tried of these jobs, or is due, and close those of which nothing is left."""
    keys = tuple(dict.fromkeys(job_keys))
    read = services.parallel.run([partial(evidence_rows.read_all, services.ledger, key) for key in keys])
    outcomes: Counter[Outcome] = Counter()
    rows: list[EvidenceRow] = []
    for key, done in zip(keys, read, strict=True):
        if done.error is not None:
            outcomes["error"] += 1
            LOG.error("the evidence of a job stays due", exc_info=done.error, extra={"job": key})
        rows += (done.value or {}).values()
    now = services.clock.now()
    wanted = [row for row in rows if row.due_at is not None and _is_wanted(services, row, now)]
    wanted.sort(key=lambda row: row.expires_at)
    outcomes += _work(services, [(row.job_key, partial(_attempt, services, row)) for row in wanted])[0]
    _close(services, keys)
    return outcomes


def keep_due_evidence(services: Services) -> Counter[Outcome]:
    """Fetch what is due, whoever dropped it, and what expires first before all else."""
    hints = _due(services)
    attempts = [(str(hint["job_key"]), partial(_attempt_hinted, services, hint)) for hint in hints]
    outcomes, ended = _work(services, attempts)
    _close(services, ended)
    return outcomes


def _is_wanted(services: Services, row: EvidenceRow, now: int) -> bool:
    return row.is_reserved(services.policy) or (row.due_at is not None and row.due_at <= now)


def _due(services: Services) -> list[Row]:
    """Read what the index says is due, the least slack first."""
    now = services.clock.now()
    read = services.parallel.run([partial(_due_of_bucket, services, bucket, now) for bucket in BUCKETS])
    hints = [hint for done in read for hint in done.result()]
    return sorted(hints, key=lambda hint: int(hint.get("expires_at", 0)))  # a corrupt row may have none


def _due_of_bucket(services: Services, bucket: str, now: int) -> list[Row]:
    hints: list[Row] = []
    after: Row | None = None
    while len(hints) < _AHEAD // len(BUCKETS):
        page = services.ledger.scan(EVIDENCE, EVIDENCE_DUE, bucket, upto=now, limit=_PAGE, after=after)
        hints += page.rows
        after = page.after
        if after is None:
            break
    return hints


def _work(
    services: Services, attempts: Sequence[tuple[str, Callable[[], Outcome]]]
) -> tuple[Counter[Outcome], list[str]]:
    """Make attempts beside each other, and name the jobs of which something is kept or lost now.

    An error of one is told, and stays its own.
    """
    outcomes: Counter[Outcome] = Counter()
    ended: dict[str, None] = {}
    done = services.parallel.run([attempt for _, attempt in attempts])
    for (job_key, _), one in zip(attempts, done, strict=True):
        if one.error is not None:
            LOG.error("evidence stays due", exc_info=one.error, extra={"job": job_key})
        outcomes[one.value or "error"] += 1
        if one.value in ("kept", "lost"):
            ended[job_key] = None
    return outcomes, list(ended)


def _attempt_hinted(services: Services, hint: Row) -> Outcome:
    if services.clock.now() > services.deadline - RESERVE - _SHORTEST:
        return "left"  # before it is read: a large backlog takes longer than the reserve
    job_key, name = str(hint["job_key"]), str(hint["evidence_id"])
    try:
        row = evidence_rows.read_one(services.ledger, job_key, name)
    except CorruptRowError:
        later = {"due_at": services.clock.now() + _CORRUPT_AGAIN}
        services.ledger.update(EVIDENCE, (job_key, name), later, [When("due_at", "==", hint["due_at"])])
        raise
    if row is None or row.due_at is None or row.due_at > services.clock.now():
        return "overtaken"  # an index lags
    return _attempt(services, row)


def _attempt(services: Services, row: EvidenceRow) -> Outcome:
    """Fetch one item and write what came of it; raise when the ledger cannot be written."""
    now = services.clock.now()
    deadline = min(services.deadline - RESERVE, now + _LONGEST)
    # Whoever gives it up must have had all the time that there is for a try.
    if deadline - now < (_LONGEST if evidence.is_over(row, now) else _SHORTEST):
        return "left"
    if not services.policy.window_of(_kind(row)):
        return _conclude(services, row, _UNWANTED)
    if row.due_at is not None and row.due_at <= now:
        until = now + services.policy.evidence_claim
        if not services.ledger.update(
            EVIDENCE, (row.job_key, row.id), {"due_at": until}, evidence.unmoved(row)
        ):
            return "overtaken"
        row = replace(row, due_at=until)
    try:
        kept = _fetched(services, row, deadline)
    except Exception as error:
        return _conclude(services, row, error)
    # Whoever has put it off or given it up meanwhile did not have its bytes.
    for status in ("pending", "lost"):
        if services.ledger.update(EVIDENCE, (row.job_key, row.id), kept, [When("status", "==", status)]):
            metrics.count("evidence_kept", kind=_kind(row))
            return "kept"
    return "overtaken"


def _fetched(services: Services, row: EvidenceRow, deadline: int) -> Change:
    """Put the bytes of an item into the archive, under their own name, and say where they are."""
    with services.downloads.download(row.url or "", deadline=deadline) as found:
        key = archive.evidence_key(JobRef.from_key(row.job_key), found.sha256, found.extension)
        with found.open() as body:
            services.objects.put_file(key, body, content_type=found.content_type)
        return evidence.kept(found, key, services.clock.now())


def _conclude(services: Services, row: EvidenceRow, error: Exception) -> Outcome:
    """Give an item up that is refused, or out of reach when its time is over; else put it off.

    What fails on our side never gives it up: its bytes can still be had.
    """
    now, policy = services.clock.now(), services.policy
    is_ours = isinstance(error, StoreUnavailableError) or not isinstance(error, TemporaryError)
    if isinstance(error, DownloadRefusedError) or (evidence.is_over(row, now) and not is_ours):
        change, outcome = evidence.lost(error, now), _LOST
    else:
        change, outcome = evidence.put_off(row, error, now, policy), _PUT_OFF
    try:
        if not services.ledger.update(EVIDENCE, (row.job_key, row.id), change, evidence.unmoved(row)):
            return "overtaken"
    except OutcomeUnknownError:
        _tell(row, outcome, error, now)  # whoever reads the row next may find nothing left to tell
        raise
    _tell(row, outcome, error, now)
    return outcome


def _tell(row: EvidenceRow, outcome: Outcome, error: Exception, now: int) -> None:
    told = {"job": row.job_key, "evidence": row.id}
    if isinstance(error, MisconfiguredError):
        metrics.count("misconfigured", why="evidence")
        LOG.critical("misconfigured: evidence cannot be kept: %s", error, extra=told)
    if outcome == "lost":
        metrics.count("evidence_lost", kind=_kind(row))
        LOG.error("evidence is lost: %s", error, extra=told)
    elif row.is_at_risk(now):
        metrics.count("evidence_at_risk", kind=_kind(row))
        LOG.error("evidence is not kept, and half of its time is over: %s", error, extra=told)
    else:
        LOG.warning("evidence put off: %s", error, extra=told)


def _kind(row: EvidenceRow) -> str:
    return JobRef.from_key(row.job_key).kind


def _close(services: Services, job_keys: Sequence[str]) -> None:
    """Have the manifests say what became of it; what is not done here is left to the effect in the row."""
    done = services.parallel.run([partial(_close_in_time, services, key) for key in job_keys])
    for key, one in zip(job_keys, done, strict=True):
        if one.error is not None:
            LOG.error("a manifest could not be written", exc_info=one.error, extra={"job": key})


def _close_in_time(services: Services, job_key: str) -> None:
    if services.clock.now() < services.deadline - SECOND:
        evidence_manifest.close(services, job_key)
