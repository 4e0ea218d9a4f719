"""The rows of a job's evidence: put beside its record, and read again."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial

from shared import evidence, evidence_items
from shared.errors import ContendedError
from shared.evidence import EvidenceRow
from shared.evidence_items import Item
from shared.job_row import JobRow
from shared.kinds.kind import Kind
from shared.ports import Change, Ledger, Services, When
from shared.record import JobRecord
from shared.tables import EVIDENCE, Row, Value
from shared.toolkit import metrics
from shared.vendor import Part

LOG = logging.getLogger(__name__)


def read_all(ledger: Ledger, job_key: str) -> dict[str, EvidenceRow]:
    """Read the rows of a job, by their ids."""
    rows: dict[str, EvidenceRow] = {}
    after: Row | None = None
    while True:
        page = ledger.under(
            EVIDENCE, job_key, columns=tuple(EVIDENCE.columns), limit=ledger.PAGE_LIMIT, after=after
        )
        for row in page.rows:
            name = str(row["evidence_id"])
            rows[name] = EvidenceRow.read(job_key, name, row)
        after = page.after
        if after is None:
            return rows


def read_one(ledger: Ledger, job_key: str, name: str) -> EvidenceRow | None:
    """Read one row; None where there is none."""
    columns = ledger.get(EVIDENCE, (job_key, name))
    return None if columns is None else EvidenceRow.read(job_key, name, columns)


def put(
    services: Services,
    row: JobRow,
    kind: Kind,
    record: JobRecord,
    parts: Sequence[Part],
    digest: str,
    *,
    is_fresh: bool = True,
) -> None:
    """Have a row for everything that a record names, before it is committed.

    A job without a version has none yet: then that is one call. An answer that `is_fresh` brings addresses
    that were signed anew; one that was stored before changes none that is known. Raise `ContendedError` when
    others kept winning the rows.
    """
    items = evidence_items.items(kind, record, parts, services.policy)
    if not items:
        return
    known = {} if row.text("digest") is None else read_all(services.ledger, row.key)
    until = evidence_items.expires_at(record, services.clock.now(), services.policy)
    for _ in range(services.policy.contention):
        if _put(services, row, items, known, digest, until, is_fresh=is_fresh):
            return
        known = read_all(services.ledger, row.key)
    raise ContendedError("the evidence moved during every attempt to write it", job=row.key)


def _put(
    services: Services,
    job: JobRow,
    items: Sequence[Item],
    known: Mapping[str, EvidenceRow],
    digest: str,
    until: int,
    *,
    is_fresh: bool,
) -> bool:
    """Insert what is new, change what is known; False when somebody else wrote any of it meanwhile."""
    now, policy, ledger = services.clock.now(), services.policy, services.ledger
    new = [
        (
            (job.key, item.id),
            evidence.first_columns(item, digest, job_key=job.key, until=until, now=now, policy=policy),
        )
        for item in items
        if item.id not in known
    ]
    batches = [new[at : at + ledger.BATCH_LIMIT] for at in range(0, len(new), ledger.BATCH_LIMIT)]
    inserted = services.parallel.run([partial(ledger.insert_many, EVIDENCE, batch) for batch in batches])
    again = partial(evidence.named_again, digest=digest, until=until, now=now, present=job.text("digest"))
    told = [(row, again(row, item)) for item in items if (row := known.get(item.id)) is not None]
    changed = services.parallel.run(
        [partial(_change, ledger, row, change, is_fresh=is_fresh) for row, change in told]
    )
    written = [one for batch in inserted for one in batch.result()]
    for ((_, name), columns), one in zip(new, written, strict=True):
        # Told even where nobody knows whether it was written: whoever comes next may find it there.
        if columns["status"] == "lost" and one.value is not False:
            _tell_lost(job, name, columns["reason"])
    outcomes = [one.result() for one in (*written, *changed)]
    return all(outcomes)


def _tell_lost(job: JobRow, name: str, reason: Value) -> None:
    metrics.count("evidence_lost", kind=job.ref.kind)
    LOG.error("evidence is lost: %s", reason, extra={"job": job.key, "evidence": name})


def _change(ledger: Ledger, row: EvidenceRow, change: Change, *, is_fresh: bool) -> bool:
    if not is_fresh:
        change = {name: value for name, value in change.items() if name == "digests"}
    if not change:
        return True
    when = [When("status", "==", row.status), When("digests", "==", ",".join(row.digests))]
    return ledger.update(EVIDENCE, (row.job_key, row.id), change, when)
