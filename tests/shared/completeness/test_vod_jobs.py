"""What VOD lists of known media is compared, politely, and alarms nobody."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.completeness.making import make_report
from shared.completeness.vod_jobs import vod_listing
from shared.errors import JobNotFoundError, ThrottledError, VendorRefusedError
from shared.ports import Services
from shared.vendor import ApiAnswer, ApiRequest, Format, Part
from tests.shared.completeness.conftest import WINDOW, found, seen
from tests.world import World, ref


class Listing:
    """A VOD that lists jobs of media, or refuses."""

    def __init__(self, *replies: bytes | Exception, form: Format = "json") -> None:
        self.asked: list[ApiRequest] = []
        self._replies, self._format = list(replies), form

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        self.asked.append(request)
        reply = self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return ApiAnswer(Part("answer", self._format, reply))


def asking(world: World, listing: Listing) -> Services:
    return replace(world.services, media_api=listing)


def listed(job_ids: Sequence[str]) -> bytes:
    jobs = [{"JobId": job_id, "Status": "success"} for job_id in job_ids]
    return json.dumps({"RequestId": "r", "JobInfoList": jobs, "MediaId": "m"}).encode()


IN_XML = (
    b"<R><RequestId>r</RequestId><JobInfoList><JobInfo><JobId>known</JobId></JobInfo>"
    b"<JobInfo><JobId>lost</JobId></JobInfo></JobInfoList></R>"
)
FLAT_XML = (
    b"<R><JobInfoList><JobId>known</JobId></JobInfoList><JobInfoList><JobId>lost</JobId></JobInfoList></R>"
)


@pytest.mark.parametrize(
    ("form", "body"), [("json", listed(["known", "lost"])), ("xml", IN_XML), ("xml", FLAT_XML)]
)
def test_a_job_that_only_vod_knows_is_named_and_may_be_none_of_ours(
    world: World, form: Format, body: bytes
) -> None:
    world.put(seen("known"))
    listing = Listing(body, form=form)

    source = vod_listing(asking(world, listing), {"media-1": "cn-beijing"}, most=1)

    assert source.compared == 2
    assert found(source) == {"not_known": (f"{ref('lost').key} (media media-1)",)}
    assert not source.findings[0].needs_person
    assert [(one.action, one.region, dict(one.params)) for one in listing.asked] == [
        ("ListJobInfo", "cn-beijing", {"MediaId": "media-1", "JobType": "ai"})
    ]


def test_one_list_that_cannot_be_read_stops_no_other(world: World) -> None:
    listing = Listing(b"{", JobNotFoundError("no such media"), listed(["lost"]))

    source = vod_listing(asking(world, listing), {"m-1": None, "m-2": None, "m-3": None}, most=3)

    assert set(found(source)["unreadable"]) == {"m-1", "m-2"}
    assert source.compared == 1


@pytest.mark.parametrize("error", [VendorRefusedError("no permission"), ThrottledError("slow down")])
def test_the_first_refusal_ends_the_asking_and_is_told(world: World, error: Exception) -> None:
    listing = Listing(error, listed(["lost"]))

    source = vod_listing(asking(world, listing), {"m-1": None, "m-2": None}, most=2)

    assert source.status == "cut_short"
    assert str(error) in (source.note or "")
    assert len(listing.asked) == 1


def test_media_that_vod_was_not_asked_about_are_counted_in_a_warning(world: World) -> None:
    for number in range(5):
        world.put(seen(f"job-{number}", media_id=f"media-{number}"))
    world.put(seen("job-5", media_id="media-0"))
    listing = Listing(listed([]))

    report = make_report(asking(world, listing), WINDOW, run="run-1", most_listings=1)

    assert len(listing.asked) == 1
    assert "VOD ListJobInfo: compared in part only: asked about 1 of 5 media" in report.warnings


def test_a_listing_of_all_known_media_is_whole(world: World) -> None:
    assert vod_listing(asking(world, Listing(listed(["lost"]))), {"m-1": None}, most=1).status == "compared"


def test_vod_is_not_asked_faster_than_its_limit(world: World) -> None:
    before = world.clock.now()

    vod_listing(asking(world, Listing(*[listed([])] * 30)), {f"m-{n}": None for n in range(30)}, most=30)

    assert 30 / ((world.clock.now() - before) / 1000) < 15
