"""The demonstration: real functions, a local vendor, two consumers, sample callbacks, time that moves on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.parse import quote

from cli.demo_cloud import Answers, DemoCloud
from cli.demo_consumers import DESK, DemoConsumer, Jobs, consumers, delivery_settings
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
    told_over_http,
    without_callback,
)
from cli.local_ledger import opened
from localcloud.evidence.server import EvidenceServer
from localcloud.fc.log_lines import LogSink
from localcloud.media.server import MediaApiServer
from localcloud.template import read_template
from shared.adapters.clocks import SystemClock
from shared.adapters.local.file_clock import FileClock
from shared.delivery.rules import DeliveryPlan
from shared.errors import PermanentError
from shared.policy import MINUTE, SECOND
from shared.ports import Services

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "events" / "callback"
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
    plan: DeliveryPlan = field(default_factory=DeliveryPlan)
    told: dict[str, tuple[Counter[str], Jobs]] = field(default_factory=dict)
    """What each consumer did with what it was told, and what it knows in the end."""

    def unreadable(self) -> int:
        """Count deliveries that nobody could read."""
        return Counter(receipt["was"] for receipt in self.receipts)["unreadable"]


def play(folder: Path, tell: Callable[[str], None], *, log: LogSink) -> Story:
    """Play the demonstration into a prepared folder; `tell` gets a line per step, `log` what is logged."""
    clock = FileClock(folder / "clock")
    clock.set(SystemClock().now())
    story = Story(folder)
    told = _all_told()
    lost = without_callback(told)
    by_http = told_over_http(told)
    pictures = EvidenceServer()
    vendor = DemoVendor(
        [*told, *lost, by_http], clock=clock, buckets=folder / "buckets", pictures=f"http://{pictures.host}"
    )
    cloud = DemoCloud(read_template(TEMPLATE), code=ROOT, clock=clock, log=log)
    with pictures, MediaApiServer(vendor.gateway) as media, consumers(folder, clock) as told_by_us:
        tell(f"a local vendor at {media.endpoint} verifies signatures, two consumers wait to be told")
        settings = own_environment(folder) | _local_cloud(
            media.endpoint, cloud.endpoint, pictures.host, told_by_us
        )
        with opened(settings) as services, cloud.running(settings):
            _submit(services, vendor, clock)
            _announce(cloud, lost)
            tell(
                f"{len(vendor.told)} jobs of four kinds submitted; {len(lost)} of them are announced,"
                " and their callbacks get lost"
            )
            told_by_us[DESK].is_down = True
            tell(_call_back(cloud, story))
            cloud.call_back({**by_http.body, "JobId": by_http.ref.job_id})
            tell("   VOD calls back over HTTP, too, and signs: the job is marked, then settled")
            tell(f"   {_took(told_by_us)}")
            _let_the_timer_heal(cloud, clock, story, told_by_us, tell)
            story.plan = services.policy.delivery
        story.told = {name: (one.did, one.consumer.jobs()) for name, one in told_by_us.items()}
    return story


def _announce(cloud: DemoCloud, told: list[Told]) -> None:
    """Tell the ledger of jobs as whoever submits them does."""
    jobs = [{"kind": one.ref.kind, "job_id": one.ref.job_id, "region": REGION} for one in told]
    cloud.invoke("track", json.dumps(jobs).encode())


def _let_the_timer_heal(
    cloud: DemoCloud,
    clock: FileClock,
    story: Story,
    told: Mapping[str, DemoConsumer],
    tell: Callable[[str], None],
) -> None:
    """Let time pass, and timers go off for what was early, lost, to be confirmed or to be told again."""

    def after(minutes: int) -> Counter[str]:
        before = {name: one.did.copy() for name, one in told.items()}
        total: Counter[str] = Counter()
        for _ in range(minutes):
            clock.sleep(MINUTE)
            total += _reconciled(cloud.run_due())
        other = ("drained", "lost_callbacks")
        did = ", ".join(f"{count} {outcome}" for outcome, count in total.items() if outcome not in other)
        did = did or f"nobody is asked, {total['drained']} records verified"
        tell(f"{minutes} minutes pass, the timer goes off every minute: {did}")
        tell(f"   {_took(told, before)}")
        return total

    after(2)
    after(10)
    told[DESK].is_down, told[DESK].loses_answer = False, True
    tell(f"   the {DESK} is up again, and its first answer gets lost")
    story.lost_callbacks = after(15)["lost_callbacks"]
    tell(f"   {story.lost_callbacks} callbacks count as lost; their jobs are settled all the same")
    after(15)


def _reconciled(answers: Answers) -> Counter[str]:
    """Add up what runs of `reconcile` did."""
    total: Counter[str] = Counter()
    for function, answer in answers:
        if function == "reconcile":
            total.update(answer["outcomes"])
            total.update({name: answer[name] for name in ("drained", "lost_callbacks")})
    return total


def _took(told: Mapping[str, DemoConsumer], before: Mapping[str, Counter[str]] | None = None) -> str:
    """Say what consumers did with what they were told since then."""
    lines: list[str] = []
    for name, one in told.items():
        did = one.did - (before or {}).get(name, Counter())
        parts = [
            f"takes {did['new']}" if did["new"] else "",
            f"drops {did['repeated']} repeated" if did["repeated"] else "",
            f"is down, {did['down']} tries" if did["down"] else "",
        ]
        if any(parts):
            lines.append(f"{name} {' and '.join(filter(None, parts))}")
    return "; ".join(lines) or "nobody is told"


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


def _call_back(cloud: DemoCloud, story: Story) -> str:
    """Deliver every sample, the early one first, and say what came of it."""
    triggered = 0
    for path in sorted(samples(), key=lambda path: path.name != _EARLY):
        is_triggered, answers = cloud.deliver(path.read_bytes())
        triggered += is_triggered
        for function, answer in answers:
            story.receipts += answer["receipts"] if function == "callback" else []
    did = Counter(str(receipt["did"] or receipt["was"]).replace("_", " ") for receipt in story.receipts)
    told = ", ".join(f"{count} {what}" for what, count in did.most_common())
    return (
        f"{len(samples())} events of events/callback/ delivered, in every form, {triggered} of them through"
        f" topic and queues: {told}"
    )


def _local_cloud(media: str, fc: str, pictures: str, told: Mapping[str, DemoConsumer]) -> dict[str, str]:
    """Give the settings that point at what this machine imitates."""
    products = [f"{product}={media}" for product in ("vod", "mts", "ice")]
    return {
        "LEDGER_ENDPOINTS": ",".join([*products, f"fc={fc}"]),
        "LEDGER_INVOKER": f"fc3:?region={REGION}",
        "LEDGER_EVIDENCE_HOSTS": pictures,
        "LEDGER_EVIDENCE_NETWORKS": "127.0.0.0/8",
        **delivery_settings({name: one.endpoint for name, one in told.items()}),
    }


def own_environment(folder: Path) -> dict[str, str]:
    """Give the demonstration's own settings, whatever the shell has set."""
    root = quote(str(folder.resolve()))
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
    }
