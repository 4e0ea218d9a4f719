"""`export`: every finding leaves once, whatever it says, in three forms."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.finding_rows import COLUMNS, row
from tests.cli.conftest import Shell

ANSWERS = Path(__file__).parents[1] / "data" / "answers"
CASES = ("vod.media_audit/every-field", "mts.video_quality/page-summary", "ice.production/cover")


@pytest.fixture
def records(shell: Shell) -> dict[str, dict[str, Any]]:
    """Import some recorded answers, and give their records by kind."""
    folder = shell.folder / "old"
    folder.mkdir()
    for case in CASES:
        shutil.copy(ANSWERS / case / "answer.json", folder / f"{case.partition('/')[0]}.json")
    shell.json("import", "--raw", str(folder), "--json")
    return {
        case.partition("/")[0]: json.loads((ANSWERS / case / "record.json").read_bytes()) for case in CASES
    }


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_every_finding_is_one_line_and_whole(shell: Shell, records: dict[str, dict[str, Any]]) -> None:
    found = lines(shell.run("export").stdout)

    for kind, record in records.items():
        assert [one["finding"] for one in found if one["kind"] == kind] == record["findings"]
    assert len(found) == sum(len(record["findings"]) for record in records.values()) > 10


def test_findings_beside_a_record_leave_as_those_in_it_do(shell: Shell) -> None:
    folder = shell.folder / "old"
    folder.mkdir()
    shutil.copy(ANSWERS / "mts.video_quality/page-output-file/answer.json", folder / "one.json")
    frames = [{"result": "dark", "score": 1.5, "timestamp": str(i)} for i in range(1_200)]
    (folder / "one.output.txt").write_text(json.dumps({"brightness": frames}), encoding="utf-8")
    shell.json("import", "--raw", str(folder), "--json")

    found = lines(shell.run("export").stdout)
    rows = table(shell.run("export", "--format", "csv").stdout)
    told = shell.json("export", "--format", "webvtt", "-o", "cues", "--json")
    (shown,) = shell.json("jobs", "--json")["jobs"]

    brightness = [one["finding"] for one in found if one["finding"]["check"] == "brightness"]
    assert sorted(one["start_ms"] for one in brightness) == [*range(1_200)]
    assert [one["finding_id"] for one in rows] == [one["finding"]["id"] for one in found]
    assert told == {"jobs": 1, "findings": len(found)}
    (cues,) = Path("cues").rglob("*.vtt")
    assert cues.read_text(encoding="utf-8").count(" --> ") == sum(
        one["finding"]["start_ms"] is not None for one in found
    )
    assert "more stand beside the record" in shell.run("show", shown["job_id"]).stdout

    (beside,) = Path("media-ledger-data/archive/versions").rglob("*.findings.ndjson")
    beside.unlink()
    left = shell.run("export")
    assert 0 < len(lines(left.stdout)) < len(found)
    assert "findings beside the record of" in left.stderr


def test_a_line_says_which_job_it_is_of(shell: Shell, records: dict[str, dict[str, Any]]) -> None:
    first = lines(shell.run("export", "--kind", "vod.media_audit").stdout)[0]
    job = shell.json("jobs", "--json")["jobs"]
    record = records["vod.media_audit"]

    assert first["job_id"] == record["job"]["job_id"]
    assert first["job_suggestion"] == record["verdict"]["suggestion"]
    assert first["digest"] == shell.json("show", first["job_id"], "--json")["job"]["digest"]
    assert len(job) == len(CASES)


def test_a_table_has_the_same_findings_in_the_same_columns(
    shell: Shell, records: dict[str, dict[str, Any]]
) -> None:
    text = shell.run("export", "--format", "csv").stdout_bytes.decode()
    told, whole = table(text), lines(shell.run("export").stdout)

    assert text.startswith(f"\ufeff{','.join(COLUMNS)}\r\n")
    assert [one["source"] for one in told] == [one["finding"]["source"] for one in whole]
    assert [one["start_ms"] for one in told] == [
        str(one["finding"]["start_ms"] if one["finding"]["start_ms"] is not None else "") for one in whole
    ]


def test_subtitles_are_one_file_for_each_job(shell: Shell, records: dict[str, dict[str, Any]]) -> None:
    told = shell.json("export", "--format", "webvtt", "-o", "subtitles", "--json")
    files = {path.parent.name: path.read_text() for path in Path("subtitles").glob("*/*.vtt")}
    timed = [one for one in records["vod.media_audit"]["findings"] if one["start_ms"] is not None]

    assert told == {"jobs": len(CASES), "findings": sum(len(one["findings"]) for one in records.values())}
    assert set(files) == set(records)
    assert files["vod.media_audit"].count(" --> ") == len(timed) > 0


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_a_file_holds_what_standard_output_would(
    shell: Shell, records: dict[str, dict[str, Any]], form: str
) -> None:
    shell.json("export", "--format", form, "-o", "out", "--json")

    assert Path("out").read_bytes() == shell.run("export", "--format", form).stdout_bytes


def test_only_what_is_asked_for_leaves(shell: Shell, records: dict[str, dict[str, Any]]) -> None:
    job_id = records["mts.video_quality"]["job"]["job_id"]

    of_a_job = lines(shell.run("export", "--job", job_id).stdout)
    of_no_kind = lines(shell.run("export", "--kind", "mts.production").stdout)

    assert {one["job_id"] for one in of_a_job} == {job_id}
    assert of_no_kind == []


def test_a_record_that_is_gone_is_told_and_stops_no_other(
    shell: Shell, records: dict[str, dict[str, Any]]
) -> None:
    (gone,) = Path("media-ledger-data/archive/versions/vod.media_audit").rglob("*.json")
    gone.unlink()

    result = shell.run("export")

    assert {one["kind"] for one in lines(result.stdout)} == {"mts.video_quality"}
    assert "is gone" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "webvtt"), "say where to write"),
        (("--json",), "say where to write"),
        (("--kind", "vod", "-o", "file"), "unknown kind vod"),
        (("-o", "no/such/folder/file"), "No such file"),
    ],
)
def test_what_cannot_be_written_is_refused(
    shell: Shell, records: dict[str, dict[str, Any]], words: tuple[str, ...], said: str
) -> None:
    result = shell.run("export", *words)

    assert (result.exit_code, Path("file").exists()) == (2, False)
    assert said in result.stderr


# The reader of Python 3.10 refuses NUL.
@given(cells=st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=2, max_size=4))
def test_a_row_reads_back_and_begins_no_formula(cells: list[str]) -> None:
    (read,) = csv.reader(io.StringIO(row(cells), newline=""))

    assert [one.removeprefix("'") for one in read] == [one.removeprefix("'") for one in cells]
    assert not any(one.startswith(("=", "+", "@", "\t", "\r")) for one in read)


@pytest.mark.parametrize("number", ["-1", "-0.5", "12"])
def test_a_number_stays_a_number(number: str) -> None:
    assert row([number, "x"]) == f"{number},x\r\n"
