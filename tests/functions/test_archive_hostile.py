"""Evidence from a server that does everything wrong, through the two weeks after which it is gone."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from functions.archive.handler import handle
from localcloud.evidence.answers import (
    Answer,
    compressed,
    dripping,
    endless,
    redirect,
    refusal,
    silence,
    whole,
)
from localcloud.evidence.pictures import picture
from localcloud.evidence.server import EvidenceServer
from shared import archive, evidence_rows
from shared.adapters.http_sessions import HttpSessions
from shared.adapters.https_downloads import HttpsDownloads, Limits
from shared.adapters.parallel import ThreadParallel
from shared.adapters.senders.limited_runs import LimitedRuns
from shared.completeness.making import make_report
from shared.completeness.survey import Window
from shared.documents.urls import without_query
from shared.evidence import EvidenceRow
from shared.kinds.values import short_hash
from shared.policy import DAY, HOUR, MINUTE
from shared.ports import Services
from tests.functions.test_reconcile import TICK
from tests.measured import measured
from tests.scripted_vendor import answer, callback
from tests.shared.adapters.origins_on_loopback import loopback_origins
from tests.world import KIND, World, ref

JOB = "job-1"
DAY_ONE = date(2025, 11, 20)
SECRET = "Signature=seen-by-nobody"
BODY = picture("a", size=3_000)
HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
REBINDS = "rebinds.test"
PRIVATE = "10.0.0.1"
# Real time for what never ends, of which virtual time knows nothing.
LIMITS = Limits(max_bytes=100_000, total_ms=400, idle_ms=200, redirects=3)


@dataclass(frozen=True)
class Case:
    """How the server answers, at first and after a day, and what has become of the picture in the end."""

    first: Answer
    reason: str | None
    later: Answer | None = None
    host: str = "127.0.0.1"


CASES = {
    "as-it-should.png": Case(whole(BODY), None),
    "elsewhere.png": Case(redirect("/as-it-should.png"), None),
    "late.png": Case(refusal("404 Not Found"), None, later=whole(picture("late"))),
    "repaired.png": Case(whole(b"<html>back soon</html>"), None, later=whole(picture("repaired"))),
    "overloaded.png": Case(refusal("503 Slow Down"), None, later=whole(picture("overloaded"))),
    "gone.png": Case(refusal("404 Not Found"), "GoneError: answered 404"),
    "forbidden.png": Case(refusal("403 Forbidden"), "GoneError: answered 403"),
    "broken.png": Case(refusal("500 Internal Server Error"), "DownloadFailedError: answered 500"),
    "truncated.png": Case(whole(BODY, length=4_000), "DownloadFailedError: less came"),
    "too-long.png": Case(whole(BODY, length=2_000), "DownloadFailedError: more came"),
    "page.png": Case(whole(b"<html>", "Content-Type: image/png"), "DownloadFailedError: it begins like no"),
    "empty.png": Case(whole(b""), "DownloadFailedError: it is empty"),
    "silent.png": Case(silence, "DownloadFailedError: "),
    "slow.png": Case(dripping(BODY, every=0.02, after=HEAD), "DownloadFailedError: "),
    "circle.png": Case(redirect("/circle.png"), "DownloadFailedError: more than 3 redirects"),
    "inside.png": Case(redirect(f"http://{PRIVATE}/"), "DownloadRefusedError: nothing is fetched from"),
    "rebound.png": Case(redirect("/as-it-should.png"), "DownloadRefusedError: ", host=REBINDS),
    "endless.png": Case(endless(BODY), "DownloadRefusedError: it is larger than 100000 bytes"),
    "bomb.png": Case(compressed(bytes(1_000_000)), "DownloadRefusedError: it comes compressed"),
}
KEPT = [name for name, case in CASES.items() if case.reason is None]


class Rebinding:
    """A resolver for which a name leads to another address when it is asked again."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self._asked[host] += 1
        return [PRIVATE if host == REBINDS and self._asked[host] > 1 else "127.0.0.1"]


@pytest.fixture
def server() -> Iterator[EvidenceServer]:
    with EvidenceServer() as running:
        for name, case in CASES.items():
            running.set(name, case.first)
        yield running


@pytest.fixture
def world(server: EvidenceServer, tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    urls = [server.url(name, host=case.host, query=SECRET) for name, case in CASES.items()]
    world.vendor.know(JOB, answer(JOB, pictures=urls))
    downloads = HttpsDownloads(
        LimitedRuns(),
        clock=world.clock,
        sessions=HttpSessions(),
        origins=loopback_origins(server, REBINDS),
        limits=LIMITS,
        resolve=Rebinding(),
    )
    world.services = replace(world.services, downloads=downloads, parallel=ThreadParallel(8))
    with closing(world):
        world.deliver(callback(JOB))
        yield world


def in_time(world: World) -> Services:
    return replace(world.services, deadline=world.clock.now() + 2 * MINUTE)


def by_name(world: World, server: EvidenceServer) -> dict[str, EvidenceRow]:
    rows = evidence_rows.read_all(world.ledger, ref(JOB).key)
    names = {
        short_hash(without_query(server.url(name, host=case.host))): name for name, case in CASES.items()
    }
    return {names[name]: row for name, row in rows.items()}


def test_each_picture_ends_kept_or_lost_with_its_reason(
    world: World, server: EvidenceServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    refused = sum("Refused" in (case.reason or "") for case in CASES.values())
    world.deliver_due()
    for name, case in CASES.items():
        server.set(name, case.later or case.first)
    for wait in (HOUR, DAY, 7 * DAY, 6 * DAY):
        world.clock.advance(wait)
        handle(TICK, in_time(world))
    rows = by_name(world, server)

    assert {name: row.status for name, row in rows.items()} == {
        name: "kept" if name in KEPT else "lost" for name in CASES
    }
    for name, case in CASES.items():
        assert (rows[name].reason or "").startswith(case.reason or "")
        assert (rows[name].reason is None) == (case.reason is None)
        assert server.asked(name) >= 1
    lost = len(CASES) - len(KEPT)
    assert measured(caplog, "evidence_kept") == {(KIND,): len(KEPT)}
    assert measured(caplog, "evidence_lost") == {(KIND,): lost}
    assert measured(caplog, "evidence_at_risk") == {(KIND,): lost - refused}
    assert SECRET not in caplog.text + "".join(map(repr, rows.values()))


def test_archive_manifest_and_report_say_so(world: World, server: EvidenceServer) -> None:
    for wait in (0, HOUR, 14 * DAY):
        world.clock.advance(wait)
        world.deliver_due()
        handle(TICK, in_time(world))
        for name, case in CASES.items():
            server.set(name, case.later or case.first)
    world.run_until_quiet()
    stored = world.stored("evidence/")
    manifest = json.loads(stored.pop(archive.manifest_key(ref(JOB))))
    report = make_report(world.services, Window(DAY_ONE, DAY_ONE), run="run-1")

    # Whoever was led to a picture has the same bytes as whoever asked for it, and they are stored once.
    assert len(stored) == len(KEPT) - 1
    assert {one["key"] for one in manifest["items"] if one["status"] == "kept"} == set(stored)
    assert all(one["reason"] for one in manifest["items"] if one["status"] == "lost")
    counted = report.evidence
    assert (counted.kept, counted.pending, counted.lost) == (len(KEPT), 0, len(CASES) - len(KEPT))
    assert SECRET not in str(stored) + json.dumps(manifest)
