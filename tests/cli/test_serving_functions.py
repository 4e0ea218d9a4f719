"""`serve` as a user has it: functions in their processes, started by what a vendor or a client sends."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from shared import bootstrap
from shared.job_row import JobRow, read_job
from shared.jobs import JobRef
from shared.ports import Services
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
RUN = "from cli.main import main; main()"
PATIENCE_S = 60
VOD_KEY = "a-key-of-our-own"


@dataclass(frozen=True)
class Served:
    """A running `serve`, and a client of what it serves."""

    process: subprocess.Popen[bytes]
    told: dict[str, Any]
    services: Services
    log: Path

    def row(self, job_id: str) -> JobRow:
        """Wait until a review is known."""
        until = time.monotonic() + PATIENCE_S
        while (row := read_job(self.services.ledger, JobRef("vod.media_audit", job_id).key)) is None:
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.02)
        return row

    def workers(self) -> list[str]:
        """List the processes that it started."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return [pid for task in tasks for pid in (task / "children").read_text().split()]


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[Served]:
    """Serve from a shell whose own settings would break every function."""
    log = folder / "functions.log"
    command = [
        sys.executable,
        "-c",
        RUN,
        "serve",
        "--json",
        "--dir",
        str(folder / "cloud"),
        "--log",
        str(log),
    ]
    shell = {**os.environ, "LEDGER_WORKERS": "0", "LEDGER_OBJECTS": "file:///nowhere"}
    with subprocess.Popen([*command, *words], cwd=ROOT, stdout=subprocess.PIPE, env=shell) as process:
        try:
            assert process.stdout
            told = json.loads(process.stdout.readline())
            services = bootstrap.build(Settings.read(told["environment"]))
            try:
                yield Served(process, told, services, log)
            finally:
                bootstrap.close(services)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve for several tests."""
    with serving(tmp_path_factory.mktemp("serve"), "--set", f"LEDGER_VOD_CALLBACK_KEY={VOD_KEY}") as one:
        yield one


def callback(job_id: str) -> str:
    told = {"EventType": "AIMediaAuditComplete", "JobId": job_id, "Status": "success", "MediaId": "m"}
    return json.dumps({**told, "EventTime": "2026-11-20T12:00:10Z"})


def into_the_queue(served: Served, job_id: str) -> None:
    deadline = served.services.clock.now() + 10_000
    served.services.queues.send("media-ledger-callbacks", callback(job_id), deadline=deadline)


def to_the_topic(served: Served, job_id: str) -> None:
    deadline = served.services.clock.now() + 10_000
    served.services.queues.publish("media-ledger-callbacks", callback(job_id), deadline=deadline)


def over_http(served: Served, job_id: str) -> None:
    url, now = f"{served.told['urls']['webhook']}/vod", str(int(time.time()))
    signature = hashlib.md5(f"{url}|{now}|{VOD_KEY}".encode()).hexdigest()
    headers = {"X-VOD-TIMESTAMP": now, "X-VOD-SIGNATURE": signature}
    assert requests.post(url, data=callback(job_id), headers=headers, timeout=PATIENCE_S).status_code == 200


def by_an_announcement(served: Served, job_id: str) -> None:
    job = json.dumps({"kind": "vod.media_audit", "job_id": job_id}).encode()
    served.services.invoker.invoke("track", job, task_id=job_id)


@pytest.mark.parametrize(
    ("send", "seen_by"),
    [
        (into_the_queue, "mns-queue"),
        (to_the_topic, "mns-topic"),
        (over_http, "http"),
        (by_an_announcement, "track"),
    ],
)
def test_what_is_sent_starts_a_function(
    served: Served, send: Callable[[Served, str], None], seen_by: str
) -> None:
    job_id = f"job-{seen_by}"
    send(served, job_id)

    assert served.row(job_id).text("first_seen_by") == seen_by


def test_the_log_names_the_function_of_each_line(served: Served) -> None:
    by_an_announcement(served, "job-logged")
    served.row("job-logged")

    assert "\ntrack: FC Invoke Start RequestId" in served.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_it_started_outlives_it(tmp_path: Path, number: int) -> None:
    with serving(tmp_path) as one:
        by_an_announcement(one, "job-1")
        one.row("job-1")
        workers = one.workers()
        one.process.send_signal(number)
        one.process.wait(PATIENCE_S)

    until = time.monotonic() + PATIENCE_S  # one that is told to end by the end of its host takes a moment
    while any(is_running(pid) for pid in workers):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert workers


def is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_console_lets_in_who_has_the_token_that_is_told(served: Served) -> None:
    url, token = served.told["urls"]["console"], served.told["console_token"]
    header = {"Authorization": f"Bearer {token}"}
    answers = [
        requests.get(url, headers=header, timeout=PATIENCE_S),
        requests.get(url, cookies={"media_ledger_token": token}, timeout=PATIENCE_S),
        requests.get(url, timeout=PATIENCE_S),
        requests.get(url, headers={"Authorization": f"Bearer {token[:-8]}AAAAAAAA"}, timeout=PATIENCE_S),
        requests.post(url, headers=header, timeout=PATIENCE_S),
    ]

    assert [one.status_code for one in answers] == [200, 200, 403, 403, 405]
    assert "Overview" in answers[0].text
