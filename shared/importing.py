"""Take in answers that were stored elsewhere: rows and records, without a call to any vendor.

The job is settled as ever, with a stored answer in the vendor's place. What differs follows from its age:
nobody is told of a job that this ledger has not followed, it is not asked about once more, and evidence
that the vendor has deleted is not sought. Terminal never regresses here either: a job that is settled stays
as it is, and an answer that says something else is only told of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from shared import effects, evidence_items, settlement
from shared.delivery.rules import DeliveryPlan
from shared.job_row import JobRow, read_job
from shared.jobs import JobRef, State
from shared.kinds.kind import JobQuery, Kind, ResultFile
from shared.kinds.recognition import format_of, kind_of
from shared.marks import Mark, mark
from shared.policy import Policy
from shared.ports import Services
from shared.record import JobRecord, canonical_bytes, digest
from shared.vendor import ApiAnswer, ApiRequest, Part

BY: Final = "import"
"""Who saw a job first that was imported, and who settled it, in its row."""


class Outcome(str, Enum):
    """What became of one stored answer."""

    IMPORTED = "imported"
    """The ledger did not know the job, and has its record now."""
    SETTLED = "settled"
    """The ledger followed the job, and the stored answer has ended that; its targets are told."""
    KNOWN = "known"
    """The ledger has this very record."""
    DIFFERS = "differs"
    """The ledger has another record of the job, which stays."""
    UNFINISHED = "unfinished"
    """The job was still running; nothing is written."""
    LEFT = "left"
    """The job is not to be settled now; the reason says why."""


def _nothing(part: str) -> None:
    """Know of no result file."""


@dataclass(frozen=True)
class StoredAnswer:
    """An answer of a known kind about a known job; `files` are result files that were stored beside it."""

    kind: Kind
    answer: Part
    files: Mapping[str, Part]
    record: JobRecord
    ref: JobRef

    @classmethod
    def read(
        cls,
        kinds: Mapping[str, Kind],
        body: bytes,
        *,
        kind: str | None = None,
        beside: Callable[[str], bytes | None] = _nothing,
    ) -> StoredAnswer:
        """Read an answer, of the kind that it looks like unless one is named.

        `beside` gives what was stored of a result file, by the name of its part, and is asked for nothing
        else. Raise `ParseError` for what is no answer, `JobNotFoundError` for one that there is no such job,
        and `InvalidJobIdError` for one about a job that cannot have a key.
        """
        answer = Part("answer", format_of(body), body)
        found = kinds[kind or kind_of(answer)]
        files = {
            file.part: Part(file.part, file.format, stored)
            for file in found.files([answer], JobQuery(""))
            if (stored := beside(file.part)) is not None
        }
        record = found.normalize([answer, *files.values()])
        return cls(found, answer, files, record, JobRef(found.name, record.job.job_id))

    @property
    def digest(self) -> str:
        """Give the content address of its record."""
        return digest(canonical_bytes(self.record))


@dataclass(frozen=True)
class Taken:
    """What became of a stored answer, and why if that says too little."""

    outcome: Outcome
    reason: str | None = None


def take_in(
    services: Services, stored: StoredAnswer, *, region: str | None = None, user_id: str | None = None
) -> Taken:
    """Settle the job of a stored answer with it, unless it is settled; `region` and account are its own.

    Again, it changes nothing: an import that was cut short is run once more. Raise `TemporaryError` and
    `CorruptRowError` as the ledger does.
    """
    row = read_job(services.ledger, stored.ref.key)
    foreseen = rehearse(row, stored)
    if foreseen.outcome not in (Outcome.IMPORTED, Outcome.SETTLED):
        return foreseen
    wish = Mark(
        stored.ref, BY, is_notification=False, region=region, user_id=user_id or stored.record.job.user_id
    )
    lease = mark(services, wish)
    if lease is None:
        return Taken(Outcome.LEFT, "somebody is asking about it: import it again later")
    answering = _answering(services, stored, is_ours=foreseen.outcome is Outcome.IMPORTED)
    outcome = settlement.settle_claimed(answering, lease, by=BY)
    if outcome.error is not None:
        raise outcome.error
    if outcome.did != "settled":
        return Taken(Outcome.LEFT, f"{outcome.did}: the timer goes on with it")
    effects.drain(answering, stored.ref.key)
    return foreseen


def rehearse(row: JobRow | None, stored: StoredAnswer) -> Taken:
    """Tell what taking in a stored answer would come to, by the row of its job as it is."""
    if stored.record.status == "running":
        return Taken(Outcome.UNFINISHED)
    # A row of an import that was cut short is taken up again as if there were none.
    if row is None or (row.text("first_seen_by") == BY and not row.state.is_terminal):
        return Taken(Outcome.IMPORTED)
    if row.state.is_terminal:
        if row.text("digest") == stored.digest:
            return Taken(Outcome.KNOWN)
        return Taken(Outcome.DIFFERS, _difference(row, stored.record))
    if row.state is State.QUARANTINED:
        return Taken(Outcome.LEFT, "quarantined: release it first")
    return Taken(Outcome.SETTLED)


def _difference(row: JobRow, record: JobRecord) -> str:
    says = "/".join(filter(None, (record.status, record.verdict.suggestion)))
    has = "/".join(filter(None, (row.state.value, row.text("suggestion"))))
    if says != has:
        return f"the stored answer says {says}, the ledger {has}"
    if record.normalizer_version != row.number("normalizer_version"):
        return "the ledger's record was made by another normalizer: replay it first"
    return "the verdict is the same, the record is not"


def _answering(services: Services, stored: StoredAnswer, *, is_ours: bool) -> Services:
    """Give services whose vendor says what is stored, and nothing else."""
    policy = services.policy
    if is_ours:
        policy = _quiet(policy, stored.record, services.clock.now())
    vendor = _Vendor(stored)
    kind = replace(stored.kind, request=vendor.request, files=vendor.files)
    kinds = {**services.kinds, kind.name: kind}
    return replace(services, kinds=kinds, media_api=vendor, result_files=vendor, policy=policy)


def _quiet(policy: Policy, record: JobRecord, now: int) -> Policy:
    """Tell nobody, ask nobody again, and seek no evidence that is gone."""
    is_gone = evidence_items.expires_at(record, now, replace(policy, evidence_least=0)) <= now
    return replace(
        policy,
        delivery=DeliveryPlan(),
        confirm_after=0,
        verify_after=0,
        incomplete_for=0,
        evidence_windows={**policy.evidence_windows, **({record.job.kind: 0} if is_gone else {})},
    )


@dataclass(frozen=True)
class _Vendor:
    """Stands in for the vendor and for the buckets of a job: all that they say was stored before."""

    stored: StoredAnswer

    def request(self, query: JobQuery) -> ApiRequest:
        """Ask for nothing: not even what a query would need has to be known."""
        return ApiRequest(self.stored.kind.product, "", "")

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        return ApiAnswer(self.stored.answer)

    def files(self, parts: Sequence[Part], query: JobQuery) -> Sequence[ResultFile]:
        """See `Kind.files`: one that was not stored is noted as one that nobody can find."""
        named = self.stored.kind.files(parts, query)
        return [replace(one, uri=one.part if one.part in self.stored.files else None) for one in named]

    def read(self, uri: str) -> bytes:
        """See `ResultFiles.read`."""
        return self.stored.files[uri].body
