"""`evidence`, `hold` and `release-hold`: what a person sees of a job's evidence, and keeps of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from localcloud.evidence.answers import refusal
from localcloud.evidence.pictures import picture
from localcloud.evidence.server import EvidenceServer
from localcloud.media.vod import Outcome
from localcloud.media.wire import Tree
from shared import archival, bootstrap
from shared.settings import Settings
from tests.cli.conftest import DATA, NOON, LocalVendor, Shell

SECRET = "seen-by-nobody"


@dataclass(frozen=True)
class Reviewed:
    """A settled review of two pictures, `kept.jpg` and `gone.jpg`."""

    shell: Shell
    server: EvidenceServer
    job: str

    def keep(self) -> None:
        """Fetch what is due, as `archive` does."""
        folder = self.shell.folder / "media-ledger-data"
        stores = {
            "LEDGER_OBJECTS": f"file://{folder}/archive",
            "LEDGER_TABLES": f"sqlite://{folder}/ledger.db",
        }
        services = bootstrap.build(Settings.read({**self.shell.env, **stores}))
        archival.keep_evidence_of(services, [self.shell.json("explain", self.job, "--json")["job"]])
        bootstrap.close(services)

    def items(self, *words: str) -> dict[str, dict[str, Any]]:
        """Give what the command tells of each picture, by its status."""
        told = self.shell.json("evidence", self.job, "--json", *words)["items"]
        return {one["status"]: one for one in told}

    def held(self) -> list[Path]:
        return [path for path in self.shell.folder.rglob("archive/held/**/*") if path.is_file()]


@pytest.fixture
def reviewed(shell: Shell, vendor: LocalVendor) -> Iterator[Reviewed]:
    """Give a shell whose ledger has a settled review, one of its pictures kept, and one out of reach."""
    with EvidenceServer() as server:
        server.set("gone.jpg", refusal("404 Not Found"))
        urls = [server.url(name, query=f"Signature={SECRET}") for name in ("kept.jpg", "gone.jpg")]
        images: Tree = [{"Type": "cover", "Label": "normal", "Url": url} for url in urls]
        vendor.vod.outcomes = {"media-1": Outcome("success", data={**DATA, "ImageResult": images})}
        shell.env |= {
            "LEDGER_EVIDENCE_HOSTS": server.host,
            "LEDGER_EVIDENCE_NETWORKS": "127.0.0.0/8",
        }
        job = vendor.submit()
        vendor.clock.set(NOON + 60_000)
        shell.json("settle", "vod.media_audit", job, "--region", "cn-shanghai", "--json")
        begun = Reviewed(shell, server, job)
        begun.keep()
        yield begun


def test_it_tells_what_is_kept_and_until_when_the_rest_can_be_had(reviewed: Reviewed) -> None:
    items = reviewed.items()

    kept, pending = items["kept"], items["pending"]
    assert (kept["size"], kept["content_type"]) == (len(picture("kept.jpg")), "image/png")
    assert kept["slack_ms"] is kept["reason"] is kept["link"] is None
    assert pending["slack_ms"] > 0
    assert "answered 404" in pending["reason"]
    assert kept["is_present"]
    assert pending["is_present"]


def test_people_see_a_table_without_what_signs_an_address(reviewed: Reviewed) -> None:
    shown = reviewed.shell.run("evidence", reviewed.job, "--links").output

    assert "kept" in shown
    assert "13 d 23 h" in shown
    assert SECRET not in shown
    assert SECRET not in json.dumps(reviewed.items("--links"))


def test_a_link_is_made_when_somebody_looks(reviewed: Reviewed) -> None:
    link = urlsplit(reviewed.items("--links")["kept"]["link"])

    assert Path(link.path).read_bytes() == picture("kept.jpg")
    assert reviewed.items("--links")["pending"]["link"] is None


def test_a_hold_says_what_is_still_to_come_and_is_told_of(reviewed: Reviewed) -> None:
    done = reviewed.shell.run("hold", reviewed.job, "--reason", "case 7", "--by", "ann", "--json")

    assert done.exit_code == 3
    told = json.loads(done.stdout)
    assert (told["status"], told["by"], told["copied"], told["pending"]) == ("copying", "ann", 3, 1)
    assert "copying since" in reviewed.shell.run("evidence", reviewed.job).output
    flags = reviewed.shell.run("report", "--json").stdout
    counts = {one["name"]: one["count"] for one in json.loads(flags)["flags"]}
    assert (counts["held"], counts["hold_unfinished"]) == (1, 1)


def test_a_hold_is_released(reviewed: Reviewed) -> None:
    reviewed.shell.run("hold", reviewed.job, "--reason", "case 7", "--by", "ann")
    assert len(reviewed.held()) == 5

    assert reviewed.shell.json("release-hold", reviewed.job, "--reason", "closed", "--json") == {"removed": 4}
    assert reviewed.held() == []
    again = reviewed.shell.run("release-hold", reviewed.job, "--reason", "closed")
    assert (again.exit_code, "this job is not held" in again.output) == (1, True)


@pytest.mark.parametrize("command", ["hold", "release-hold"])
@pytest.mark.parametrize("reason", ["  ", "x" * 501])
def test_nothing_is_held_or_released_without_a_reason(reviewed: Reviewed, command: str, reason: str) -> None:
    assert reviewed.shell.run(command, reviewed.job, "--reason", reason).exit_code == 2
    assert reviewed.held() == []
