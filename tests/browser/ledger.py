"""A ledger with a job of each sort that a page must show, made by the product's own code in a folder.

Run as a module it leaves one to look at: `python -m tests.browser.ledger FOLDER`.
"""

from __future__ import annotations

import json
import re
import struct
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from shared import tracking
from shared.adapters.local.file_clock import FileClock
from shared.adapters.local.folder_object_store import FolderObjectStore
from shared.adapters.local.sqlite_ledger import SqliteLedger
from shared.announcements import Announcement
from shared.downloads import Download
from shared.errors import JobNotFoundError, TargetUnavailableError
from shared.jobs import JobRef
from shared.policy import DAY, HOUR, MINUTE, Policy
from shared.record import JobRecord
from shared.toolkit.message import Message
from shared.vendor import ApiAnswer, ApiRequest, Format, Part
from tests.browser.hostile import ADDRESS, LONG, WORDS, spoilt
from tests.canaries import SIGNED_URL
from tests.newer_kinds import with_normalizer
from tests.scripted_downloads import GONE
from tests.scripted_targets import plan_to
from tests.world import Stores, World

ANSWERS = Path(__file__).parents[1] / "data" / "answers"
VOD, QUALITY, ICE = "vod.media_audit", "mts.video_quality", "ice.production"
PICTURES = "http://temp-testbucket.oss-cn-shanghai.aliyuncs.com/aivideocensor"
WIDTH, HEIGHT = 640, 360
BOXED = "review-0001"
BOX = (160.0, 90.0, 480.0, 180.0)
FEW, MANY = 50, 5_000
QUEUED = 60  # more than a page of the list has room for
_AWAY = TargetUnavailableError("desk: connection refused")


class Vendor:
    """Answers by job; it knows no other."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[Format, bytes]] = {}

    def know(self, ref: JobRef, body: bytes | Mapping[str, Any], *, format: Format = "json") -> None:
        """Set what is answered from now on."""
        self.answers[ref.job_id] = (format, body if isinstance(body, bytes) else json.dumps(body).encode())

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        found = self.answers.get(request.params["JobId"])
        if found is None:
            raise JobNotFoundError("the vendor does not know this job")
        return ApiAnswer(Part("answer", *found), request_id="r")


class Frames:
    """Serves a frame of a video under each address that looks like one of a picture."""

    @contextmanager
    def download(self, url: str, *, deadline: int) -> Iterator[Download]:
        """See `Downloads.download`."""
        if not url.startswith(PICTURES):
            raise GONE.with_traceback(None)
        body = frame(url)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "frame.png")
            file.write_bytes(body)
            yield Download(lambda: file.open("rb"), len(body), sha256(body).hexdigest(), "image/png", ".png")


def frame(name: str) -> bytes:
    """Draw a PNG of `WIDTH` x `HEIGHT`, its colours by its name."""
    colour = sha256(name.encode()).digest()
    line = b"\0" + b"".join(bytes([colour[0], x * 255 // WIDTH, colour[1]]) for x in range(WIDTH))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(line * HEIGHT))
        + chunk(b"IEND", b"")
    )


@dataclass(frozen=True)
class Shelf:
    """A folder with archive, ledger and clock, and its jobs by what is remarkable about them."""

    folder: Path
    jobs: Mapping[str, JobRef]
    now: int


def fill(folder: Path) -> Shelf:
    """Make the ledger in an empty folder."""
    policy = Policy(
        jitter=0.0,
        region="cn-shanghai",
        user_id="1000000000000001",
        outputs={QUALITY: "oss://results.oss-cn-shanghai.aliyuncs.com/"},
        delivery=plan_to("desk", suggestions=["block"]),
    )
    stores = Stores(FolderObjectStore(folder / "archive"), SqliteLedger(folder / "ledger.db"), dict)
    world = World(folder, policy=policy, stores=stores)
    vendor = Vendor()
    kinds = with_normalizer(VOD, _with_a_box)
    world.services = replace(world.services, media_api=vendor, downloads=Frames(), kinds=kinds)
    try:
        jobs = _old(world, vendor)
        world.clock.advance(DAY)
        world.targets.be_away("desk", _AWAY)
        jobs |= _settled(world, vendor, folder / "buckets" / "results")
        jobs |= _unsettled(world, vendor)
        FileClock(folder / "clock").set(world.clock.now())
        return Shelf(folder, jobs, world.clock.now())
    finally:
        world.close()


def _old(world: World, vendor: Vendor) -> dict[str, JobRef]:
    """Begin with what takes a day: nobody knows a job, an answer stays incomplete, a target stays away."""
    jobs = {name: JobRef(VOD, f"{name}-0001") for name in ("unknown", "incomplete", "undelivered", "drifted")}
    world.targets.be_away("desk", _AWAY)
    vendor.know(jobs["incomplete"], _review(jobs["incomplete"], {}) | {})
    for name in ("undelivered", "drifted"):
        vendor.know(jobs[name], _review(jobs[name], {"Suggestion": "block", "Label": "porn"}))
    _announce(world, jobs)
    _pass(world, hours=1)
    vendor.know(jobs["drifted"], {"MediaAuditJob": {"JobId": jobs["drifted"].job_id, "Status": "fail"}})
    world.deliver(_callback(jobs["drifted"], "fail"), world.services)
    _pass(world, hours=26)
    world.targets.be_back("desk")
    return jobs


def _settled(world: World, vendor: Vendor, results: Path) -> dict[str, JobRef]:
    """Settle the jobs of today."""
    review, hostile = JobRef(VOD, BOXED), JobRef(VOD, "<script>window.ran=1</script>")
    xml, made, failed = JobRef(VOD, "xml-0001"), JobRef(ICE, "made-0001"), JobRef(ICE, "failed-0001")
    few, many = JobRef(QUALITY, "few-0001"), JobRef(QUALITY, "many-0001")
    every = _recorded(VOD, "every-field")["MediaAuditJob"]
    vendor.know(review, {"MediaAuditJob": every | {"JobId": review.job_id}})
    vendor.know(hostile, {"MediaAuditJob": _hostile_review(every) | {"JobId": hostile.job_id}})
    answer = (ANSWERS / VOD / "old-page" / "answer.xml").read_text(encoding="utf-8")
    (printed,) = re.findall(r"<JobId>(.*?)</JobId>", answer)
    vendor.know(xml, answer.replace(printed, xml.job_id).encode(), format="xml")
    vendor.know(made, _hostile_production("unknown-shapes", made))
    vendor.know(failed, _hostile_production("failed-with-reason", failed))
    for ref, count in ((few, FEW), (many, MANY)):
        file = f"{ref.job_id}.txt"
        _write(results / file, _quality_file(count))
        vendor.know(
            ref, {"Code": "Success", "Job": {"JobId": ref.job_id, "Status": "Success", "Output": file}}
        )
    jobs = {"review": review, "hostile": hostile, "xml": xml, "made": made, "failed": failed}
    listed = JobRef(VOD, "listed-0001")
    vendor.know(listed, _review(listed, {"Suggestion": "pass", "VideoResult": _many_moments()}))
    jobs |= {"few": few, "many": many, "listed": listed}
    _announce(world, jobs)
    _pass(world, hours=1)
    return jobs


def _unsettled(world: World, vendor: Vendor) -> dict[str, JobRef]:
    """End with jobs that are still open, or will never be settled."""
    jobs = {name: JobRef(VOD, f"{name}-0001") for name in ("running", "quarantined")}
    vendor.know(jobs["running"], {"MediaAuditJob": {"JobId": "running-0001", "Status": "processing"}})
    vendor.know(jobs["quarantined"], b"<html><body>502 Bad Gateway " + WORDS.encode())
    _announce(world, jobs)
    world.clock.advance(15 * MINUTE)
    _run(world)
    queued = {"tracked": JobRef(VOD, "tracked-0001")}
    queued |= {f"queued-{number:02}": JobRef(ICE, f"queued-{number:04}") for number in range(QUEUED)}
    _announce(world, queued)
    return jobs | queued


def _with_a_box(record: JobRecord) -> JobRecord:
    """Tell of a place in a picture, as no answer does so far: their places come without pictures."""
    if record.job.job_id != BOXED:
        return record
    at = next(at for at, one in enumerate(record.findings) if one.evidence and one.start_ms is not None)
    findings = list(record.findings)
    findings[at] = replace(findings[at], regions=(BOX,))
    return record.model_copy(update={"findings": tuple(findings)})


def _announce(world: World, jobs: Mapping[str, JobRef]) -> None:
    items = [Announcement(ref, media_id=f"media-{name}") for name, ref in jobs.items()]
    tracking.announce(world.services, items)


def _pass(world: World, *, hours: int) -> None:
    """Let that much time pass, and the timer run whenever something is due."""
    end = world.clock.now() + hours * HOUR
    while (due := world.next_due()) is not None and due <= end:
        world.clock.advance(max(0, due - world.clock.now()))
        _run(world)
    world.clock.advance(end - world.clock.now())


def _run(world: World) -> None:
    world.run_timer(world.services)
    world.deliver_due()


def _callback(ref: JobRef, status: str) -> Message:
    event = {"EventType": "AIMediaAuditComplete", "JobId": ref.job_id, "Status": status}
    return Message(f"{ref.job_id}-1", "mns-topic", json.dumps(event).encode())


def _review(ref: JobRef, data: Mapping[str, Any]) -> dict[str, Any]:
    job = {"JobId": ref.job_id, "Status": "success", "MediaId": f"media-of-{ref.job_id}"}
    return {"MediaAuditJob": job | ({"Data": data} if data else {})}


def _recorded(kind: str, case: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((ANSWERS / kind / case / "answer.json").read_bytes())
    return answer


def _hostile_review(every: Mapping[str, Any]) -> dict[str, Any]:
    job: dict[str, Any] = spoilt(every)
    data = job["Data"]
    data["TextResult"][0]["Content"] += f"{LONG} {SIGNED_URL}"
    data["VideoResult"]["PornResult"]["TopList"][0]["Url"] += f"?{SIGNED_URL.partition('?')[2]}"
    data["ImageResult"][0]["Url"] = ADDRESS
    data["NewResult"] = {WORDS: [WORDS, {"Url": ADDRESS}]}
    return job


def _hostile_production(case: str, ref: JobRef) -> dict[str, Any]:
    job: dict[str, Any] = spoilt(_recorded(ICE, case))
    return job | {"JobId": ref.job_id, "OutputUrls": [ADDRESS], "UserData": WORDS}


def _many_moments() -> dict[str, Any]:
    """Write as many moments as a record holds by itself, where a quality review's are kept beside it."""
    moments = [{"Label": "porn", "Score": "61", "Timestamp": str(at * 500)} for at in range(MANY)]
    return {"PornResult": {"TopList": moments[::2]}, "TerrorismResult": {"TopList": moments[1::2]}}


def _quality_file(count: int) -> bytes:
    """Write what a review of a long video finds: so many frames, shared out over three checks."""
    frozen = [
        {"result": "freeze", "score": 4.25, "timestamp": str(number * 1_000), "type": "freeze"}
        for number in range(count // 2)
    ]
    boxes = [
        {
            "box": [100 + number % 400, 50, 180 + number % 400, 120],
            "id": number,
            "timestamp": number * 1_500.0,
        }
        for number in range(count * 3 // 10)
    ]
    dark = [
        {"result": "dark", "score": -2.5, "timestamp": str(number * 2_000), "type": "brightness"}
        for number in range(count - len(frozen) - len(boxes))
    ]
    return b" ".join(
        json.dumps(one).encode() for one in ({"freeze": frozen}, {"mosaic": boxes}, {"brightness": dark})
    )


def _write(file: Path, body: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)


if __name__ == "__main__":
    for name, ref in fill(Path(sys.argv[1])).jobs.items():
        print(f"{name:<12} {ref.kind} {ref.job_id}")
