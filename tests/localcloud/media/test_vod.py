"""The life of a review job, as its clock tells it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.media.audit_results import AUDIO_LABELS, GREEN_LABELS, SCENES, TEXT_LABELS
from localcloud.media.vod import Outcome, Vod
from localcloud.media.wire import RefusedError, Tree
from shared.adapters.clocks import ManualClock
from tests.localcloud.media.worlds import START, World, new_world, vod_request, wire


def ask(world: World, job_id: str) -> dict[str, Any]:
    request = vod_request("GetAIMediaAuditJob", JobId=job_id)
    reply = world.gateway.answer(wire(request, now=world.clock.now()))
    job: dict[str, Any] = json.loads(reply.body)["MediaAuditJob"]
    return job


def finished(world: World, media_id: str) -> dict[str, Any]:
    job_id = world.submit(media_id)
    world.clock.advance(2_000)
    return ask(world, job_id)


def test_a_job_waits_is_processed_and_ends_as_the_clock_moves() -> None:
    world = new_world()
    job_id = world.submit("media-1")

    states = []
    for _ in range(5):
        states.append(ask(world, job_id)["Status"])
        world.clock.advance(500)

    assert states == ["init", "init", "processing", "processing", "success"]


def test_a_running_job_has_no_result_and_no_end() -> None:
    world = new_world()

    job = ask(world, world.submit("media-1"))

    assert sorted(job) == ["CreationTime", "JobId", "MediaId", "Status", "Type"]


def test_a_finished_job_has_what_the_source_pages_have() -> None:
    job = finished(new_world(), "media-1")

    assert (job["Type"], job["Code"], job["Message"]) == ("AIMediaAudit", "0", "OK")
    assert (job["CreationTime"], job["CompleteTime"]) == ("2027-01-15T08:00:00Z", "2027-01-15T08:00:02Z")
    assert set(job["Data"]) >= {
        "Suggestion",
        "Label",
        "VideoResult",
        "ImageResult",
        "TextResult",
        "AudioResult",
    }


def test_the_caller_decides_how_a_media_ends() -> None:
    given: Tree = {"Suggestion": "pass", "Label": "porn", "Unheard": [{"Of": "1"}]}
    world = new_world(
        outcomes={
            "good": Outcome("success", data=given),
            "bad": Outcome("fail", code="FileNotFound", message="The file is gone."),
        }
    )

    good, bad = finished(world, "good"), finished(world, "bad")

    assert (good["Status"], good["Data"]) == ("success", given)
    assert (bad["Status"], bad["Code"], bad["Message"]) == ("fail", "FileNotFound", "The file is gone.")
    assert "Data" not in bad


def test_the_first_jobs_take_the_ids_of_the_caller_and_the_others_32_digits() -> None:
    world = new_world(job_ids=iter(["bdbc266af6894*****943a70176d92e9", "second"]))

    ids = [world.submit() for _ in range(4)]

    assert ids[:2] == ["bdbc266af6894*****943a70176d92e9", "second"]
    assert all(len(job_id) == 32 and int(job_id, 16) for job_id in ids[2:])
    assert len(set(ids)) == 4


def test_success_may_come_before_its_data() -> None:
    world = new_world()
    job_id = world.submit("media-1")
    world.vod.hold_back(job_id, 2)
    running = ask(world, job_id)
    world.clock.advance(2_000)

    answers = [ask(world, job_id) for _ in range(3)]

    assert running["Status"] == "init"
    assert [answer["Status"] for answer in answers] == ["success"] * 3
    assert ["Data" in answer for answer in answers] == [False, False, True]


def test_an_answer_can_be_broken_and_mended() -> None:
    world = new_world()
    job_id = world.submit()
    request = vod_request("GetAIMediaAuditJob", JobId=job_id)

    world.vod.answer_raw(job_id, b'{"MediaAuditJob":')
    broken = world.gateway.answer(wire(request))
    world.vod.answer_raw(job_id, None)

    assert broken.body == b'{"MediaAuditJob":'
    assert ask(world, job_id)["JobId"] == job_id


def test_the_code_for_an_unknown_job_can_be_chosen() -> None:
    vod = Vod(clock=ManualClock(START), not_found_code="JobNotExist")
    get = vod.actions()[1]

    with pytest.raises(RefusedError) as refused:
        get.handle({"JobId": "nobody-knows-it"})

    assert refused.value.code == "JobNotExist"


@pytest.mark.parametrize(
    ("action", "code"), [("SubmitAIMediaAuditJob", "MissingMediaId"), ("GetAIMediaAuditJob", "MissingJobId")]
)
@pytest.mark.parametrize("given", [{}, {"MediaId": "", "JobId": ""}])
def test_what_is_mandatory_is_named(action: str, code: str, given: dict[str, str]) -> None:
    reply = new_world().gateway.answer(wire(vod_request(action, **given)))

    assert (reply.status, json.loads(reply.body)["Code"]) == (400, code)


def test_what_a_media_ends_with_does_not_depend_on_the_order_of_submissions() -> None:
    one, other = new_world(), new_world()
    finished(other, "media-9")

    assert finished(one, "media-1")["Data"] == finished(other, "media-1")["Data"]


MANY = 1_500


def drawn_results() -> list[dict[str, Any]]:
    world = new_world()
    ids = [world.submit(f"media-{number}") for number in range(MANY)]
    world.clock.advance(2_000)
    return [ask(world, job_id) for job_id in ids]


@pytest.fixture(scope="module")
def drawn() -> list[dict[str, Any]]:
    return drawn_results()


def test_drawn_jobs_succeed_and_fail(drawn: list[dict[str, Any]]) -> None:
    statuses = [job["Status"] for job in drawn]

    assert set(statuses) == {"success", "fail"}
    assert MANY / 20 < statuses.count("fail") < MANY / 8


def test_drawn_results_use_the_whole_vocabulary(drawn: list[dict[str, Any]]) -> None:
    seen: dict[str, set[str]] = {}
    for job in drawn:
        data = job.get("Data")
        if not data:
            continue
        for name, result in data["VideoResult"].items():
            if isinstance(result, dict):
                seen.setdefault(name, set()).update(result["Label"].split(","))
        for name in ("ImageResult", "TextResult", "AudioResult"):
            seen.setdefault(name, set()).update(data[name][0]["Label"].split(","))
        seen.setdefault("Data", set()).update(data["Label"].split(","))

    assert seen == {
        "PornResult": {"normal", *SCENES["porn"]},
        "TerrorismResult": {"normal", *SCENES["terrorism"]},
        "AdResult": {"normal", *SCENES["ad"]},
        "LiveResult": {"normal", *SCENES["live"]},
        "LogoResult": {"normal", *SCENES["logo"]},
        "GreenEnhancedResult": {"normal", *GREEN_LABELS},
        "ImageResult": {"normal", *SCENES},
        "TextResult": {"normal", *TEXT_LABELS},
        "AudioResult": {"normal", *AUDIO_LABELS},
        "Data": {"normal", "audio", *SCENES},
    }


def test_an_enhanced_check_without_hits_has_no_scores(drawn: list[dict[str, Any]]) -> None:
    checks = [job["Data"]["VideoResult"]["GreenEnhancedResult"] for job in drawn if "Data" in job]

    quiet = [check for check in checks if check["Label"] == "normal"]
    assert quiet
    assert all(set(check) == {"Suggestion", "Label"} for check in quiet)
    assert all("MaxScore" in check for check in checks if check["Label"] != "normal")


def test_scores_and_positions_are_text_and_counts_are_numbers(drawn: list[dict[str, Any]]) -> None:
    porn = [job["Data"]["VideoResult"]["PornResult"] for job in drawn if "Data" in job]

    tops = [entry for result in porn for entry in result["TopList"]]
    assert all(isinstance(entry["Score"], str) and entry["Timestamp"].isdigit() for entry in tops)
    assert all(isinstance(counter["Count"], int) for result in porn for counter in result["CounterList"])


def test_drawn_suggestions_agree_from_top_to_bottom(drawn: list[dict[str, Any]]) -> None:
    order = ["pass", "review", "block"]

    for job in drawn:
        if data := job.get("Data"):
            video = data["VideoResult"]
            below = [video, *data["ImageResult"], *data["TextResult"], *data["AudioResult"]]
            checks = [part for part in video.values() if isinstance(part, dict)]
            assert data["Suggestion"] == max((part["Suggestion"] for part in below), key=order.index)
            assert video["Suggestion"] == max((part["Suggestion"] for part in checks), key=order.index)
