"""The whole local cloud: commands and functions on its stores do what they do on a folder."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.demonstration import TEMPLATE
from cli.local_ledger import as_environment
from localcloud.cloud import LocalCloud
from localcloud.media.vod import Outcome, Vod
from localcloud.runner import InProcessRunner
from localcloud.template import read_template
from shared import bootstrap
from shared.adapters.clocks import SystemClock
from shared.adapters.local.file_clock import FileClock
from shared.job_row import read_job
from shared.jobs import JobRef, State
from shared.settings import Settings
from shared.vendor import ApiRequest
from tests.cli.conftest import DATA, Shell

ROOT = Path(__file__).parents[2]

RUN = "from cli.main import main; main()"
FOLDERS = ("records", "versions")  # every raw answer has a request id of its own


@dataclass
class Wire:
    """A local cloud whose vendor knows one finished job."""

    job_id: str
    settings: dict[str, str]
    clock: FileClock
    executed: threading.Event
    """That some task was executed."""


@pytest.fixture
def wire(shell: Shell) -> Iterator[Wire]:
    """Serve a local cloud; the shell's settings point at its media APIs alone."""
    clock = FileClock(shell.folder / "clock")
    clock.set(SystemClock().now())
    vod = Vod(clock=clock, outcomes={"media-1": Outcome("success", data=DATA)}, job_ids=iter(["job-1"]))
    submit = next(action for action in vod.actions() if action.name.startswith("Submit"))
    submit.handle({"MediaId": "media-1"})
    clock.sleep(10_000)
    runner, executed = InProcessRunner(read_template(TEMPLATE)), threading.Event()

    def resolve(name: str) -> Callable[[bytes], object]:
        function = runner.resolve(name)

        def execute(event: bytes) -> object:
            try:
                return function(event)
            finally:
                executed.set()

        return execute

    with LocalCloud(shell.folder / "cloud", resolve, media_clock=clock, actions=vod.actions()) as cloud:
        settings = {**cloud.environment(), "LEDGER_CLOCK": str(shell.folder / "clock")}
        shell.env = {
            name: value
            for name, value in settings.items()
            if name not in ("LEDGER_OBJECTS", "LEDGER_TABLES", "LEDGER_INVOKER")
        }
        yield Wire("job-1", settings, clock, executed)


@contextmanager
def on(shell: Shell, settings: dict[str, str]) -> Iterator[None]:
    """Run commands with these settings."""
    before, shell.env = shell.env, settings
    try:
        yield
    finally:
        shell.env = before


def archived(settings: dict[str, str]) -> dict[str, bytes]:
    """Give every object of an archive."""
    services = bootstrap.build(Settings.read(settings))
    try:
        return {key: services.objects.get(key) for folder in FOLDERS for key in services.objects.keys(folder)}
    finally:
        bootstrap.close(services)


def on_a_folder(shell: Shell) -> dict[str, str]:
    root = shell.folder / "media-ledger-data"
    return {
        **shell.env,
        "LEDGER_OBJECTS": f"file://{root}/archive",
        "LEDGER_TABLES": f"sqlite://{root}/ledger.db",
    }


def test_settle_over_the_wire_leaves_what_it_leaves_in_a_folder(shell: Shell, wire: Wire) -> None:
    settle = ("settle", "vod.media_audit", wire.job_id, "--json")
    with on(shell, wire.settings):
        made = shell.json("init", "--json")
        told = shell.json(*settle)

    # When to ask once more is drawn anew.
    assert {**shell.json(*settle), "next_at": told["next_at"]} == told
    assert "jobs" in made[1]["made"]
    stored = archived(wire.settings)
    assert stored == archived(on_a_folder(shell))
    assert any(key.startswith("records/") for key in stored)


def test_an_endpoint_on_the_command_line_leaves_those_of_the_stores(shell: Shell, wire: Wire) -> None:
    first, _, others = wire.settings["LEDGER_ENDPOINTS"].partition(",")
    product, _, media = first.partition("=")
    nowhere = {**wire.settings, "LEDGER_ENDPOINTS": f"{product}=http://127.0.0.1:9, {others}"}
    with on(shell, nowhere):
        shell.json("init", "--json")
        told = shell.json("settle", "vod.media_audit", wire.job_id, "--endpoint", media, "--json")

    assert (product, told["did"]) == ("vod", "settled")


def test_a_callback_over_the_wire_leaves_what_it_leaves_in_a_folder(shell: Shell, wire: Wire) -> None:
    event = shell.folder / "event.json"
    callback = {"EventType": "AIMediaAuditComplete", "JobId": wire.job_id, "Status": "success"}
    event.write_text(json.dumps({**callback, "EventTime": "2026-11-20T12:00:10Z", "MediaId": "media-1"}))
    invoke = ("invoke", "callback", "--event", str(event))
    with on(shell, wire.settings):
        shell.json("init", "--json")
        told = shell.json(*invoke)

    assert told == shell.json(*invoke)
    assert told["receipts"][0]["did"] == "settled"
    assert archived(wire.settings) == archived(on_a_folder(shell))


def test_a_job_that_is_handed_over_is_settled_by_the_function_that_is_invoked(
    shell: Shell, wire: Wire
) -> None:
    ref = JobRef("vod.media_audit", wire.job_id)
    with on(shell, wire.settings), as_environment(wire.settings):
        shell.json("init", "--json")
        shell.json("track", ref.kind, ref.job_id, "--json")
        wire.clock.sleep(11 * 60_000)  # until it is due
        services = bootstrap.build(Settings.read(wire.settings))
        services.invoker.invoke("reconcile", json.dumps({"jobs": [ref.key]}).encode(), task_id="a")

        assert wire.executed.wait(60)
        row = read_job(services.ledger, ref.key)
        bootstrap.close(services)

    assert row is not None
    assert row.state is State.SUCCEEDED


def test_serving_tells_scripts_where_and_ends_when_it_is_interrupted(shell: Shell) -> None:
    command = [sys.executable, "-c", RUN, "serve", "--json", "--dir", str(shell.folder / "cloud")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as serving:
        assert serving.stdout
        told = json.loads(serving.stdout.readline())
        shell.env = told["environment"]
        listed = shell.json("jobs", "--json")
        serving.send_signal(signal.SIGINT)
        _, complaints = serving.communicate(timeout=60)

    assert set(told["endpoints"]) == {"media", "oss", "ots", "mns", "fc", "evidence"}
    assert listed["jobs"] == []
    assert (serving.returncode, complaints) == (0, b"")


def test_what_was_served_is_there_when_it_is_served_again(shell: Shell, tmp_path: Path) -> None:
    kept: list[object] = []
    for _ in range(2):
        with LocalCloud(tmp_path / "again", {"none": bytes}.__getitem__) as cloud:
            shell.env = cloud.environment()
            kept.append([one["made"] for one in shell.json("init", "--json")])
            services = bootstrap.build(Settings.read(shell.env))
            kept.append(services.objects.put_new("raw/one", b"kept", content_type="text/plain"))
            bootstrap.close(services)

    assert kept[1:] == [True, [[], []], False]


def test_no_job_id_comes_again_when_it_is_served_again(tmp_path: Path) -> None:
    submission = ApiRequest("vod", "2017-03-21", "SubmitAIMediaAuditJob", {"MediaId": "media-1"})
    job_ids = set()
    for _ in range(2):
        with LocalCloud(tmp_path / "again", {"none": bytes}.__getitem__) as cloud:
            services = bootstrap.build(Settings.read(cloud.environment()))
            answer = services.media_api.call(submission, deadline=services.deadline)
            job_ids.add(json.loads(answer.part.body)["JobId"])
            bootstrap.close(services)

    assert len(job_ids) == 2


def test_a_folder_serves_one_cloud_at_a_time(shell: Shell) -> None:
    with LocalCloud(shell.folder / "cloud", {"none": bytes}.__getitem__):
        second = shell.run("serve", "--dir", str(shell.folder / "cloud"))

    assert second.exit_code == 2
    assert "served from there already: name another folder" in second.stderr


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--set", "LEDGER_DELIVERY"), "must look like LEDGER_LOG_LEVEL=DEBUG"),
        (("--set", "LEDGER_DELIVERYS={}"), "no such setting; did you mean LEDGER_DELIVERY?"),
        (("--set", "LEDGER_WORKERS=0"), "LEDGER_WORKERS: Input should be greater than or equal to 1"),
        (("--log", "missing/functions.log"), "the log cannot be written there: name another file"),
    ],
)
def test_a_wrong_option_is_said(shell: Shell, words: tuple[str, ...], reason: str) -> None:
    result = shell.run("serve", "--dir", str(shell.folder / "cloud"), *words)

    assert result.exit_code == 2
    assert reason in result.stderr


def test_a_folder_that_cannot_be_made_is_said(shell: Shell) -> None:
    (shell.folder / "file").touch()

    result = shell.run("serve", "--dir", str(shell.folder / "file"))

    assert result.exit_code == 2
    assert "no cloud can be kept there: name another folder" in result.stderr
