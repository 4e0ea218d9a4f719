"""Every file in `events/callback` through `messages` and `read`, against one table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from shared.errors import UnreadableError
from shared.inbound.notifications import Notification, SetAside, read
from shared.inbound.triggers import Message, Messages, messages

EVENTS = Path(__file__).parents[3] / "events"
FILES = sorted((EVENTS / "callback").iterdir())

# Per message: transport, region, and what its body says in one word or two.
EXPECTED = {
    "duplicate.json": ["mns-topic - succeeded/block"],
    "failed.json": ["mns-queue cn-shanghai failed"],
    "mixed-batch.json": [
        "mns-queue cn-shanghai succeeded/pass",
        "mns-queue cn-shanghai unreadable: JobId is missing",
        "mns-queue cn-shanghai aside: AIVideoTagComplete",
    ],
    "other-event.json": ["mns-queue cn-shanghai aside: AIMediaDNAComplete"],
    "queue-array.json": ["mns-queue cn-shanghai succeeded/pass", "mns-queue cn-shanghai succeeded/block"],
    "queue-base64.json": ["mns-queue cn-shanghai succeeded/pass"],
    "queue-json-strings.json": ["mns-queue cn-shanghai succeeded/pass"] * 2,
    "queue-object.json": ["mns-queue cn-shanghai succeeded/review"],
    "queue-rawdata.json": ["mns-queue - succeeded/block"],
    "queue-topic-wrapper-json.json": ["mns-queue cn-shanghai succeeded/pass"],
    "queue-topic-wrapper-xml.json": ["mns-queue cn-shanghai succeeded/pass"],
    "topic-json-attributes.json": ["mns-topic - succeeded/pass"],
    "topic-json.json": ["mns-topic - succeeded/block"],
    "topic-stream-attributes.json": ["mns-topic - succeeded/block"],
    "topic-stream-base64.txt": ["mns-topic - succeeded/pass"],
    "topic-stream.json": ["mns-topic - succeeded/review"],
    "unreadable.json": ["mns-topic - unreadable: not JSON: Unterminated string starting at"],
}


def delivered(file: Path) -> tuple[Message, ...]:
    trigger = messages(file.read_bytes())
    assert isinstance(trigger, Messages)
    return trigger.messages


def outcome(message: Message) -> Notification | SetAside | UnreadableError:
    assert message.reason is None
    try:
        return read(message.body)
    except UnreadableError as error:
        return error


def told(message: Message) -> str:
    found = outcome(message)
    if isinstance(found, UnreadableError):
        said = f"unreadable: {found.reason}"
    elif isinstance(found, SetAside):
        said = f"aside: {found.event_type}"
    else:
        said = found.claim.text if found.claim else "no claim"
    return f"{message.transport} {message.region or '-'} {said}"


def test_the_table_names_every_file() -> None:
    assert sorted(EXPECTED) == [file.name for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_sample_means_what_the_table_says(file: Path) -> None:
    assert [told(message) for message in delivered(file)] == EXPECTED[file.name]


def test_every_sample_names_a_job_of_its_own_but_for_the_duplicate() -> None:
    notifications = [outcome(m) for file in FILES if file.name != "duplicate.json" for m in delivered(file)]

    jobs = Counter(found.ref.job_id for found in notifications if isinstance(found, Notification))

    assert len(jobs) == 16
    assert set(jobs.values()) == {1}


def test_the_duplicate_is_the_same_message_again() -> None:
    assert delivered(EVENTS / "callback/duplicate.json") == delivered(EVENTS / "callback/topic-json.json")


def test_messages_of_different_samples_have_different_ids() -> None:
    ids = Counter(m.message_id for file in FILES if file.name != "duplicate.json" for m in delivered(file))

    assert set(ids.values()) == {1}


def test_the_readme_describes_every_sample_and_nothing_else() -> None:
    rows = [line for line in (EVENTS / "README.md").read_text().splitlines() if line.startswith("| `")]

    assert sorted(row.split("`")[1] for row in rows) == sorted(EXPECTED)
