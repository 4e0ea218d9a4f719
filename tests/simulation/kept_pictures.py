"""What must have become of pictures when a run has come to rest."""

from __future__ import annotations

import json
from collections.abc import Iterator

from shared import archive, evidence_rows
from shared.evidence import EvidenceRow
from shared.job_row import JobRow
from shared.record import digest
from tests.simulation.records import settled_rows
from tests.simulation.run import Run


def every_picture_is_kept_or_lost_with_its_reason(run: Run) -> Iterator[str]:
    """Look for each one that a record names, in the rows, in the archive and in the manifest."""
    for _, row in settled_rows(run):
        version = run.objects.objects.get(archive.version_key(row.ref, row.text("digest") or ""))
        named = {one["id"] for one in json.loads(version)["evidence"]} if version else set()
        rows = evidence_rows.read_all(run.ledger, row.key)
        if {name for name, one in rows.items() if row.text("digest") in one.digests} != named:
            yield f"{row.key}: the evidence rows are not those that the record names"
        for one in rows.values():
            yield from _fate(run, row, one)
        if named:
            yield from _manifest(run, row, rows)


def _fate(run: Run, row: JobRow, one: EvidenceRow) -> Iterator[str]:
    fate = run.pictures.fates.get(one.id)
    if one.status == "kept":
        body = run.objects.objects.get(one.key or "")
        if body is None or digest(body) != one.sha256 or len(body) != one.size:
            yield f"{row.key}: the picture {one.id} is not where its row says"
    elif one.status == "pending" or one.reason is None:
        yield f"{row.key}: the picture {one.id} is {one.status}, because of {one.reason}"
    elif fate in ("there", "late"):
        yield f"{row.key}: the picture {one.id} is lost, though it could be had: {one.reason}"
    if one.status != "pending" and (one.url is not None or one.due_at is not None):
        yield f"{row.key}: the picture {one.id} is {one.status} and still has an address or is due"


def _manifest(run: Run, row: JobRow, rows: dict[str, EvidenceRow]) -> Iterator[str]:
    name = archive.manifest_key(row.ref)
    manifest = json.loads(run.objects.objects.get(name, b'{"items": [], "others": []}'))
    told = {one["id"]: one["status"] for one in (*manifest["items"], *manifest["others"])}
    if told != {key: one.status for key, one in rows.items()}:
        yield f"{row.key}: the manifest does not say what the rows say"
    stored = [key for key in run.objects.keys(name.rpartition("/")[0]) if key != name]
    if sorted(stored) != sorted({one.key for one in rows.values() if one.key}):
        yield f"{row.key}: what lies in the archive is not what the rows name"
