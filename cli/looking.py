"""`show` and `at`: what the ledger holds of a job, and the place in the raw answer it comes from."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Group
from rich.table import Table
from rich.text import Text

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, find_job, opened
from cli.terminal import AlwaysJson, AsJson, err, escape, out, print_json, printable, told_plainly
from shared import archive, evidence_rows, large_parts
from shared.delivery.outbox import Delivery
from shared.documents.pointers import resolve
from shared.documents.streamed import value_at
from shared.due import BUCKETS
from shared.errors import CorruptRowError, PermanentError
from shared.evidence import Tally, tally
from shared.explanation import name_to_type
from shared.job_row import JobRow, read_job
from shared.jobs import State
from shared.kinds import Kind
from shared.ports import Services
from shared.tables import JOBS, JOBS_BY_DAY, Row
from shared.toolkit.strict_json import Tree
from shared.vendor import LargePart, Part

_END_OF_TIME = 2**62
_COLOUR = {
    State.SUCCEEDED: "green",
    State.FAILED: "red",
    State.QUARANTINED: "magenta",
    State.UNKNOWN: "magenta",
}
_SUGGESTION_COLOUR = {"pass": "green", "review": "yellow", "block": "red"}

Job = Annotated[str, typer.Argument(help="The vendor's job id, kind/job id, or the ledger's key.")]


def show(name: Job, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Show one job: its row, and what its record says."""
    with told_plainly(name), opened(environment(folder), must_exist=folder) as services:
        row = find_job(services, name)
        record = record_of(services, row)
        kept = evidence_of(services, row)
    if as_json:
        columns = {n: v for n, v in row.columns.items() if not isinstance(v, bytes)}
        print_json({"job": {"job_key": row.key, **columns}, "record": record, "evidence": counts(kept)})
        return
    out().print(_facts(row, kept))
    if record is not None:
        out().print(_findings(record))
        out().print(_outputs(record))
        command = f"media-ledger at {name_to_type(row)} SOURCE --dir {shlex.quote(str(folder))}"
        out().print(f"\nOpen a value in the raw answer: {escape(command)}")


def at(
    name: Job,
    pointer: Annotated[str, typer.Argument(help="A source from the record: answer:/MediaAuditJob/Status.")],
    folder: Folder = DEFAULT_FOLDER,
    as_json: AlwaysJson = False,
) -> None:
    """Open a job's raw answer at a pointer of its record; what stands there is printed as JSON."""
    source = pointer if ":" in pointer.partition("/")[0] else f"answer:{pointer}"
    with told_plainly(name), opened(environment(folder), must_exist=folder) as services:
        row = find_job(services, name)
        kind = services.kinds.get(row.ref.kind)
        if kind is None:
            raise PermanentError("this version does not know the kind of this job", kind=row.ref.kind)
        value = _value(services, kind, [large_parts.archived(services, one) for one in row.raw_parts], source)
    print_json(value)


def _value(services: Services, kind: Kind, parts: Sequence[Part], source: str) -> Tree:
    """Find a value in raw parts; in one that memory has no room for, by reading it as it comes."""
    name, _, pointer = source.partition(":")
    large = {part.name: part for part in parts if isinstance(part, LargePart)}
    if name in large:
        return value_at(large[name].chunks(), pointer)
    return resolve({part.name: kind.tree(part) for part in parts if part.name not in large}, source)


def listed(services: Services, days: int) -> Iterator[JobRow]:
    """List jobs by their day of first sight; one day more than today, for clocks ahead of ours."""
    today = datetime.fromtimestamp(services.clock.now() / 1000, timezone.utc).date()
    for back in range(-1, days):
        day = (today - timedelta(days=back)).isoformat()
        for bucket in BUCKETS:
            for hint in _partition(services, f"{bucket}.{day}"):
                try:
                    row = read_job(services.ledger, str(hint["job_key"]))
                except CorruptRowError as error:
                    err().print(f"[bold red]error:[/] {escape(str(error))}")
                    continue
                if row is not None:
                    yield row


def _partition(services: Services, partition: str) -> Iterator[Row]:
    after: Row | None = None
    while True:
        page = services.ledger.scan(JOBS, JOBS_BY_DAY, partition, upto=_END_OF_TIME, limit=1000, after=after)
        yield from page.rows
        after = page.after
        if after is None:
            return


def record_of(services: Services, row: JobRow) -> dict[str, Any] | None:
    """Read the record that the row points at; None while there is none."""
    digest = row.text("digest")
    if digest is None:
        return None
    record: dict[str, Any] = json.loads(services.objects.get(archive.version_key(row.ref, digest)))
    return record


def evidence_of(services: Services, row: JobRow) -> Tally:
    """Count what became of the evidence of a job's present version; one without any costs no read."""
    if not row.count("evidence"):
        return Tally()
    found = evidence_rows.read_all(services.ledger, row.key).values()
    return tally(found, row.text("digest"), services.clock.now())


def counts(kept: Tally) -> dict[str, int]:
    return {"kept": kept.kept, "pending": kept.pending, "lost": kept.lost}


def jobs_table(rows: list[JobRow]) -> Group:
    """Lay jobs out: what became of each, how often the vendor was asked and told us, and why not."""
    table = Table(title=f"{len(rows)} jobs", title_justify="left", box=SIMPLE)
    for column in ("state", "verdict", "labels"):
        table.add_column(column, no_wrap=True)
    table.add_column("job", overflow="fold")
    for column in ("queries", "callbacks", "next"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            f"[{_COLOUR.get(row.state, 'cyan')}]{row.state.value}[/]",
            _suggestion(row.text("suggestion")),
            escape(row.text("labels") or ""),
            escape(f"{row.ref.kind}/{row.ref.job_id}"),
            str(row.count("queries")),
            str(row.count("notified")),
            # That of a settled job is housekeeping, and its column would leave no room for the id.
            "" if row.state.is_terminal else moment(row.number("due_at")) or "",
        )
    reasons = [
        Text(printable(f"  {row.ref.job_id}: {reason}")) for row in rows if (reason := row.text("reason"))
    ]
    return Group(table, *reasons)


def _facts(row: JobRow, kept: Tally) -> Table:
    table = Table(title=escape(row.ref.job_id), title_justify="left", show_header=False, box=SIMPLE)
    table.add_column()
    table.add_column(overflow="fold")
    parts = "\n".join(escape(part.key) for part in row.raw_parts)
    facts = {
        "kind": row.ref.kind,
        "state": f"[{_COLOUR.get(row.state, 'cyan')}]{row.state.value}[/]",
        "verdict": _suggestion(row.text("suggestion")),
        "labels": escape(row.text("labels") or ""),
        "version": str(row.count("version") or ""),
        "record": archive.version_key(row.ref, row.text("digest") or "") if row.text("digest") else "",
        "raw answer": parts,
        "evidence": ", ".join(f"{count} {name}" for name, count in counts(kept).items() if count),
        "first seen": escape(f"{moment(row.number('first_seen_at'))} by {row.text('first_seen_by')}"),
        "callbacks": str(row.count("notified")),
        "vendor queries": str(row.count("queries")),
        "next": moment(row.number("due_at")) or "",
        "to be told": "\n".join(_pending(one) for one in row.outbox),
        "undelivered": "\n".join(
            escape(f"{one.target}: version {one.version}: {one.reason}") for one in row.undelivered
        ),
        "notes": escape(row.text("notes") or ""),
        "why": escape(row.text("reason") or ""),
    }
    for name, value in facts.items():
        if value:
            table.add_row(name, value)
    return table


def _pending(one: Delivery) -> str:
    told = f"{one.target}: version {one.version}, attempts {one.attempts}, next {moment(one.next_at)}"
    return escape(f"{told}: {one.last}" if one.last else told)


def _findings(record: dict[str, Any]) -> Group:
    """Lay findings out, each with its source on a line of its own, whole, to be copied."""
    findings = record["findings"]
    lines = [Text(f"{len(findings)} findings")]
    if more := record.get("findings_more"):
        told = f"{more['count']:,} more stand beside the record: `media-ledger export` writes all of them"
        lines.append(Text(told))
    for one in findings:
        at = "" if one["start_ms"] is None else f"{one['start_ms'] / 1000:.3f} s"
        what = (
            f"{at:>12}  {one['modality']} {escape(one['check'] or '')}: [bold]{escape(one['label'] or '')}[/]"
        )
        ours = f" ({one['canonical_label']})" if one["canonical_label"] else ""
        scores = ", ".join(score["text"] for score in one["scores"])
        lines.append(Text.from_markup(f"{what}{ours} {_suggestion(one['suggestion'])} {escape(scores)}"))
        sources = (one["source"], *one["other_sources"])
        lines += [Text(f"{'':>14}{printable(source)}", style="dim") for source in sources]
    return Group(*lines)


def _outputs(record: dict[str, Any]) -> Group:
    """Lay out what the job made, and what nobody understood of its answer."""
    lines = [Text(f"{len(record['outputs'])} outputs, {len(record['measures'])} measures")]
    for one in record["outputs"]:
        span = "" if one["start_ms"] is None else f"{one['start_ms'] / 1000:.3f} s"
        where = one["uri"] or one["url"] or one["media_id"] or ""
        what = " ".join(filter(None, (one["title"], where)))
        lines.append(Text(printable(f"{span:>12}  {one['kind']}: {what}")))
        lines.append(Text(f"{'':>14}{printable(one['source'])}", style="dim"))
    if record["unmapped"]:
        lines.append(Text(f"{len(record['unmapped'])} values of the answer are not understood:"))
        told = (f"{one['source']} = {one['value'][:80]}" for one in record["unmapped"])
        lines += [Text(f"{'':>14}{printable(text)}") for text in told]
    return Group(*lines)


def _suggestion(word: str | None) -> str:
    if not word:
        return ""
    return f"[{_SUGGESTION_COLOUR.get(word.casefold(), 'white')}]{escape(word)}[/]"


def moment(ms: int | None) -> str | None:
    """Write a time for a person, in UTC; a number that no calendar has as it is."""
    if ms is None:
        return None
    try:
        return f"{datetime.fromtimestamp(ms / 1000, timezone.utc):%Y-%m-%d %H:%M:%S}Z"
    except (OverflowError, ValueError, OSError):
        return f"no date: {ms}"
