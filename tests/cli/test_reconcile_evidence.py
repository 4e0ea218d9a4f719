"""`reconcile` on a laptop keeps the evidence of the jobs that it settles."""

from __future__ import annotations

from localcloud.evidence.answers import refusal
from localcloud.evidence.server import EvidenceServer
from localcloud.media.vod import Outcome
from localcloud.media.wire import Tree
from shared.policy import HOUR, MINUTE
from tests.cli.conftest import LocalVendor, Shell


def review(*urls: str) -> Outcome:
    pictures: list[Tree] = [{"Type": "cover", "Label": "normal", "Url": url} for url in urls]
    return Outcome("success", data={"Suggestion": "review", "ImageResult": pictures})


def test_pictures_are_fetched_and_those_that_do_not_come_are_tried_again(
    shell: Shell, vendor: LocalVendor
) -> None:
    with EvidenceServer() as pictures:
        pictures.set("2", refusal("404 Not Found"))
        shell.env |= {"LEDGER_EVIDENCE_HOSTS": pictures.host, "LEDGER_EVIDENCE_NETWORKS": "127.0.0.0/8"}
        vendor.vod.outcomes = {"media-2": review(pictures.url("1"), pictures.url("2"))}
        job = vendor.submit("media-2")
        shell.json("track", "vod.media_audit", job, "--region", "cn-shanghai", "--json")
        vendor.clock.sleep(15 * MINUTE)
        first = shell.json("reconcile", "--json")["evidence"]
        vendor.clock.sleep(HOUR)
        again = shell.run("reconcile")

        assert first == {"kept": 1, "put_off": 1}
        assert "evidence: 1 put off" in again.stdout
        assert (pictures.asked("1"), pictures.asked("2")) == (1, 2)
    counts = {"kept": 1, "pending": 1, "lost": 0}
    assert shell.json("show", job, "--json")["evidence"] == counts
    assert [one["evidence"] for one in shell.json("jobs", "--json")["jobs"]] == [counts]
    assert "1 kept, 1 pending" in shell.run("show", job).stdout
    assert "1 of 2 pictures are to be kept" in " ".join(shell.run("explain", job).stdout.split())
