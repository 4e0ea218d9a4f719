"""The ledger's tables and indexes, declared once for every adapter, `template.yml` and the tests.

Limits and guarantees behind the choices: Tablestore's secondary indexes are sparse and lag, their
first column must not be a date, and a conditional write compares one column with one constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | bytes
Row = Mapping[str, Value]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Index:
    """A sparse secondary index: a row is in it only while it has every one of `columns`.

    `columns` are a partition (text) and a position (integer); the table's own key follows by
    itself. `covers` are further columns that a reader of the index gets.
    """

    name: str
    columns: tuple[str, str]
    covers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table: its key columns (text), its other columns with their types, its indexes.

    `may_expire` tells that its rows may be given a time to live; those of any other table are kept.
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, type[str] | type[int] | type[bytes]]
    indexes: tuple[Index, ...] = field(default=())
    may_expire: bool = False


JOBS_DUE = Index("jobs_due", ("due_bucket", "due_at"))
JOBS_BY_DAY = Index("jobs_by_day", ("seen_day", "first_seen_at"), covers=("state", "suggestion"))

# Every job from its first sight on, the newest first, however few of its kind there are.
JOBS_BY_KIND = Index("jobs_by_kind", ("seen_kind", "first_seen_at"))
# Jobs that need a person, only while they do (see `attention`).
JOBS_ATTENTION = Index("jobs_attention", ("attention_bucket", "attention_at"), covers=("attention",))

EVIDENCE_DUE = Index("evidence_due", ("due_bucket", "due_at"), covers=("expires_at",))

JOBS = Table(
    "jobs",
    ("job_key",),
    {
        "state": str,
        # The lease. `token` only grows; every commit is conditional on it.
        "token": int,
        "holder": str,
        "lease_until": int,
        "crashes": int,
        # When what is due. `due_at` follows from the others (see `job_row.with_hints`).
        "query_at": int,
        "effects": str,
        "effects_at": int,
        "outbox": str,
        "deliver_at": int,
        "due_bucket": str,
        "due_at": int,
        # Marks: how often anyone wanted this job looked at, how often a notification did.
        "wanted": int,
        "notified": int,
        "claimed": str,
        "checked_claim": str,
        # First sight, written once.
        "seen_day": str,
        "seen_kind": str,
        "first_seen_at": int,
        "first_seen_by": str,
        # Who named the job later that may be believed, where nobody signed what it was first named in.
        "vouched_by": str,
        # What the vendor needs to be asked.
        "region": str,
        "user_id": str,
        "output": str,
        # What the job works on: what whoever submitted it said, else what the vendor's answer says.
        "media_id": str,
        # What it said.
        "vendor_status": str,
        "suggestion": str,
        "labels": str,
        "digest": str,
        "version": int,
        # When this version was settled, where somebody was to be told of it.
        "version_at": int,
        "normalizer_version": int,
        "raw_parts": str,
        "notes": str,
        "incomplete": int,
        # How many pictures and files of this version are to be kept.
        "evidence": int,
        "settled_at": int,
        "settled_by": str,
        # When it was last held against a later answer.
        "checked_at": int,
        # 1 when the callback of a job that the timer settled never came, 2 when it came after all; and
        # when it was taken for lost.
        "lost_callback": int,
        "lost_at": int,
        # How the asking went.
        "queries": int,
        "polls": int,
        "failures": int,
        "incomplete_since": int,
        "not_found_since": int,
        # What differed from the record since it was settled: how often, the last time what, and when.
        "drifts": int,
        "drift": str,
        "drift_at": int,
        # How many of these a person has seen.
        "drift_seen": int,
        # Versions that a target never took.
        "undelivered": str,
        # How much of its evidence may be lost soon.
        "at_risk": int,
        # Why it needs a person, and since when. It follows from the others (see `attention`).
        "attention": str,
        "attention_at": int,
        "attention_bucket": str,
        # Who wants its evidence kept beyond its time, and why (see `holds`).
        "hold": str,
        "reason": str,
        "updated_at": int,
    },
    (JOBS_DUE, JOBS_BY_DAY, JOBS_BY_KIND, JOBS_ATTENTION),
)

INBOX = Table(
    "inbox",
    ("job_key", "message_id"),
    {
        "transport": str,
        "received_at": int,
        "body": bytes,
        "body_key": str,
        "event_type": str,
        "claimed": str,
        "reason": str,
    },
    may_expire=True,
)

# What findings point at, one row per picture or file of a job (see `evidence`).
EVIDENCE = Table(
    "evidence",
    ("job_key", "evidence_id"),
    {
        "status": str,
        # The record versions that name it, the newest last.
        "digests": str,
        "source": str,
        # The whole address, with what signs it: a secret, gone as soon as nobody needs it.
        "url": str,
        "since": int,
        "expires_at": int,
        "attempts": int,
        "reason": str,
        "due_bucket": str,
        "due_at": int,
        # Where it is kept, once it is.
        "key": str,
        "sha256": str,
        "size": int,
        "content_type": str,
        "ended_at": int,
    },
    (EVIDENCE_DUE,),
)

# Which settled jobs have a label, a verdict or the like: keys alone say it (see `lookups`).
LOOKUPS = Table("lookups", ("term", "entry"), {})

# What one at a time may do: the run of the timer, and calls that must not happen twice.
LEASES = Table(
    "leases",
    ("name",),
    {
        "token": int,
        "holder": str,
        "lease_until": int,
        "crashes": int,
        # What came of such a call (see `toolkit.call_records`).
        "outcome": str,
        "attempts": int,
        "expires_at": int,
        "payload": str,
        "result": str,
        "error_type": str,
        "reason": str,
    },
    may_expire=True,
)

TABLES = (JOBS, INBOX, EVIDENCE, LOOKUPS, LEASES)


def nameless_key(why: str, digest: str) -> str:
    """Give the inbox key of bytes that name no job, by their sha256; no job key has an empty kind."""
    return f"{digest[:2]}..{why}.{digest}"
