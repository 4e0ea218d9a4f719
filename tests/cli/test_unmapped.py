"""`unmapped`: what vendors say that nothing here understands is counted, with where it was seen first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.unknown_words import Tally, Unknown
from shared.jobs import State
from tests.cli.conftest import Shell
from tests.scripted_vendor import answer, callback
from tests.world import START, World, job_row, ref

ANSWERS = Path(__file__).parents[1] / "data" / "answers"
CASES = ("vod.media_audit/unknown-labels", "vod.media_audit/unknown-fields", "mts.production/repaired-twice")


@pytest.fixture
def odd(shell: Shell) -> Shell:
    """Import answers that this version understands in part."""
    folder = shell.folder / "old"
    folder.mkdir()
    for number, case in enumerate(CASES):
        # Most recorded answers are about the same job.
        job_id = json.loads((ANSWERS / case / "record.json").read_bytes())["job"]["job_id"]
        body = (ANSWERS / case / "answer.json").read_text(encoding="utf-8")
        (folder / f"{number}.json").write_text(body.replace(job_id, f"job-{number}"), encoding="utf-8")
    shell.json("import", "--raw", str(folder), "--json")
    return shell


def unknown(shell: Shell, *words: str) -> list[dict[str, Any]]:
    told: dict[str, Any] = json.loads(shell.run("unmapped", *words, "--json").stdout)
    found: list[dict[str, Any]] = told["unknown"]
    return found


def test_every_label_field_and_shape_is_counted(odd: Shell) -> None:
    found = unknown(odd)
    records = [json.loads((ANSWERS / case / "record.json").read_bytes()) for case in CASES]

    by_type = {what: sum(one["count"] for one in found if one["what"] == what) for what in ("field", "shape")}
    assert by_type == {
        "field": sum(len(record["unmapped"]) for record in records),
        "shape": sum(len(record["repaired"]) for record in records),
    }
    assert {one["word"]: one["count"] for one in found if one["what"] == "label"} == {
        "terrorism/dragon": 2,
        "poetry/spam": 1,
        "antispam/whisper": 1,
    }


def test_an_example_opens(odd: Shell) -> None:
    example = next(one["example"] for one in unknown(odd) if one["what"] == "field")

    assert odd.run("at", example["job"], example["source"]).exit_code == 0


def test_no_value_is_shown(odd: Shell) -> None:
    record = json.loads((ANSWERS / CASES[1] / "record.json").read_bytes())
    values = {leaf["value"] for leaf in record["unmapped"] if len(leaf["value"]) > 6}
    shown = odd.run("unmapped", "--json").stdout + odd.run("unmapped").stdout

    assert values
    assert not any(f'"{value}"' in shown for value in values)


def test_a_ledger_that_is_understood_says_so(shell: Shell) -> None:
    folder = shell.folder / "old"
    folder.mkdir()
    (folder / "1.json").write_bytes(answer("job-1"))
    shell.json("import", "--raw", str(folder), "--json")

    result = shell.run("unmapped")

    assert (result.exit_code, result.stdout) == (0, "all of 1 jobs is understood\n")


def test_only_what_is_asked_for_is_looked_at(odd: Shell) -> None:
    assert {one["kind"] for one in unknown(odd, "--kind", "mts.production")} == {"mts.production"}
    assert odd.run("unmapped", "--kind", "mts.production").exit_code == 1


def leaf(source: str) -> dict[str, Any]:
    return {"findings": [], "repaired": [], "unmapped": [{"source": source, "value": "x"}]}


def test_positions_in_lists_are_one_place() -> None:
    tally = Tally()
    tally.add(job_row(State.SUCCEEDED), leaf("answer:/Data/List/0/New"))
    tally.add(job_row(State.SUCCEEDED), leaf("answer:/Data/List/17/New"))
    tally.add(job_row(State.SUCCEEDED), leaf("answer:/Result#/3#/4"))

    assert {one.word: seen.count for one, seen in tally.ordered()} == {
        "answer:/Data/List/*/New": 2,
        "answer:/Result#/*#/*": 1,
    }


def test_the_first_job_is_the_example() -> None:
    tally = Tally()
    for job_id, at in (("job-2", START + 1), ("job-1", START), ("job-3", START + 2)):
        row = job_row(State.SUCCEEDED, first_seen_at=at)
        tally.add(type(row).read(ref(job_id).key, row.columns), leaf("answer:/New"))

    ((_, seen),) = tally.ordered()
    assert (seen.job, seen.first_seen_at, seen.jobs) == ("vod.media_audit/job-1", START, 3)


def test_unknown_statuses_and_unreadable_answers_are_told_without_a_record() -> None:
    world = World(None)
    world.vendor.know("job-1", answer("job-1", "hibernating", suggestion=None))
    world.vendor.know("job-2", b"no answer")
    tally = Tally()
    for job_id in ("job-1", "job-2"):
        world.deliver(callback(job_id))
        tally.add(world.row(job_id), None)

    assert [one for one, _ in tally.ordered()] == [
        Unknown("status", "vod.media_audit", "hibernating"),
        Unknown("unreadable", "vod.media_audit", "ParseError: not JSON: Expecting value"),
    ]


def test_a_vendor_that_invents_a_word_for_every_job_does_not_fill_the_memory() -> None:
    tally = Tally()
    for number in range(1_500):
        tally.add(job_row(State.SUCCEEDED), leaf(f"answer:/id-{number}"))

    assert len(tally.seen) <= 1_001
    assert sum(seen.count for seen in tally.seen.values()) == 1_500
