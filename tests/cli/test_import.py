"""`import`: folders and buckets of stored answers, and lists of jobs."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shared.kinds import KINDS
from tests.cli.conftest import Shell
from tests.scripted_vendor import answer, callback
from tests.shared.adapters.oss_on_the_wire import BUCKET, OWN, REGION, oss_on_the_wire

ANSWERS = Path(__file__).parents[1] / "data" / "answers"


@pytest.fixture
def old(shell: Shell) -> Path:
    """Give the folder in which an older pipeline kept what the vendor answered."""
    folder = shell.folder / "old"
    (folder / "2024").mkdir(parents=True)
    for number in range(3):
        (folder / "2024" / f"{number}.json").write_bytes(answer(f"job-{number}", suggestion="block"))
    return folder


def test_a_folder_of_answers_becomes_jobs_with_their_verdicts(shell: Shell, old: Path) -> None:
    told = shell.json("import", "--raw", str(old), "--region", "cn-shanghai", "--json")
    jobs = shell.json("jobs", "--json")["jobs"]

    assert (told["imported"], told["reasons"], told["last"]) == (3, [], "2024/2.json")
    assert {(one["job_id"], one["state"], one["suggestion"]) for one in jobs} == {
        (f"job-{number}", "succeeded", "block") for number in range(3)
    }


def test_nothing_is_written_where_the_answers_are(shell: Shell, old: Path) -> None:
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}

    shell.json("import", "--raw", str(old), "--json")

    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before


def test_what_is_no_answer_is_counted_by_reason_and_stops_nothing(shell: Shell, old: Path) -> None:
    (old / "broken.json").write_bytes(b'{"MediaAuditJob": ')
    (old / "callback.json").write_bytes(callback("job-9").body)
    for number in range(7):
        (old / f"notes-{number}.txt").write_text("{}")

    result = shell.run("import", "--raw", str(old), "--json")
    told: dict[str, Any] = json.loads(result.stdout)

    assert (result.exit_code, told["imported"], told["unreadable"]) == (1, 3, 9)
    assert [(one["files"], len(one["examples"])) for one in told["reasons"]] == [(7, 5), (1, 1), (1, 1)]
    assert "not an answer of a known kind" in told["reasons"][0]["reason"]


def test_a_person_reads_counts_and_examples(shell: Shell, old: Path) -> None:
    (old / "callback.json").write_bytes(callback("job-9").body)

    result = shell.run("import", "--raw", str(old))

    assert result.stdout == "3 imported, 1 unreadable\n"
    assert "a notification" in result.stderr
    assert "callback.json" in result.stderr


def test_run_again_it_records_nothing_twice_and_goes_on_where_it_is_told_to(shell: Shell, old: Path) -> None:
    shell.json("import", "--raw", str(old), "--json")
    (old / "2024" / "3.json").write_bytes(answer("job-3"))

    behind = shell.json("import", "--raw", str(old), "--after", "2024/1.json", "--json")
    again = shell.json("import", "--raw", str(old), "--json")

    assert (behind["imported"], behind["known"]) == (1, 1)
    assert (again["imported"], again["known"]) == (0, 4)


def test_a_rehearsal_writes_nothing(shell: Shell, old: Path) -> None:
    result = shell.run("import", "--raw", str(old), "--dry-run")

    assert result.stdout == "would become: 3 imported\n"
    assert shell.json("jobs", "--json")["jobs"] == []


def test_another_answer_about_a_settled_job_is_told_and_changes_nothing(shell: Shell, old: Path) -> None:
    shell.json("import", "--raw", str(old), "--json")
    (old / "2024" / "0.json").write_bytes(answer("job-0", suggestion="pass"))

    result = shell.run("import", "--raw", str(old), "--json")
    told = json.loads(result.stdout)

    assert (result.exit_code, told["known"], told["differs"]) == (1, 2, 1)
    assert told["reasons"][0]["reason"] == "the stored answer says succeeded/pass, the ledger succeeded/block"


def test_answers_about_one_job_are_taken_in_by_their_names(shell: Shell) -> None:
    folder = shell.folder / "polls"
    folder.mkdir()
    (folder / "1.json").write_bytes(answer("job", "processing", suggestion=None))
    (folder / "2.json").write_bytes(answer("job", suggestion="review"))
    (folder / "3.json").write_bytes(answer("job", suggestion="review").replace(b'"r"', b'"another request"'))

    told = shell.json("import", "--raw", str(folder), "--json")

    assert (told["unfinished"], told["imported"], told["known"]) == (1, 1, 1)


def test_all_kinds_and_both_formats_are_told_apart(shell: Shell) -> None:
    folder = shell.folder / "mixed"
    folder.mkdir()
    for kind, case in {
        "vod.media_audit": "new-page/answer.xml",
        "mts.video_quality": "page-summary/answer.json",
        "mts.production": "cover/answer.xml",
        "ice.production": "cover/answer.json",
    }.items():
        source = ANSWERS / kind / case
        shutil.copy(source, folder / f"{kind}{source.suffix}")

    shell.json("import", "--raw", str(folder), "--json")

    assert {one["kind"] for one in shell.json("jobs", "--json")["jobs"]} == set(KINDS)


def test_the_file_of_a_quality_review_is_read_beside_its_answer(shell: Shell) -> None:
    case = ANSWERS / "mts.video_quality" / "file-in-place-of-summary"
    folder = shell.folder / "reviews"
    folder.mkdir()
    shutil.copy(case / "answer.json", folder / "one.json")
    shutil.copy(case / "output.txt", folder / "one.output.txt")

    told = shell.json("import", "--raw", str(folder), "--json")
    job = shell.json("jobs", "--json")["jobs"][0]["job"]
    record = shell.json("show", job, "--json")["record"]

    assert (told["imported"], told["unreadable"]) == (1, 0)
    assert record == json.loads((case / "record.json").read_bytes())


def test_a_folder_in_a_bucket_is_read_as_one_here(shell: Shell) -> None:
    with oss_on_the_wire(shell.folder / "buckets") as oss:
        with closing(oss.objects()) as objects:
            for key in ("kept/2024/1.json", "kept-too.json"):
                objects.put(key, answer(key), content_type="application/json")
        shell.env = {
            "LEDGER_ENDPOINTS": f"oss={oss.endpoint}",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": OWN.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": OWN.access_key_secret,
        }
        told = shell.json("import", "--raw", f"oss://{BUCKET}/kept/?region={REGION}", "--json")

    assert (told["imported"], told["unreadable"], told["last"]) == (1, 0, "2024/1.json")


def test_a_list_of_jobs_is_announced(shell: Shell) -> None:
    lines = b"kind,job_id\nvod.media_audit,job-1\nvod.media_audit,job-2\n"

    told = shell.json("import", "--jobs", "-", "--region", "cn-shanghai", "--json", stdin=lines)

    assert (told["announced"], told["failed"]) == (2, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say what to import"),
        (("--raw", "a", "--jobs", "b"), "say what to import"),
        (("--jobs", "b", "--dry-run"), "--after and --dry-run go with --raw"),
        (("--raw", "nowhere"), "--raw: nowhere is no folder"),
        (("--raw", "oss://bucket"), "name the folder in the bucket"),
        (("--raw", "oss://bucket/folder"), "needs a region"),
        (("--raw", ".", "--kind", "vod.audit"), "unknown kind vod.audit"),
        (("--raw", ".", "--region", "!"), "region"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    shell: Shell, words: tuple[str, ...], said: str
) -> None:
    result = shell.run("import", *words)

    assert (result.exit_code, list(shell.folder.iterdir())) == (2, [])
    assert said in result.stderr
