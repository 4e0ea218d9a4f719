"""Records of many jobs, for commands that look at all of them: read beside each other, given in order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Annotated, Any, NamedTuple

import typer

from cli.local_ledger import find_job
from cli.looking import listed
from cli.terminal import Exit, complain, err, escape
from shared import archive
from shared.errors import ObjectNotFoundError
from shared.job_row import JobRow
from shared.kinds import KINDS
from shared.object_files import opened
from shared.ports import Services
from shared.record import FindingsMore

_BATCH = 64

Jobs = Annotated[
    list[str] | None,
    typer.Option(
        "--job", help="A job's id, kind/job id, or ledger key; may be repeated. Else all of --days."
    ),
]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help=f"Only of this kind: {', '.join(KINDS)}; may be repeated."),
]
Days = Annotated[int, typer.Option(min=1, max=3660, help="How many days of first sight back.")]


class Recorded(NamedTuple):
    """A job's row and the bytes of its present record."""

    row: JobRow
    stored: bytes

    def document(self) -> dict[str, Any]:
        """Read the record as it is, fields of other versions and all."""
        document: dict[str, Any] = json.loads(self.stored)
        return document

    def findings(self, services: Services, record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Give all findings of its record: those in it, and those that it has no room for.

        Complain where these are gone.
        """
        yield from record["findings"]
        if more := record.get("findings_more"):
            key = archive.findings_key(self.row.ref, FindingsMore(count=more["count"], sha256=more["sha256"]))
            try:
                with opened(services.objects, key) as lines:
                    yield from map(json.loads, lines)
            except ObjectNotFoundError:
                told = f"{more['count']:,} findings beside the record of {self.row.key} are gone: {key}"
                err().print(f"[bold red]error:[/] {escape(told)}")


def findings_count(record: Mapping[str, Any]) -> int:
    """Tell how many findings a record stands for."""
    more = record.get("findings_more")
    return len(record["findings"]) + (more["count"] if more else 0)


def chosen(
    services: Services, names: Sequence[str] | None, kinds: Sequence[str] | None, days: int
) -> Iterator[JobRow]:
    """Give the rows of named jobs, or of all that were first seen on the last days; of some kinds."""
    for kind in kinds or ():
        if kind not in KINDS:
            complain(f"unknown kind {kind}: known are {', '.join(KINDS)}", Exit.WRONG_USE)
    rows = (find_job(services, name) for name in names) if names else listed(services, days)
    return (row for row in rows if not kinds or row.ref.kind in kinds)


def recorded(services: Services, rows: Iterable[JobRow]) -> Iterator[Recorded]:
    """Read the present record of each job that has one."""
    return (record for _, record in with_records(services, rows) if record is not None)


def with_records(services: Services, rows: Iterable[JobRow]) -> Iterator[tuple[JobRow, Recorded | None]]:
    """Read the present record of each job, None while it has none; complain of one that is gone."""
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        read = services.parallel.run([partial(_record, services, row) for row in batch])
        for row, done in zip(batch, read, strict=True):
            if isinstance(done.error, ObjectNotFoundError):
                err().print(f"[bold red]error:[/] the record of {escape(row.key)} is gone")
            else:
                yield row, done.result()


def _record(services: Services, row: JobRow) -> Recorded | None:
    digest = row.text("digest")
    return (
        None if digest is None else Recorded(row, services.objects.get(archive.version_key(row.ref, digest)))
    )
