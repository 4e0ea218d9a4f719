"""The report counts the evidence of present records, and says what a person can still do."""

from __future__ import annotations

import pytest

from shared import archival
from shared.completeness.making import make_report
from shared.completeness.page import page
from shared.completeness.report import CompletenessReport, EvidenceCounts
from shared.errors import DownloadRefusedError
from shared.policy import DAY
from tests.scripted_vendor import answer, callback
from tests.shared.completeness.conftest import WINDOW, seen
from tests.world import World, ref

PICTURES = [f"http://oss.example/{number}.jpg?Signature=secret" for number in range(3)]


def settle(world: World, job: str, *pictures: str) -> None:
    world.vendor.know(job, answer(job, pictures=pictures))
    world.deliver(callback(job))
    archival.keep_evidence_of(world.services, [ref(job).key])


def report(world: World) -> CompletenessReport:
    return make_report(world.services, WINDOW, run="run-1")


def flags(made: CompletenessReport) -> dict[str, bool]:
    return {
        group.name: group.needs_person
        for group in made.flags
        if group.count and group.name.startswith("evidence")
    }


def test_all_evidence_of_the_window_is_counted(world: World) -> None:
    world.pictures.have(PICTURES[0])
    world.pictures.say(PICTURES[1], DownloadRefusedError("no picture"))
    settle(world, "job-1", *PICTURES)
    settle(world, "job-2", PICTURES[0])
    settle(world, "job-3")
    made = report(world)

    assert made.evidence == EvidenceCounts(kept=2, pending=1, lost=1)
    assert flags(made) == {"evidence_refused": True, "evidence_lost": False, "evidence_pending": False}
    assert "Of 4 pictures" in page(made)
    assert "secret" not in page(made)


def test_a_job_whose_pictures_are_all_kept_has_no_flag(world: World) -> None:
    world.pictures.have(PICTURES[0])
    settle(world, "job-1", PICTURES[0])

    assert flags(report(world)) == {}


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (6, {"evidence_pending": False}),
        (7, {"evidence_pending": False, "evidence_at_risk": True}),
    ],
)
def test_half_of_the_time_later_a_pending_picture_needs_a_person(
    world: World, days: int, expected: dict[str, bool]
) -> None:
    settle(world, "job-1", PICTURES[0])
    world.clock.advance(days * DAY)

    assert flags(report(world)) == expected


def test_what_is_lost_for_good_is_told_and_needs_nobody(world: World) -> None:
    settle(world, "job-1", PICTURES[0])
    world.clock.advance(15 * DAY)
    archival.keep_due_evidence(world.services)

    assert flags(report(world)) == {"evidence_lost": False}


def test_evidence_that_no_row_tells_of_needs_a_person(world: World) -> None:
    world.put(seen("job-1", evidence=2, digest="d"))

    assert flags(report(world)) == {"evidence_untracked": True}
