"""Every file in `events/callback` through `messages` and `read`, against one table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from shared.errors import ParseError
from shared.inbound.notifications import Notification, SetAside, Unsorted, decide, read
from shared.toolkit.message import Message, Messages
from shared.toolkit.triggers import recognize

EVENTS = Path(__file__).parents[3] / "events"
FILES = sorted((EVENTS / "callback").iterdir())

# Per message: transport, region, and what its body says in one word or two.
EXPECTED = {
    "duplicate.json": ["mns-topic - vod.media_audit succeeded/block"],
    "failed.json": ["mns-queue cn-shanghai vod.media_audit failed"],
    "ice-other-event.json": ["mns-queue cn-shanghai aside: ProduceMediaComplete"],
    "ice-produce-complete.json": ["mns-queue cn-shanghai ice.production succeeded"],
    "ice-string-body.json": ["mns-queue cn-shanghai ice.production failed"],
    "mixed-batch.json": [
        "mns-queue cn-shanghai vod.media_audit succeeded/pass",
        "mns-queue cn-shanghai unreadable: JobId is missing",
        "mns-queue cn-shanghai aside: AIVideoTagComplete",
    ],
    "mps-censor.json": ["mns-queue cn-shanghai aside: MediaCensor"],
    "mps-classic-transcode.json": ["mns-topic - aside: Transcode"],
    "mps-production-failed.json": ["mns-queue cn-shanghai mts.production failed"],
    "mps-production.json": ["mns-topic - mts.production succeeded"],
    "mps-smarttag.json": ["mns-topic - aside: smarttag"],
    "mps-video-quality.json": ["mns-queue cn-shanghai unsorted: mts.video_quality succeeded"],
    "mps-workflow.json": ["mns-topic - aside: Report"],
    "other-event.json": ["mns-queue cn-shanghai aside: AIMediaDNAComplete"],
    "queue-array.json": [
        "mns-queue cn-shanghai vod.media_audit succeeded/pass",
        "mns-queue cn-shanghai vod.media_audit succeeded/block",
    ],
    "queue-base64.json": ["mns-queue cn-shanghai vod.media_audit succeeded/pass"],
    "queue-json-strings.json": ["mns-queue cn-shanghai vod.media_audit succeeded/pass"] * 2,
    "queue-object.json": ["mns-queue cn-shanghai vod.media_audit succeeded/review"],
    "queue-rawdata.json": ["mns-queue - vod.media_audit succeeded/block"],
    "queue-topic-wrapper-json.json": ["mns-queue cn-shanghai vod.media_audit succeeded/pass"],
    "queue-topic-wrapper-xml.json": ["mns-queue cn-shanghai vod.media_audit succeeded/pass"],
    "topic-json-attributes.json": ["mns-topic - vod.media_audit succeeded/pass"],
    "topic-json.json": ["mns-topic - vod.media_audit succeeded/block"],
    "topic-stream-attributes.json": ["mns-topic - vod.media_audit succeeded/block"],
    "topic-stream-base64.txt": ["mns-topic - vod.media_audit succeeded/pass"],
    "topic-stream.json": ["mns-topic - vod.media_audit succeeded/review"],
    "unreadable.json": ["mns-topic - unreadable: not JSON: Unterminated string starting at"],
}


def delivered(file: Path) -> tuple[Message, ...]:
    trigger = recognize(file.read_bytes())
    assert isinstance(trigger, Messages)
    return trigger.messages


def outcome(message: Message) -> Notification | SetAside | Unsorted | ParseError:
    assert message.reason is None
    try:
        return read(message.body)
    except ParseError as error:
        return error


def told(message: Message) -> str:
    found = outcome(message)
    if isinstance(found, ParseError):
        said = f"unreadable: {found.reason}"
    elif isinstance(found, SetAside):
        said = f"aside: {found.event_type}"
    else:
        claim = found.claim.text if found.claim else "no claim"
        said = f"{'unsorted: ' if isinstance(found, Unsorted) else ''}{found.ref.kind} {claim}"
    return f"{message.transport} {message.region or '-'} {said}"


def test_the_table_names_every_file() -> None:
    assert sorted(EXPECTED) == [file.name for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_sample_means_what_the_table_says(file: Path) -> None:
    assert [told(message) for message in delivered(file)] == EXPECTED[file.name]


def test_every_sample_names_a_job_of_its_own_but_for_the_duplicate() -> None:
    outcomes = [outcome(m) for file in FILES if file.name != "duplicate.json" for m in delivered(file)]

    jobs = Counter(found.ref.job_id for found in outcomes if isinstance(found, Notification | Unsorted))

    assert len(jobs) == 21
    assert set(jobs.values()) == {1}


def test_the_sample_about_video_quality_is_sorted_by_its_queue() -> None:
    [message] = delivered(EVENTS / "callback/mps-video-quality.json")
    found = outcome(message)
    assert isinstance(found, Unsorted)

    decided = decide(
        found,
        known=False,
        source=message.source,
        sources=frozenset({"video-quality"}),
        pipelines=frozenset(),
    )

    assert decided == Notification(found.ref, found.claim, found.event_type)


def test_the_duplicate_is_the_same_message_again() -> None:
    assert delivered(EVENTS / "callback/duplicate.json") == delivered(EVENTS / "callback/topic-json.json")


def test_messages_of_different_samples_have_different_ids() -> None:
    ids = Counter(m.message_id for file in FILES if file.name != "duplicate.json" for m in delivered(file))

    assert set(ids.values()) == {1}


def test_the_readme_describes_every_sample_and_nothing_else() -> None:
    section = (EVENTS / "README.md").read_text().partition("\n## callback\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]

    assert sorted(row.split("`")[1] for row in rows) == sorted(EXPECTED)
