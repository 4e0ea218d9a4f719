"""What must stand in the archive when a run has come to rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared import archive
from shared.job_row import JobRow
from shared.jobs import State
from shared.kinds import KINDS, Kind
from shared.record import canonical_bytes, digest
from shared.vendor import Part
from tests.simulation.run import Run
from tests.simulation.stories import Story


def final_record(story: Story, kinds: Mapping[str, Kind] = KINDS) -> bytes:
    """Normalize the vendor's last word on a job, as if nobody else had ever been in between."""
    parts: list[Part] = [story.last.answer(story.ref.job_id, story.form)]
    if story.last.output is not None:
        parts.append(Part("output", "txt", story.last.output))
    return canonical_bytes(kinds[story.ref.kind].normalize(parts))


def current_record(run: Run, row: JobRow) -> bytes | None:
    """Read what stands under `records/` for a job."""
    return run.objects.objects.get(archive.current_key(row))


def settled_rows(run: Run) -> Iterator[tuple[Story, JobRow]]:
    """Give every settled job with its story."""
    rows = run.ledger.rows()
    for story in run.stories:
        row = rows.get(story.ref.key)
        if row is not None and row.state.is_terminal:
            yield story, row


def records_are_those_of_the_last_answers(run: Run) -> Iterator[str]:
    """Compare `records/` byte for byte with what a run without faults writes there."""
    for story, row in settled_rows(run):
        if current_record(run, row) != final_record(story, run.instances.kinds):
            yield f"{row.key}: records/ does not hold what a run without faults records"


def records_follow_the_rows(run: Run) -> Iterator[str]:
    """Compare `records/` with the versions that the rows name."""
    for _, row in settled_rows(run):
        version = run.objects.objects.get(archive.version_key(row.ref, row.text("digest") or ""))
        if version is None or current_record(run, row) != version:
            yield f"{row.key}: records/ does not hold the version that the row names"


def evidence_of_rows_is_there(run: Run) -> Iterator[str]:
    """Look for every raw part that a row names, and for what should have been kept of the unreadable."""
    for row in run.ledger.rows().values():
        if row.state is State.QUARANTINED and not row.raw_parts and _was_received(run, row):
            yield f"{row.key}: what could not be read was not kept"
        for part in row.raw_parts:
            body = run.objects.objects.get(part.key)
            if body is None or digest(body) not in part.key:
                yield f"{row.key}: the row names {part.key}, which is not there"


def _was_received(run: Run, row: JobRow) -> bool:
    story = next(one for one in run.stories if one.ref.key == row.key)
    return story.illness in ("garbled", "another job's answer")
