"""What production jobs made in the user's own bucket: named, or copied as evidence is, if settings say so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from functions.archive.handler import handle as archive_evidence
from functions.reconcile.handler import handle as reconcile
from functions.track.handler import handle as track
from localcloud.evidence.pictures import picture
from shared import bootstrap, evidence_rows
from shared.errors import DownloadRefusedError
from shared.evidence import EvidenceRow
from shared.job_row import read_job
from shared.jobs import JobRef
from shared.policy import DAY, HOUR, MINUTE
from shared.ports import Services
from shared.record import digest
from shared.settings import Settings
from tests.functions.test_reconcile import TICK
from tests.scripted_vendor import ScriptedMediaApi
from tests.world import START

JOB = JobRef("mts.production", "88c6ca184c0e432bbf5b665e2a150000")
COVERS = ("cover/1.jpg", "cover/2.jpg")
BUCKET = "covers"
TOLD = json.dumps([{"Score": 0.5, "Time": "40", "Url": url} for url in COVERS])
ANSWER = {
    "JobId": JOB.job_id,
    "FunctionName": "Cover",
    "State": "Success",
    "Output": f"oss://{BUCKET}.oss-cn-shanghai.aliyuncs.com/cover/{{sequenceId}}.jpg",
    "Result": json.dumps({"Code": "Success", "Data": TOLD}),
}


class Place:
    """A ledger and an archive of their own beside a user's bucket, at a time that is told."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        (folder / "buckets" / BUCKET / "cover").mkdir(parents=True)
        vendor = ScriptedMediaApi()
        vendor.know(JOB.job_id, json.dumps(ANSWER).encode())
        places = {
            "LEDGER_OBJECTS": f"file://{folder}/archive",
            "LEDGER_TABLES": f"sqlite://{folder}/ledger.db",
            "LEDGER_RESULT_FILES": f"file://{folder}/buckets",
            "LEDGER_CLOCK": f"{folder}/clock",
        }
        self._pass(0)
        built = bootstrap.build(Settings.read({**places, **settings}), resolve=lambda _: lambda _: None)
        self._services = replace(built, media_api=vendor)

    def services(self) -> Services:
        return replace(self._services, deadline=self._services.clock.now() + 2 * MINUTE)

    def write(self, key: str, body: bytes) -> None:
        (self.folder / "buckets" / BUCKET / key).write_bytes(body)

    def settle(self) -> None:
        track(json.dumps({"kind": JOB.kind, "job_id": JOB.job_id}).encode(), self.services())
        self._pass(HOUR)
        reconcile(TICK, self.services())

    def archive(self, *, after: int) -> object:
        self._pass(after)
        return archive_evidence(TICK, self.services())

    def rows(self) -> list[EvidenceRow]:
        rows = evidence_rows.read_all(self._services.ledger, JOB.key).values()
        return sorted(rows, key=lambda row: row.source)

    def stored(self, key: str | None) -> bytes:
        return (self.folder / "archive" / str(key)).read_bytes()

    def _pass(self, ms: int) -> None:
        file = self.folder / "clock"
        file.write_text(f"{int(file.read_text()) + ms if file.exists() else START}\n")

    def close(self) -> None:
        bootstrap.close(self._services)


@pytest.fixture
def copying(tmp_path: Path) -> Iterator[Place]:
    with closing(Place(tmp_path, LEDGER_COPY_OUTPUTS=JOB.kind)) as place:
        yield place


def test_outputs_are_named_and_not_copied_unless_settings_say_so(tmp_path: Path) -> None:
    with closing(Place(tmp_path)) as place:
        place.write(COVERS[0], picture("one"))
        place.settle()
        row = read_job(place.services().ledger, JOB.key)

        assert row is not None
        assert (row.state.value, row.number("evidence"), place.rows()) == ("succeeded", None, [])


def test_outputs_are_copied_under_their_hash_and_the_manifest_tells_of_them(copying: Place) -> None:
    bodies = (picture("one"), b"no picture, and nobody minds")
    for key, body in zip(COVERS, bodies, strict=True):
        copying.write(key, body)
    copying.settle()

    assert copying.archive(after=HOUR) == {"kept": 2}
    rows = copying.rows()
    assert [copying.stored(row.key) for row in rows] == list(bodies)
    assert [row.sha256 for row in rows] == [digest(body) for body in bodies]
    assert [row.content_type for row in rows] == ["image/png", "application/octet-stream"]
    manifest = json.loads(copying.stored(f"evidence/{JOB.path}/manifest.json"))
    assert {one["key"] for one in manifest["items"]} == {row.key for row in rows}


def test_an_output_that_is_gone_is_tried_for_two_weeks_and_lost_with_a_reason(copying: Place) -> None:
    copying.write(COVERS[0], picture("one"))
    copying.settle()

    assert copying.archive(after=HOUR) == {"kept": 1, "put_off": 1}
    assert copying.archive(after=13 * DAY) == {"put_off": 1}
    assert copying.archive(after=DAY) == {"lost": 1}
    assert [(row.status, row.reason is None) for row in copying.rows()] == [("kept", True), ("lost", False)]


def test_an_output_that_cannot_be_read_from_here_is_tried_on_for_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Place(tmp_path, LEDGER_COPY_OUTPUTS=JOB.kind, LEDGER_RESULT_FILES="")) as place:
        place.settle()

        assert place.archive(after=30 * DAY) == {"put_off": 2}
    assert "misconfigured: evidence cannot be kept: set LEDGER_RESULT_FILES" in caplog.text


def test_nobody_reads_a_bucket_who_was_not_told_to_copy(tmp_path: Path) -> None:
    """What an answer calls evidence may have any address."""
    url = f"oss://{BUCKET}.oss-cn-shanghai.aliyuncs.com/{COVERS[0]}"
    with closing(Place(tmp_path)) as place:
        place.write(COVERS[0], picture("one"))
        asked = place.services().downloads.download(url, deadline=START + MINUTE)

        with pytest.raises(DownloadRefusedError, match="no address on the web"), asked:
            pass
