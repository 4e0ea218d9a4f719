"""Every sample of `events/track/` is replayed through the handler, as Function Compute would."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from functions.track.handler import handle, handler
from shared.announcements import MAX_BYTES, MAX_ITEMS
from shared.completeness import sources
from shared.completeness.survey import Window
from shared.errors import ParseError, TemporaryError
from shared.job_row import read_job
from shared.jobs import State
from shared.record import digest
from shared.tables import INBOX, nameless_key
from shared.toolkit import fake_context
from tests.faults import UNAVAILABLE, Faults, first
from tests.world import START, World

FOLDER = Path(__file__).parents[2] / "events" / "track"
SAMPLES = sorted(FOLDER.iterdir())

# What becomes of the items of each sample: announced, refused; and the status that HTTP answers with.
EXPECTED: dict[str, tuple[int, int, int | None]] = {
    "answer-production.json": (2, 0, None),
    "answer-video-quality.json": (1, 0, None),
    "answer-vod.json": (1, 0, None),
    "http-base64.json": (1, 0, 200),
    "http-get.json": (0, 0, 405),
    "http-post.json": (1, 0, 200),
    "http-wrong.json": (1, 1, 400),
    "lines.ndjson": (3, 0, None),
    "many.json": (3, 0, None),
    "one.json": (1, 0, None),
    "some-wrong.json": (1, 4, None),
    "unreadable.json": (0, 0, None),
}

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)


def told(world: World, event: bytes) -> dict[str, Any]:
    """Give the report of an event, out of HTTP's answer where it is one."""
    try:
        answered: dict[str, Any] = handle(event, world.services)
    except ParseError:
        return {}
    return json.loads(answered["body"]) if "statusCode" in answered else answered


def request(body: str, *, method: str = "POST", is_base64: bool = False) -> bytes:
    """Write the event of a request."""
    event = json.loads((FOLDER / "http-post.json").read_bytes())
    event["requestContext"]["http"]["method"] = method
    return json.dumps({**event, "body": body, "isBase64Encoded": is_base64}).encode()


@each_sample
def test_every_job_of_a_sample_is_announced_and_every_wrong_item_refused(sample: Path) -> None:
    world = World(None)
    announced, refused, _ = EXPECTED[sample.name]
    report = told(world, sample.read_bytes())
    items = report.get("items", [])

    assert [report.get("announced", 0), report.get("refused", 0)] == [announced, refused]
    assert len(items) == announced + refused
    for item in items:
        if item["outcome"] == "announced":
            row = read_job(world.ledger, item["job"])
            assert row is not None
            assert (row.state, row.text("first_seen_by")) == (State.TRACKED, "track")
        else:
            assert item["reason"]
    assert world.vendor.calls == []


@each_sample
def test_a_sample_that_comes_again_changes_nothing(sample: Path) -> None:
    world = World(None)
    report = told(world, sample.read_bytes())
    keys = [item["job"] for item in report.get("items", []) if "job" in item]
    before = [read_job(world.ledger, key) for key in keys]
    world.clock.advance(1)
    again = told(world, sample.read_bytes())

    assert again.get("known", 0) == report.get("announced", 0)
    assert [read_job(world.ledger, key) for key in keys] == before


@pytest.mark.parametrize("sample", [path for path in SAMPLES if EXPECTED[path.name][2]], ids=lambda p: p.stem)
def test_a_request_is_answered_in_the_words_of_http(sample: Path) -> None:
    answered = handle(sample.read_bytes(), World(None).services)

    assert answered["statusCode"] == EXPECTED[sample.name][2]
    assert set(answered) == {"statusCode", "headers", "isBase64Encoded", "body"}


def test_what_announces_nothing_is_kept_because_nobody_may_read_the_answer() -> None:
    world = World(None)
    wrong, unreadable = [(FOLDER / name).read_bytes() for name in ("some-wrong.json", "unreadable.json")]
    handle(wrong, world.services)
    with pytest.raises(ParseError):
        handle(unreadable, world.services)

    assert world.stored() == {
        f"quarantine/2025-11-20/{digest(payload)}": payload for payload in (wrong, unreadable)
    }


def test_what_announces_nothing_is_found_by_the_completeness_report_with_its_reason() -> None:
    world = World(None)
    payload = b'[{"kind": "ice.production", "job_id": "a", "region": "CN"}, 0]'
    for _ in range(2):  # an asynchronous invocation that is tried again
        handle(payload, world.services)

    day = date(2025, 11, 20)
    source = sources.kept_unreadable(world.services, Window(day, day), set())
    rows = world.ledger.under(
        INBOX, nameless_key("refused", digest(payload)), columns=("reason",), limit=9
    ).rows
    assert [(one.name, one.count, one.needs_person) for one in source.findings] == [
        ("refused_announcements", 1, True)
    ]
    assert [row["reason"] for row in rows] == [
        "2 of 2 refused; the first: ice.production/a: region: regions look like cn-shanghai"
    ]


def test_announcements_that_could_not_be_set_aside_are_tried_again() -> None:
    failing = World(None).through(Faults(first("insert", UNAVAILABLE)))

    with pytest.raises(TemporaryError):
        handle(b"no JSON", failing)


def test_a_request_that_is_refused_is_not_kept_its_sender_reads_the_answer() -> None:
    world = World(None)
    handle((FOLDER / "http-wrong.json").read_bytes(), world.services)

    assert world.stored() == {}


@pytest.mark.parametrize(
    ("event", "status", "says"),
    [
        (request(""), 400, "not JSON"),
        (request("{"), 400, "not JSON"),
        (request("[]"), 400, "empty"),
        (request("!", is_base64=True), 400, "base64"),
        (request(base64.b64encode(b"\xff").decode(), is_base64=True), 400, "UTF-8"),
        (request(" " * (MAX_BYTES + 1)), 413, str(MAX_BYTES)),
        (request(f"[{','.join(['0'] * (MAX_ITEMS + 1))}]"), 400, str(MAX_ITEMS)),
        (request("{}", method="PUT"), 405, "POST"),
    ],
    ids=["empty", "cut", "no item", "no base64", "no text", "large", "many", "put"],
)
def test_a_bad_request_is_answered_with_what_is_wrong(event: bytes, status: int, says: str) -> None:
    answered = handle(event, World(None).services)

    assert answered["statusCode"] == status
    assert says in json.loads(str(answered["body"]))["error"]


def test_a_job_that_could_not_be_stored_is_sent_again_whoever_sent_it() -> None:
    world = World(None)
    for name in ("many.json", "http-post.json"):
        event = (FOLDER / name).read_bytes()
        failing = world.through(Faults(first("insert_many", UNAVAILABLE)))
        if name == "many.json":
            with pytest.raises(TemporaryError, match="not_stored=3"):
                handle(event, failing)
        else:
            assert handle(event, failing)["statusCode"] == 503

        report = told(world, event)
        assert report["announced"] == len(report["items"])


def test_when_time_is_over_the_rest_is_tried_again() -> None:
    late = replace(World(None).services, deadline=START)

    with pytest.raises(TemporaryError):
        handle((FOLDER / "many.json").read_bytes(), late)


def test_the_entry_point_announces_nothing_without_settings_and_says_which() -> None:
    with pytest.raises(Exception, match="LEDGER_OBJECTS"):
        handler(b"{}", fake_context(function_name="track"))
