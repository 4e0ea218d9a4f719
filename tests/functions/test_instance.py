"""What an instance does when it starts, and before it ends."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from functions import instance
from localcloud.cloud import LocalCloud
from localcloud.media.vod import Vod
from shared import bootstrap
from shared.adapters.clocks import ManualClock, SystemClock
from shared.bootstrap.preparation import prepare
from shared.settings import Settings
from shared.toolkit import InvocationContext, fake_context

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "events" / "callback" / "queue-array.json"
START = """
import gc, sys
from functions import instance
instance.initialize(None)
print(gc.get_threshold()[0], *(name for name in sys.modules if name.startswith("shared")))
"""
WORK = """
import gc, json, sys
from functions import instance
from shared.toolkit import fake_context
instance.initialize(None)
from functions.callback.handler import handler
for number, event in enumerate(sys.stdin, 1):
    answer = handler(event.encode(), fake_context())
    assert answer["receipts"][0]["did"] == "settled", answer
    if number % 30 == 0:
        gc.collect()
        print("kept", len(gc.get_objects()))
"""


def callback(vod: Vod) -> str:
    """Finish a job, and make the event of a queue that holds its callback."""
    submit = next(action for action in vod.actions() if action.name.startswith("Submit"))
    job = submit.handle({"MediaId": "media-1"})
    assert isinstance(job, dict)
    (message,) = json.loads(SAMPLE.read_text(encoding="utf-8"))[:1]
    body = {**json.loads(message["data"]["messageBody"]), "JobId": job["JobId"]}
    message["data"].update(messageId=job["JobId"], messageBody=json.dumps(body))
    return json.dumps([message])


def test_an_instance_looks_for_garbage_less_often_before_anything_of_ours_is_loaded() -> None:
    command = [sys.executable, "-c", START]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()

    assert told == ["100000"]


def test_what_an_instance_opened_is_closed_before_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_OBJECTS", f"file://{tmp_path}/archive")
    monkeypatch.setenv("LEDGER_TABLES", f"sqlite://{tmp_path}/ledger.db")
    context = InvocationContext.of(fake_context(), started_ms=SystemClock().now(), environ={})
    # SQLite keeps this file for as long as its connection is open.
    kept_while_open = tmp_path / "ledger.db-wal"

    bootstrap.for_invocation(context)
    assert kept_while_open.exists()

    instance.pre_stop(fake_context())
    assert not kept_while_open.exists()


def test_an_instance_that_was_never_called_ends() -> None:
    instance.pre_stop(fake_context())


def test_an_instance_keeps_nothing_of_the_callbacks_that_it_settled(tmp_path: Path) -> None:
    clock = ManualClock(SystemClock().now())
    vod = Vod(clock=clock)
    events = [callback(vod) for _ in range(90)]
    clock.advance(60_000)
    with LocalCloud(tmp_path, lambda name: bytes, actions=vod.actions()) as cloud:
        prepare(Settings.read(cloud.environment()))
        told = subprocess.run(
            [sys.executable, "-c", WORK],
            cwd=ROOT,
            env={**cloud.environment(), "LEDGER_CALL_RATES": "vod=100000"},
            input="\n".join(events),
            check=True,
            capture_output=True,
            text=True,
        )
    kept = [int(number) for number in re.findall(r"^kept (\d+)$", told.stdout, re.MULTILINE)]

    # Not one object for each of the sixty in between.
    assert kept[2] - kept[0] < 60
