"""The demonstration: the real handler, a local vendor, sample callbacks, and time that moves on."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.parse import quote

from cli.local_ledger import as_environment, opened
from localcloud.media.gateway import Gateway
from localcloud.media.server import MediaApiServer
from localcloud.media.vod import Outcome, Pace, Vod
from localcloud.runner import InProcessRunner
from localcloud.template import read_template
from shared import reconciliation
from shared.adapters.clocks import SystemClock
from shared.adapters.local.file_clock import FileClock
from shared.errors import PermanentError, UnreadableError
from shared.inbound.notifications import Notification, read
from shared.inbound.triggers import Messages, messages
from shared.policy import MINUTE, SECOND
from shared.ports import Services
from shared.toolkit.context import Credentials
from shared.vendor import ApiRequest

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "events" / "callback"
TEMPLATE = ROOT / "template.yml"

_MARKER = ".media-ledger-demo"
_KEYS = Credentials("demoAccessKeyId", "demoAccessKeySecret")
_PACE = Pace()

# Two jobs do not go as they should, so that the demonstration shows what happens then.
_EARLY = "queue-rawdata.json"  # its callback comes before the vendor has finished
_BROKEN = "topic-json-attributes.json"  # its query is answered with a page of some proxy
_BROKEN_ANSWER = b"<html><body>502 Bad Gateway"


@dataclass(frozen=True)
class Told:
    """What a sample callback says about a job: enough for the local vendor to say the same."""

    sample: str
    job_id: str
    media_id: str
    outcome: Outcome


@dataclass
class Story:
    """What happened."""

    folder: Path
    receipts: list[dict[str, Any]] = field(default_factory=list)
    healed: int = 0

    def unreadable(self) -> int:
        """Count deliveries that nobody could read."""
        return Counter(receipt["was"] for receipt in self.receipts)["unreadable"]


def play(folder: Path, tell: Callable[[str], None]) -> Story:
    """Play the demonstration into a prepared folder; `tell` gets a line per step."""
    clock = FileClock(folder / "clock")
    clock.set(SystemClock().now())
    story, told = Story(folder), _told()
    vod = Vod(
        clock=clock,
        pace=_PACE,
        job_ids=iter([one.job_id for one in told]),
        outcomes={one.media_id: one.outcome for one in told},
    )
    draw = random.Random(0)
    with MediaApiServer(Gateway(vod.actions(), keys=(_KEYS,), clock=clock, random=draw)) as server:
        tell(f"local media API at {server.endpoint}, verifying signatures")
        settings = own_environment(folder, LEDGER_ENDPOINTS=f"vod={server.endpoint}")
        with as_environment(settings), opened(settings) as services:
            _submit(services, told, clock)
            for one in told:
                if one.sample == _BROKEN:
                    vod.answer_raw(one.job_id, _BROKEN_ANSWER)
            tell(f"{len(told)} review jobs submitted; the vendor works on them")
            _deliver(story, tell)
            clock.sleep(2 * MINUTE)
            summary = reconciliation.settle_due(services, limit=100)
            story.healed = summary.outcomes["settled"]
            tell(f"two minutes later: {story.healed} job settled that was asked about too early")
    return story


def prepare(folder: Path) -> None:
    """Begin with an empty folder, and never empty one that a demonstration did not make."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARKER).exists():
            raise PermanentError("this folder is not empty and is no earlier demonstration", dir=str(folder))
        rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).touch()


def samples() -> list[Path]:
    """List the sample events in the order in which they are delivered."""
    return sorted(path for path in SAMPLES.iterdir() if path.suffix in (".json", ".txt"))


def _told() -> list[Told]:
    """Read from the samples which jobs there are; the early one is submitted last."""
    found = {one.job_id: one for path in samples() for one in _told_by(path)}
    return sorted(found.values(), key=lambda one: one.sample == _EARLY)


def _told_by(path: Path) -> Iterator[Told]:
    trigger = messages(path.read_bytes())
    for message in trigger.messages if isinstance(trigger, Messages) else ():
        if message.reason is not None:
            continue
        try:
            notification = read(message.body)
        except UnreadableError:
            continue
        if isinstance(notification, Notification):
            yield _outcome(path.name, notification, json.loads(message.body))


def _outcome(sample: str, notification: Notification, body: Mapping[str, Any]) -> Told:
    data = body.get("Data")
    if isinstance(data, str):
        data = json.loads(data)
    failed = notification.claim is not None and notification.claim.status == "failed"
    outcome = (
        Outcome("fail", code=str(body.get("Code")), message=str(body.get("Message")))
        if failed
        else Outcome("success", data=data)
    )
    job_id = notification.ref.job_id
    return Told(sample, job_id, notification.media_id or f"media-{job_id}", outcome)


def _submit(services: Services, told: list[Told], clock: FileClock) -> None:
    for one in told:
        if one.sample == _EARLY:
            clock.sleep(_PACE.waiting_ms + _PACE.processing_ms)
        request = ApiRequest(
            "vod", "2017-03-21", "SubmitAIMediaAuditJob", {"MediaId": one.media_id}, "cn-shanghai"
        )
        services.media_api.call(request, deadline=clock.now() + 30 * SECOND)


def _deliver(story: Story, tell: Callable[[str], None]) -> None:
    """Hand every sample to the function, as Function Compute would."""
    runner = InProcessRunner(read_template(TEMPLATE))
    for path in samples():
        answer = json.loads(runner.invoke("callback", path.read_bytes()))
        story.receipts += answer["receipts"]
        did = Counter(str(receipt["did"] or receipt["was"]) for receipt in answer["receipts"])
        tell(f"  {path.name:<34} {', '.join(f'{n} {what}' for what, n in did.items())}")


def own_environment(folder: Path, **more: str) -> dict[str, str]:
    """Give the demonstration's own settings, whatever the shell has set."""
    root = folder.resolve()
    return {
        "LEDGER_OBJECTS": f"file://{quote(str(root / 'archive'))}",
        "LEDGER_TABLES": f"sqlite://{quote(str(root / 'ledger.db'))}",
        "LEDGER_CLOCK": str(root / "clock"),
        "ALIBABA_CLOUD_ACCESS_KEY_ID": _KEYS.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": _KEYS.access_key_secret,
        **more,
    }
