"""Callbacks as the vendor writes them, in the events that bring them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.jobs import JobRef
from tests.simulation.stories import ACCOUNT, REGION

_TIME = "2025-11-20T12:00:00Z"
# How each product spells the endings.
_WORDS: Mapping[str, Mapping[str, str]] = {
    "vod.media_audit": {"succeeded": "success", "failed": "fail", "running": "processing"},
    "mts.video_quality": {"succeeded": "Success", "failed": "Fail", "running": "Processing"},
    "mts.production": {"succeeded": "Success", "failed": "Fail", "running": "Analysing"},
    "ice.production": {"succeeded": "Success", "failed": "Fail", "running": "Analyzing"},
}


@dataclass(frozen=True)
class Message:
    """A callback under the id that MNS gave it."""

    message_id: str
    ref: JobRef
    status: str
    suggestion: str | None

    @property
    def body(self) -> str:
        """Write it as its product does (media-jobs.md 1)."""
        kind, job_id, word = self.ref.kind, self.ref.job_id, _WORDS[self.ref.kind][self.status]
        told: dict[str, object]
        if kind == "vod.media_audit":
            told = {"EventTime": _TIME, "EventType": "AIMediaAuditComplete", "JobId": job_id, "Status": word}
            if self.suggestion is not None:
                told["Data"] = {"Suggestion": self.suggestion}
        elif kind == "ice.production":
            job = {"Status": word, "JobId": job_id}
            told = {
                "EventType": "AIProduceComplete",
                "UserId": int(ACCOUNT),
                "EventTime": _TIME,
                "MessageBody": job,
            }
        else:
            kind_type = "IProduction" if kind == "mts.production" else "VideoQuality"
            told = {"Type": kind_type, "JobId": job_id, "State": word}
        return json.dumps(told)


def topic_event(message: Message) -> bytes:
    """Write the event of an MNS topic."""
    event = {
        "TopicOwner": ACCOUNT,
        "Message": message.body,
        "Subscriber": ACCOUNT,
        "PublishTime": 1_763_640_000_000,
        "SubscriptionName": "media-ledger-callback",
        "TopicName": TOPIC,
        "MessageId": message.message_id,
    }
    return json.dumps(event).encode()


def queue_event(messages: Sequence[Message]) -> bytes:
    """Write the event of an MNS queue: one or more messages."""
    events = [
        {
            "id": message.message_id,
            "source": TOPIC,
            "specversion": "1.0",
            "type": "mns:Queue:SendMessage",
            "datacontenttype": "application/json; charset=utf-8",
            "subject": f"acs:mns:{REGION}:{ACCOUNT}:queues/{TOPIC}",
            "time": _TIME,
            "aliyunregionid": REGION,
            "data": {"requestId": "r", "messageId": message.message_id, "messageBody": message.body},
        }
        for message in messages
    ]
    return json.dumps(events).encode()


TOPIC = "media-callbacks"
