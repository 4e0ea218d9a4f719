"""`export`: findings for whoever counts, compares or plays them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

import typer

from cli import finding_rows
from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, opened
from cli.progress import progress
from cli.records import Days, Jobs, Kinds, Recorded, chosen, findings_count, recorded
from cli.terminal import AsJson, Exit, complain, err, print_json, told_plainly
from shared.finding_lines import read_findings
from shared.hooks.webvtt_markers import markers

Format = Literal["ndjson", "csv", "webvtt"]
Findings = Iterator[dict[str, Any]]
Write = Callable[[Recorded, dict[str, Any], Findings], None]
Lines = Callable[[dict[str, Any], str, Findings], Iterator[str]]

# Spreadsheets take a file for UTF-8 if it says so.
_BYTE_ORDER_MARK = "\ufeff"


def export(
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="ndjson: one JSON object for each finding. csv: one row for each. webvtt: one file for each"
            " job, with a cue for each finding that has a place in time.",
        ),
    ] = "ndjson",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PATH", help="A file, or for webvtt a folder; else standard output."
        ),
    ] = None,
    jobs: Jobs = None,
    kinds: Kinds = None,
    days: Days = 30,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Write the findings of settled jobs as lines, as a table, or as subtitles.

    With --json it tells how many these are; the findings are in --output then.
    """
    if output is None and (form == "webvtt" or as_json):
        complain("say where to write with --output", Exit.WRONG_USE)
    exported = findings = 0
    with told_plainly(), opened(environment(folder), must_exist=folder) as services:
        found = recorded(services, chosen(services, jobs, kinds, days))
        with _writing(form, output) as write, progress("jobs") as shown:
            task = shown.add_task("exported", total=None)
            for one in found:
                record = one.document()
                write(one, record, one.findings(services, record))
                exported, findings = exported + 1, findings + findings_count(record)
                shown.advance(task)
    if as_json:
        print_json({"jobs": exported, "findings": findings})
    else:
        err().print(f"{findings:,} findings of {exported:,} jobs")


@contextmanager
def _writing(form: Format, output: Path | None) -> Iterator[Write]:
    """Give what writes one record's findings; end with a clear message where nothing can be written."""
    try:
        if form == "webvtt" and output is not None:
            yield partial(_write_subtitles, output)
            return
        with output.open("wb") if output else nullcontext(sys.stdout.buffer) as stream:
            if form == "csv":
                stream.write((_BYTE_ORDER_MARK + finding_rows.row(finding_rows.COLUMNS)).encode())
            yield partial(_write_lines, stream, finding_rows.rows if form == "csv" else finding_rows.objects)
    except BrokenPipeError:
        raise  # who reads has seen enough, which is no mistake
    except OSError as error:
        complain(f"{output or 'standard output'}: {error.strerror or error}", Exit.WRONG_USE)


def _write_lines(
    stream: BinaryIO, lines: Lines, one: Recorded, record: dict[str, Any], findings: Findings
) -> None:
    for line in lines(record, one.row.text("digest") or "", findings):
        stream.write(line.encode())


def _write_subtitles(folder: Path, one: Recorded, _: dict[str, Any], findings: Findings) -> None:
    file = folder / f"{one.row.ref.path}.vtt"
    file.parent.mkdir(parents=True, exist_ok=True)
    told = read_findings(json.dumps(finding).encode() for finding in findings)
    file.write_text(markers(told), encoding="utf-8")
