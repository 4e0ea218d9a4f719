from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import LocalVendor, Shell

HEADING = b"kind,job_id,region,output\n"


def jobs(shell: Shell) -> set[str]:
    """Give the jobs of the ledger as kind/id."""
    return {f"{job['kind']}/{job['job_id']}" for job in shell.json("jobs", "--json")["jobs"]}


def row(shell: Shell, job_id: str) -> dict[str, Any]:
    """Give the row of a job."""
    found: dict[str, Any] = shell.json("show", job_id, "--json")["job"]
    return found


def test_jobs_are_announced_by_their_ids(shell: Shell) -> None:
    words = ["track", "ice.production", "a", "b", "--region", "cn-shanghai", "--output", "oss://b/k"]
    told = shell.json(*words, "--json")

    assert (told["announced"], told["failed"]) == (2, [])
    assert jobs(shell) == {"ice.production/a", "ice.production/b"}
    assert [row(shell, "a")[name] for name in ("region", "output", "first_seen_by")] == [
        "cn-shanghai",
        "oss://b/k",
        "track",
    ]


def test_an_announced_job_is_settled_later_and_nobody_was_asked_before(
    shell: Shell, vendor: LocalVendor
) -> None:
    job = vendor.submit()
    shell.json("track", "vod.media_audit", job, "--media-id", "media-1", "--json")
    assert "queries" not in row(shell, job)
    vendor.clock.sleep(10_000)
    shell.json("settle", "vod.media_audit", job, "--json")

    assert (row(shell, job)["state"], row(shell, job)["media_id"]) == ("succeeded", "media-1")


@pytest.mark.parametrize(
    "content",
    [
        HEADING + b"ice.production,a,cn-shanghai,\nmts.production,b,,oss://b/k\n",
        b"\xef\xbb\xbf" + HEADING + b'\r\n"ice.production","a",cn-shanghai,\r\nmts.production,b,,oss://b/k',
        b'{"kind":"ice.production","job_id":"a"}\n\n{"kind":"mts.production","answer":{"JobId":"b"}}\n',
    ],
    ids=["table", "a spreadsheet's", "objects"],
)
def test_a_file_has_one_job_in_each_line(shell: Shell, content: bytes) -> None:
    Path("jobs").write_bytes(content)
    from_file = shell.json("track", "--file", "jobs", "--json")
    from_input = shell.json("track", "--file", "-", "--json", stdin=content)

    assert (from_file["announced"], from_input["known"]) == (2, 2)
    assert jobs(shell) == {"ice.production/a", "mts.production/b"}


def test_options_stand_in_for_what_a_line_does_not_say(shell: Shell) -> None:
    content = b"job_id,region\na,cn-beijing\nb,\n"
    shell.json("track", "mts.production", "--file", "-", "--region", "cn-shanghai", "--json", stdin=content)

    assert [row(shell, job)["region"] for job in ("a", "b")] == ["cn-beijing", "cn-shanghai"]


WRONG = HEADING + b'ice.production,a,CN,\nice.production,"b,,\nice.production,c\nvod.transcode,d,,\n'
WRONG += b"ice.production,\xff,,\nice.production,,,\nice.production,z,,\n"


def test_a_wrong_line_is_told_with_its_number_and_stops_no_other(shell: Shell) -> None:
    Path("jobs.csv").write_bytes(WRONG)
    result = shell.run("track", "--file", "jobs.csv", "--json")
    told = json.loads(result.stdout)

    assert result.exit_code == 2
    assert [one["place"] for one in told["failed"]] == [f"jobs.csv:{number}" for number in range(2, 8)]
    assert all(one["reason"] for one in told["failed"])
    assert told["announced"] == 1
    assert jobs(shell) == {"ice.production/z"}


def test_a_wrong_line_is_told_to_people_too(shell: Shell) -> None:
    result = shell.run("track", "--file", "-", stdin=WRONG)

    assert result.exit_code == 2
    assert "-:2: ice.production/a: refused: region: regions look like cn-shanghai" in result.stderr
    assert result.stdout == "1 announced, 6 refused\n"


def test_a_run_can_be_repeated_and_goes_on_where_it_ended(shell: Shell) -> None:
    lines = [b"%d" % number for number in range(450)]
    first = shell.json(
        "track", "mts.production", "--file", "-", "--json", stdin=b"job_id\n" + b"\n".join(lines[:300])
    )
    second = shell.json(
        "track", "mts.production", "--file", "-", "--json", stdin=b"job_id\n" + b"\n".join(lines)
    )

    assert first["announced"] == 300
    assert (second["announced"], second["known"]) == (150, 300)


def test_nothing_to_announce_is_no_error(shell: Shell) -> None:
    assert shell.run("track", "--file", "-", stdin=b"").stdout == "nothing to announce\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "--file"),
        (("ice.production",), "--file"),
        (("ice.production", "a", "--file", "jobs"), "--file"),
        (("vod.transcode", "a"), "vod.media_audit"),
        (("ice.production", "a", "--region", "CN Shanghai"), "regions look like"),
        (("ice.production", "a", "--user-id", "someone"), "account ids are numbers"),
        (("ice.production", "--file", "nowhere"), "nowhere"),
    ],
)
def test_wrong_use_is_told_before_anything_is_written(
    shell: Shell, words: tuple[str, ...], says: str
) -> None:
    result = shell.run("track", *words)

    assert result.exit_code == 2
    assert says in result.stderr
    assert not (shell.folder / "media-ledger-data").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"kind,job\n", "-:1: columns can be kind, job_id"),
        (b"job_id,job_id\n", "each once"),
        (b"kind;job_id\n", "neither CSV"),
        (b"\n\njob_id\n", "-:3: there is no column kind"),
        (b"kind\n", "no column job_id"),
        (b"\xff\n", "neither CSV"),
    ],
)
def test_a_table_whose_heading_is_wrong_is_refused_as_a_whole(
    shell: Shell, content: bytes, says: str
) -> None:
    result = shell.run("track", "--file", "-", stdin=content)

    assert result.exit_code == 2
    assert says in result.stderr


def test_a_ledger_that_does_not_answer_ends_the_run_with_status_3(shell: Shell) -> None:
    shell.json("track", "mts.production", "a", "--json")
    with closing(sqlite3.connect("media-ledger-data/ledger.db")) as database:
        database.execute("CREATE TRIGGER t BEFORE INSERT ON jobs BEGIN INSERT INTO nowhere VALUES (1); END")
    lines = b"\n".join(b"%d" % number for number in range(450))
    result = shell.run("track", "mts.production", "--file", "-", "--json", stdin=b"job_id\n" + lines)
    told = json.loads(result.stdout)

    assert result.exit_code == 3
    assert 0 < told["not_stored"] < 450
    assert told["failed"][0]["place"] == "-:2"
    assert "the ledger file did not answer" in told["failed"][0]["reason"]


def test_progress_is_drawn_on_a_terminal(shell: Shell) -> None:
    shell.env["FORCE_COLOR"] = "1"
    result = shell.run("track", "ice.production", "a", "b")

    assert "2 jobs" in result.stderr
    assert "jobs" not in result.stdout


def test_no_progress_is_drawn_where_nobody_watches(shell: Shell) -> None:
    assert shell.run("track", "ice.production", "a").stderr == ""
