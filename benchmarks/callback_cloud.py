"""The local cloud of `callback.py`, in a process of its own: what it takes is nobody else's time.

    python benchmarks/callback_cloud.py

The first line of its output says where it is. Each line of the input is a JSON object, answered with a line:
`latency_ms` is how long every service waits before each answer from then on, and `media` with `count` submits
reviews that have ended, whose ids are the answer.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import ROOT
from localcloud.cloud import LocalCloud
from localcloud.media.vod import Outcome, Vod
from shared.adapters.clocks import ManualClock, SystemClock
from shared.bootstrap.preparation import prepare
from shared.settings import Settings

SAMPLES = ROOT / "events" / "callback" / "queue-array.json"
MEDIA = ("passed", "with a picture")
"""What the reviews of these samples say, in their order."""


def main() -> None:
    clock, latency_s = ManualClock(SystemClock().now()), 0.0
    vod = Vod(clock=clock, outcomes=dict(zip(MEDIA, _outcomes(), strict=True)))
    submit = next(action for action in vod.actions() if action.name.startswith("Submit"))

    def wait() -> None:
        time.sleep(latency_s)

    with (
        # In memory where that can be: a disk would be waited for, by whoever writes more.
        tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder,
        LocalCloud(Path(folder, "cloud"), _takes_all, actions=vod.actions(), wait=wait) as cloud,
    ):
        prepare(Settings.read(cloud.environment()))
        _tell({"environment": cloud.environment(), "endpoints": asdict(cloud.endpoints)})
        for line in sys.stdin:
            order = json.loads(line)
            latency_s = order.get("latency_ms", 1_000 * latency_s) / 1_000
            jobs = [submit.handle({"MediaId": order["media"]}) for _ in range(order.get("count", 0))]
            clock.advance(60_000)
            _tell([job["JobId"] for job in jobs if isinstance(job, dict)])


def _outcomes() -> list[Outcome]:
    messages = json.loads(SAMPLES.read_text(encoding="utf-8"))
    bodies = [json.loads(message["data"]["messageBody"]) for message in messages]
    return [Outcome("success", data=body["Data"]) for body in bodies]


def _takes_all(function: str) -> Callable[[bytes], object]:
    return len  # whoever is handed something over to takes it, and that is all


def _tell(told: object) -> None:
    print(json.dumps(told), flush=True)


main()
