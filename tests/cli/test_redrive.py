"""`redrive`: a person looks at dead letters, and puts them back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cli.redriving import RunsHere
from localcloud.mns.faults import BROKEN, Fault
from shared.errors import TemporaryError
from tests.cli.conftest import KEY, LocalVendor, Shell
from tests.localcloud.mns.worlds import OWN
from tests.shared.adapters.mns_on_the_wire import MnsOnTheWire, mns_on_the_wire
from tests.shared.test_dead_letters import envelope

DEAD = "media-ledger-dead-letters"
NOBODY = envelope("deliver", '{"jobs":[]}')


@pytest.fixture
def mns(shell: Shell, vendor: LocalVendor) -> Iterator[MnsOnTheWire]:
    """Give queues of dead letters that the shell knows, and a ledger that has a job."""
    track = shell.folder / "track.json"
    track.write_text(json.dumps({"kind": "vod.media_audit", "job_id": "job-0"}))
    with mns_on_the_wire(DEAD, "other", keys=[OWN, KEY]) as running:
        shell.env |= {"LEDGER_MNS": running.endpoint, "LEDGER_DEAD_LETTERS": f"{DEAD},other"}
        assert shell.run("track", "--file", str(track)).exit_code == 0
        yield running


def callback(job_id: str) -> str:
    """Write what lies in a queue of callbacks."""
    return json.dumps({"EventType": "AIMediaAuditComplete", "JobId": job_id, "Status": "success"})


def letters(shell: Shell, *words: str) -> list[dict[str, Any]]:
    """Run the command, which must succeed, and give what it tells of each letter."""
    listed = shell.json("redrive", "--json", *words)["dead_letters"]
    assert isinstance(listed, list)
    return listed


def put(mns: MnsOnTheWire, *bodies: str, queue: str = DEAD) -> None:
    for body in bodies:
        mns.queues.send(queue, body, deadline=mns.deadline)


def audits(shell: Shell) -> list[dict[str, Any]]:
    folder = shell.folder / "media-ledger-data" / "archive" / "audit" / "redrive"
    return [json.loads(path.read_bytes()) for path in sorted(folder.rglob("*.json"))]


def test_it_lists_what_lies_in_the_queues_with_reasons_and_leaves_it_there(
    shell: Shell, mns: MnsOnTheWire
) -> None:
    put(mns, NOBODY, callback("job-1"), "nobody knows this")
    put(mns, NOBODY, queue="other")

    listed = letters(shell)
    assert [(one["queue"], one["function"], one["outcome"]) for one in listed] == [
        (DEAD, "deliver", "lies there"),
        (DEAD, "callback", "lies there"),
        (DEAD, None, "unknown"),
        ("other", "deliver", "lies there"),
    ]
    assert listed[0]["reason"].startswith("UnhandledInvocationError; StoreUnavailableError")
    assert len(letters(shell)) == 4
    assert audits(shell) == []


def test_a_callback_that_is_put_back_settles_its_job(
    shell: Shell, mns: MnsOnTheWire, vendor: LocalVendor
) -> None:
    job_id = vendor.submit()
    vendor.clock.set(vendor.clock.now() + 60_000)
    put(mns, callback(job_id))

    (told,) = letters(shell, "--apply", "--by", "somebody")
    assert told["outcome"] == "put back"
    assert shell.json("show", job_id, "--json")["job"]["state"] == "succeeded"
    (audit,) = audits(shell)
    assert (audit["by"], audit["queue"], audit["jobs"]) == ("somebody", DEAD, told["jobs"])
    assert letters(shell) == []


def test_people_see_a_table(shell: Shell, mns: MnsOnTheWire) -> None:
    put(mns, NOBODY, "nobody [b]knows this")

    ran = shell.run("redrive")
    assert ran.exit_code == 0
    assert "deliver" in ran.stdout
    assert "nobody here can read it" in ran.stdout.replace("\n", " ")
    assert "no dead letters" in shell.run("redrive", "other").stdout


@pytest.mark.parametrize("only", ["vod.media_audit/job-1", "job-1", "callback"])
def test_only_what_is_asked_for_is_put_back(shell: Shell, mns: MnsOnTheWire, only: str) -> None:
    put(mns, NOBODY, callback("job-1"))

    (told,) = letters(shell, "--apply", "--only", only)
    assert told["function"] == "callback"
    assert [one["function"] for one in letters(shell)] == ["deliver"]


def test_what_is_no_name_of_a_job_can_be_asked_for_too(shell: Shell, mns: MnsOnTheWire) -> None:
    put(mns, envelope("deliver", '{"jobs":["no key"]}'), NOBODY)

    assert [one["jobs"] for one in letters(shell, "--only", "no key")] == [["no key"]]


def test_one_queue_is_looked_into_where_only_one_is_meant(shell: Shell, mns: MnsOnTheWire) -> None:
    put(mns, NOBODY)
    put(mns, NOBODY, NOBODY, queue="other")

    assert len(letters(shell, "--only", "other", "--limit", "1")) == 1
    assert len(letters(shell, DEAD)) == 1


def test_what_nobody_can_tell_needs_a_person(shell: Shell, mns: MnsOnTheWire) -> None:
    put(mns, "nobody knows this", NOBODY)

    ran = shell.run("redrive", "--apply", "--json")
    assert ran.exit_code == 1
    assert [one["outcome"] for one in json.loads(ran.stdout)["dead_letters"]] == ["left", "put back"]


def test_what_is_refused_again_leaves_its_letter(shell: Shell, mns: MnsOnTheWire) -> None:
    put(mns, envelope("deliver", '{"jobs":[]}'))
    shell.env["LEDGER_INVOKER"] = "fc3:?prefix=media-ledger-&account=1000000000000001"
    shell.env["LEDGER_REGION"] = "cn-shanghai"
    shell.env["LEDGER_ENDPOINTS"] += ",fc=http://127.0.0.1:9"

    ran = shell.run("redrive", "--apply", "--json")
    assert ran.exit_code == 3
    (told,) = json.loads(ran.stdout)["dead_letters"]
    assert (told["outcome"], audits(shell)) == ("failed", [])
    assert "cannot be reached" in told["reason"]
    assert len(letters(shell)) == 1


def test_a_function_that_fails_here_has_not_taken_its_event(shell: Shell) -> None:
    with pytest.raises(TemporaryError, match="failed again"):
        RunsHere({}).invoke("deliver", b'{"jobs":[]}', task_id="redrive-1")


def test_what_was_done_is_told_even_if_the_rest_fails(shell: Shell, mns: MnsOnTheWire) -> None:
    put(mns, NOBODY)

    ran = shell.run("redrive", DEAD, "no-such-queue", "--apply", "--json")
    assert ran.exit_code == 2
    assert len(json.loads(ran.stdout)["dead_letters"]) == 1
    assert "check the name" in ran.stderr


def test_of_a_queue_that_is_not_there_nothing_is_told(shell: Shell, mns: MnsOnTheWire) -> None:
    ran = shell.run("redrive", "no-such-queue")

    assert (ran.exit_code, ran.stdout) == (2, "")


def test_a_service_that_is_away_is_asked_later(shell: Shell, mns: MnsOnTheWire) -> None:
    mns.service.faults.plan(Fault(BROKEN))

    assert shell.run("redrive").exit_code == 3


@pytest.mark.parametrize(
    ("missing", "complaint"), [("LEDGER_DEAD_LETTERS", "say which queues"), ("LEDGER_MNS", "set LEDGER_MNS")]
)
def test_a_missing_setting_is_named(shell: Shell, mns: MnsOnTheWire, missing: str, complaint: str) -> None:
    del shell.env[missing]

    ran = shell.run("redrive")
    assert ran.exit_code == 2
    assert complaint in ran.stderr.replace("\n", " ")


def test_a_shell_without_a_user_must_say_who_it_is(
    shell: Shell, mns: MnsOnTheWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    ran = shell.run("redrive", "--apply")
    assert ran.exit_code == 2
    assert "--by" in ran.stderr
