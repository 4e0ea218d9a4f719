"""What is said of a job's pictures: what became of them, and what comes next."""

from __future__ import annotations

from shared import archival
from shared.errors import DownloadRefusedError
from shared.explanation import explain
from tests.shared.test_archival import JOB, KEY, ONE, THREE, TWO, world_with
from tests.world import START


def test_pictures_are_told_by_what_became_of_them() -> None:
    world = world_with(ONE, TWO, THREE, there=(ONE,))
    world.pictures.say(TWO, DownloadRefusedError("no picture"))
    archival.keep_evidence_of(world.services, [KEY])
    told = explain(world.services, world.row(JOB))
    history = {one.what: one.at for one in told.history}

    assert history["1 of 3 pictures kept by then"] == START
    assert (
        history["1 of 3 pictures lost by then, the last because of DownloadRefusedError: no picture"] == START
    )
    (to_come,) = [one for one in told.next if "pictures" in one.what]
    assert to_come.what == (
        "1 of 3 pictures are to be kept; the first failed 1 times: GoneError: there is no such picture"
    )
    assert to_come.at == START + world.services.policy.evidence_retries[0]


def test_a_job_without_pictures_has_no_word_of_them() -> None:
    world = world_with()
    told = explain(world.services, world.row(JOB))

    assert [one.what for one in (*told.history, *told.next) if "picture" in one.what] == []
