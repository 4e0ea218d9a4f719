"""The demonstration: the real handlers, a local vendor, sample callbacks, and time that moves on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.parse import quote

from cli.demo_vendor import (
    KEYS,
    PACE,
    QUALITY_QUEUE,
    REGION,
    RESULTS,
    USER_ID,
    DemoVendor,
    Told,
    submission,
    told_by,
    without_callback,
)
from cli.local_ledger import as_environment, opened
from localcloud.media.server import MediaApiServer
from localcloud.runner import InProcessRunner
from localcloud.template import read_template
from shared.adapters.clocks import SystemClock
from shared.adapters.local.file_clock import FileClock
from shared.errors import PermanentError
from shared.policy import MINUTE, SECOND
from shared.ports import Services

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "events" / "callback"
TICK = ROOT / "events" / "reconcile" / "timer.json"
TEMPLATE = ROOT / "template.yml"

_MARKER = ".media-ledger-demo"

# Two jobs do not go as they should, so that the demonstration shows what happens then.
_EARLY = "queue-rawdata.json"  # its callback comes before the vendor has finished
_BROKEN = "topic-json-attributes.json"  # its query is answered with a page of some proxy
_BROKEN_ANSWER = b"<html><body>502 Bad Gateway"


@dataclass
class Story:
    """What happened."""

    folder: Path
    receipts: list[dict[str, Any]] = field(default_factory=list)
    lost_callbacks: int = 0

    def unreadable(self) -> int:
        """Count deliveries that nobody could read."""
        return Counter(receipt["was"] for receipt in self.receipts)["unreadable"]


def play(folder: Path, tell: Callable[[str], None]) -> Story:
    """Play the demonstration into a prepared folder; `tell` gets a line per step."""
    clock = FileClock(folder / "clock")
    clock.set(SystemClock().now())
    story = Story(folder)
    told = _all_told()
    lost = without_callback(told)
    vendor = DemoVendor([*told, *lost], clock=clock, buckets=folder / "buckets")
    runner = InProcessRunner(read_template(TEMPLATE))
    with MediaApiServer(vendor.gateway) as server:
        tell(f"local media APIs at {server.endpoint}, verifying signatures")
        settings = own_environment(folder, endpoint=server.endpoint)
        with as_environment(settings), opened(settings) as services:
            _submit(services, vendor, clock)
            tell(f"{len(vendor.told)} jobs of four kinds submitted; the vendor works on them")
            _announce(runner, lost)
            tell(f"{len(lost)} of them announced to the ledger: their callbacks will get lost")
            _deliver(runner, story, tell)
            _let_the_timer_heal(runner, story, clock, tell)
    return story


def _announce(runner: InProcessRunner, told: list[Told]) -> None:
    """Tell the ledger of jobs as whoever submits them does."""
    jobs = [{"kind": one.ref.kind, "job_id": one.ref.job_id, "region": REGION} for one in told]
    runner.invoke("track", json.dumps(jobs).encode())


def _let_the_timer_heal(
    runner: InProcessRunner, story: Story, clock: FileClock, tell: Callable[[str], None]
) -> None:
    """Let time pass, and the timer go off for what was early, lost, or is to be confirmed."""
    tick = TICK.read_bytes()

    def after(minutes: int) -> dict[str, Any]:
        clock.sleep(minutes * MINUTE)
        summary: dict[str, Any] = json.loads(runner.invoke("reconcile", tick))
        told = ", ".join(f"{count} {outcome}" for outcome, count in summary["outcomes"].items())
        told = told or f"nobody is asked, {summary['drained']} records verified"
        tell(f"{minutes:>2} minutes later the timer goes off: {told}")
        return summary

    after(2)
    after(10)
    story.lost_callbacks = after(15)["lost_callbacks"]
    tell(f"   {story.lost_callbacks} callbacks count as lost; their jobs are settled all the same")
    after(15)


def prepare(folder: Path) -> None:
    """Begin with an empty folder, and never empty one that a demonstration did not make."""
    try:
        if folder.exists() and any(folder.iterdir()):
            if not (folder / _MARKER).exists():
                raise PermanentError(
                    "this folder is not empty and is no earlier demonstration", dir=str(folder)
                )
            rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MARKER).touch()
    except OSError as error:
        raise PermanentError(f"this cannot be a folder: {error.strerror}", dir=str(folder)) from error


def samples() -> list[Path]:
    """List the sample events in the order in which they are delivered."""
    return sorted(path for path in SAMPLES.iterdir() if path.suffix in (".json", ".txt"))


def _all_told() -> list[Told]:
    """Read from the samples which jobs there are, in the order in which they are submitted.

    A repeated callback is about the same job.
    """
    found = {one.ref: one for path in samples() for one in told_by(path)}
    return sorted(found.values(), key=lambda one: one.sample == _EARLY)


def _submit(services: Services, vendor: DemoVendor, clock: FileClock) -> None:
    """Submit every job, the early one when the others have been finished."""
    for one in vendor.told:
        if one.sample == _EARLY:
            clock.sleep(PACE.waiting_ms + PACE.processing_ms)
        services.media_api.call(submission(one), deadline=clock.now() + 30 * SECOND)
        if one.sample == _BROKEN:
            vendor.answer_raw(one.ref, _BROKEN_ANSWER)


def _deliver(runner: InProcessRunner, story: Story, tell: Callable[[str], None]) -> None:
    """Hand every sample to the function, as Function Compute would."""
    for path in samples():
        answer = json.loads(runner.invoke("callback", path.read_bytes()))
        story.receipts += answer["receipts"]
        did = Counter(str(receipt["did"] or receipt["was"]) for receipt in answer["receipts"])
        tell(f"  {path.name:<34} {', '.join(f'{n} {what}' for what, n in did.items())}")


def own_environment(folder: Path, *, endpoint: str | None = None) -> dict[str, str]:
    """Give the demonstration's own settings, whatever the shell has set."""
    root = quote(str(folder.resolve()))
    asked = {"LEDGER_ENDPOINTS": ",".join(f"{product}={endpoint}" for product in ("vod", "mts", "ice"))}
    return {
        "LEDGER_OBJECTS": f"file://{root}/archive",
        "LEDGER_TABLES": f"sqlite://{root}/ledger.db",
        "LEDGER_CLOCK": str(folder.resolve() / "clock"),
        "LEDGER_USER_ID": USER_ID,
        "LEDGER_CALLBACK_INSTANCES": "1",
        "LEDGER_RESULT_FILES": f"file://{root}/buckets",
        "LEDGER_OUTPUTS": f"mts.video_quality={RESULTS}",
        "LEDGER_VIDEO_QUALITY_SOURCES": QUALITY_QUEUE,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": KEYS.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEYS.access_key_secret,
        **(asked if endpoint else {}),
    }
