"""`replay`: a ledger that an older release made, and what this one makes of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cli.local_ledger import environment
from cli.replay_workers import Wish, in_processes
from shared import bootstrap, effects, intake
from shared.adapters.local.file_clock import FileClock
from shared.errors import TemporaryError
from shared.policy import DAY
from shared.ports import Change, Services
from shared.replay.selection import Batch, Cursor
from shared.replay.tally import Tally
from shared.settings import Settings
from shared.tables import JOBS as JOBS_TABLE
from tests.cli.conftest import NOON, Shell
from tests.newer_kinds import suggesting, with_normalizer
from tests.scripted_vendor import ScriptedMediaApi, answer, callback
from tests.world import KIND, ref

DATA = Path("data")
ALL = ("--dir", "data", "--since", "2025-11-20")
JOBS = 5


@dataclass(frozen=True)
class OldLedger:
    """What a release left behind whose normalizer, of version 0, said `block` of everything."""

    shell: Shell

    @contextmanager
    def opened(self) -> Iterator[Services]:
        settings = {**environment(DATA), **self.shell.env}
        with closing(_Closing(bootstrap.build(Settings.read(settings)))) as held:
            kinds = with_normalizer(KIND, suggesting("block"), version=0)
            yield replace(held.services, kinds=kinds, media_api=ScriptedMediaApi())

    def settle(self, number: int) -> None:
        with self.opened() as services:
            name = f"job-{number}"
            assert isinstance(services.media_api, ScriptedMediaApi)
            services.media_api.know(name, answer(name))
            intake.take_in(services, callback(name))
            effects.drain(services, ref(name).key)

    def versions(self) -> list[Any]:
        return [
            (one["suggestion"], one["labels"])
            for one in sorted(self.shell.json("jobs", "--dir", "data", "--json")["jobs"], key=str)
        ]


@dataclass(frozen=True)
class _Closing:
    services: Services

    def close(self) -> None:
        bootstrap.close(self.services)


@pytest.fixture
def ledger(shell: Shell) -> OldLedger:
    FileClock(shell.folder / "clock").set(NOON)
    shell.env = {"LEDGER_CLOCK": str(shell.folder / "clock")}
    made = OldLedger(shell)
    for number in range(JOBS):
        made.settle(number)
        FileClock(shell.folder / "clock").sleep(DAY)
    return made


def told(shell: Shell, *words: str, status: int = 0) -> Any:
    result = shell.run("replay", *words, "--json")
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


@pytest.mark.disable_socket
def test_a_newer_release_gives_every_job_a_new_version_without_any_network(
    shell: Shell, ledger: OldLedger
) -> None:
    assert ledger.versions() == [("block", ["ad"])] * JOBS

    first = told(shell, *ALL)
    assert (first["outcomes"], first["written"]) == ({"moved": JOBS}, True)
    assert ledger.versions() == [("pass", [])] * JOBS
    assert told(shell, *ALL)["outcomes"] == {"unchanged": JOBS}


def test_processes_share_the_work(shell: Shell, ledger: OldLedger) -> None:
    assert told(shell, *ALL, "--processes", "2")["outcomes"] == {"moved": JOBS}
    assert ledger.versions() == [("pass", [])] * JOBS


def test_processes_compare_as_one_does(shell: Shell, ledger: OldLedger) -> None:
    assert told(shell, *ALL, "--against", "--processes", "2") == told(shell, *ALL, "--against")


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        (("--kind", KIND), 5),
        (("--kind", "ice.production"), 0),
        (("--since", "2025-11-22"), 3),
        (("--since", "2025-11-21", "--until", "2025-11-22"), 2),
        (("--until", "2025-11-20"), 1),
        (("--job", "job-1", "--job", f"{KIND}/job-3"), 2),
    ],
)
def test_jobs_are_chosen_by_name_kind_or_day(
    shell: Shell, ledger: OldLedger, words: tuple[str, ...], jobs: int
) -> None:
    assert told(shell, "--dir", "data", *words)["jobs"] == jobs
    assert ledger.versions().count(("pass", [])) == jobs


@pytest.mark.parametrize("how", ["--dry-run", "--against"])
def test_whoever_only_looks_changes_nothing(shell: Shell, ledger: OldLedger, how: str) -> None:
    before = {path: path.read_bytes() for path in DATA.rglob("archive/**/*") if path.is_file()}
    seen = told(shell, *ALL, how)

    assert (seen["outcomes"], seen["written"]) == ({"moved": JOBS}, False)
    assert {path: path.read_bytes() for path in DATA.rglob("archive/**/*") if path.is_file()} == before
    assert ledger.versions() == [("block", ["ad"])] * JOBS


def test_what_would_differ_is_told_by_field_and_verdict(shell: Shell, ledger: OldLedger) -> None:
    changes = told(shell, *ALL, "--against")["changes"]

    assert [(one["field"], one["before"], one["after"], one["jobs"]) for one in changes] == [
        ("verdict.labels[]", "ad", "absent", JOBS),
        ("verdict.suggestion", "block", "pass", JOBS),
    ]
    assert set(changes[0]["examples"]) == {ref(f"job-{number}").key for number in range(JOBS)}


def test_people_read_the_same_as_a_table_and_as_a_page(shell: Shell, ledger: OldLedger) -> None:
    result = shell.run("replay", *ALL, "--against", "--html", "page.html")
    page = Path("page.html").read_text(encoding="utf-8")

    assert result.exit_code == 0
    assert "5 jobs change suggestion block → pass" in result.stdout
    assert "5 jobs: 5 would get a new version" in result.stdout
    assert "<td>verdict.suggestion</td><td>block → pass</td>" in page
    assert ref("job-0").key in page


def test_nothing_is_told_of_nothing(shell: Shell, ledger: OldLedger) -> None:
    told(shell, *ALL)
    result = shell.run("replay", *ALL, "--against", "--html", "page.html")

    assert result.stdout == "5 jobs: 5 unchanged\n"
    assert Path("page.html").read_text(encoding="utf-8").count("Nothing.") == 2
    assert shell.run("replay", "--dir", "data", "--since", "2031-01-01").stdout == "no jobs\n"


def test_a_raw_answer_that_is_gone_needs_a_person(shell: Shell, ledger: OldLedger) -> None:
    gone = next(DATA.glob(f"archive/raw/{KIND}/job-1/*"))
    gone.unlink()
    result = shell.run("replay", *ALL)

    assert result.exit_code == 1
    assert f"missing: {ref('job-1').key}: ObjectNotFoundError" in result.stdout
    assert "5 jobs: 1 missing, 4 got a new version" in result.stdout


def test_a_job_that_somebody_works_on_comes_later(shell: Shell, ledger: OldLedger) -> None:
    with ledger.opened() as services:
        holding: Change = {"holder": "somebody", "lease_until": NOON}
        assert services.ledger.update(JOBS_TABLE, (ref("job-1").key,), holding, [])

    assert told(shell, *ALL, status=3)["outcomes"] == {"busy": 1, "moved": JOBS - 1}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "say what to replay"),
        (("--job", "job-1", "--since", "2025-11-20"), "say what to replay"),
        (("--kind", "vod"), "unknown kind vod"),
        (("--since", "2025-11-21", "--until", "2025-11-20"), "--since is after --until"),
        (("--since", "2025-11-20", "--against", "--deliver"), "--deliver goes with neither"),
        (("--since", "2025-11-20", "--html", "x.html"), "--html goes with --against"),
        (("--job", "job-1", "--shards", "2"), "--shards goes with none of"),
        (("--since", "2025-11-20", "--shards", "2"), "--shards needs LEDGER_INVOKER"),
    ],
)
def test_what_contradicts_itself_is_refused_before_anything_is_written(
    shell: Shell, words: tuple[str, ...], complaint: str
) -> None:
    result = shell.run("replay", *words)

    assert result.exit_code == 2
    assert complaint in result.output
    assert not DATA.exists()


class Killing(Wish):
    """A wish that ends the process which is to fulfil it."""

    def do(self, services: Services, keys: Sequence[str]) -> Tally:
        """See `Wish.do`."""
        os._exit(9)


def test_a_process_that_ends_without_a_word_is_told_and_stops_all_of_it(
    shell: Shell, ledger: OldLedger
) -> None:
    settings = {**environment(DATA), **shell.env}

    with (
        in_processes(settings, Killing(), 1) as work,
        pytest.raises(TemporaryError, match="run the same command"),
    ):
        list(work([Batch(["job"], Cursor(("2025-11-20", "0"), None))]))
