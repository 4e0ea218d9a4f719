"""What a topic pushes, as a function gets it, and what happens when it is not taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from localcloud.fc.topic_trigger import ContentFormat, TopicPushes, TopicTrigger
from localcloud.mns.topics import Strategy
from shared.adapters.clocks import ManualClock
from shared.errors import PermanentError
from tests.localcloud.mns.worlds import ACCOUNT, START, Caller, new_service

SAMPLES = Path(__file__).parents[3] / "events" / "callback"


class Subscribed:
    """A topic whose messages go to a function that refuses so many of them first."""

    def __init__(
        self,
        content_format: ContentFormat = "JSON",
        *,
        strategy: Strategy = "BACKOFF_RETRY",
        filter_tag: str = "",
        refuses: int = 0,
    ) -> None:
        self.refuses = refuses
        self.tries: list[int] = []
        self.events: list[bytes] = []
        self.posted: list[str] = []
        self.clock = ManualClock(START)
        pushes = TopicPushes(otherwise=self._post)
        self.service = new_service(clock=self.clock, post=pushes)
        self.caller = Caller(self.service, self.clock)
        assert self.caller.send("PUT", "/topics/callbacks", "<Topic/>").status == 201
        trigger = TopicTrigger("callback", "topic", "callbacks", content_format, strategy, filter_tag)
        pushes.connect(trigger, self.service.account, self._accept)

    def publish(self, body: str, tag: str = "") -> None:
        """Publish, and let what is due be pushed."""
        tagged = f"<MessageTag>{tag}</MessageTag>" if tag else ""
        document = f"<Message><MessageBody>{body}</MessageBody>{tagged}</Message>"
        assert self.caller.send("POST", "/topics/callbacks/messages", document).status == 201
        self.service.push_due()

    def live(self, *, seconds: int) -> None:
        """Let time pass."""
        for _ in range(seconds):
            self.clock.advance(1_000)
            self.service.push_due()

    def event(self) -> dict[str, Any]:
        """Give the one event that came."""
        (event,) = self.events
        return dict(json.loads(event))

    def _accept(self, event: bytes) -> None:
        self.tries.append(self.clock.now() - START)
        if len(self.tries) <= self.refuses:
            raise PermanentError("too long")
        self.events.append(event)

    def _post(self, url: str, headers: object, body: bytes) -> int:
        self.posted.append(url)
        return 204


def test_json_has_the_fields_of_the_documented_event_and_types() -> None:
    subscribed = Subscribed()

    subscribed.publish("hello topic")

    event, sample = subscribed.event(), json.loads((SAMPLES / "topic-json.json").read_text())
    assert event.keys() == sample.keys()
    assert {name: type(value) for name, value in event.items()} == {
        name: type(value) for name, value in sample.items()
    }
    assert (event["Message"], event["TopicName"], event["TopicOwner"]) == (
        "hello topic",
        "callbacks",
        ACCOUNT,
    )
    assert event["PublishTime"] == START


def test_attributes_of_json_stand_beside_the_fields() -> None:
    subscribed = Subscribed()

    subscribed.publish("hello topic", tag="audit")

    assert subscribed.event()["MessageTag"] == "audit"


def test_stream_is_the_bare_body() -> None:
    subscribed = Subscribed("STREAM")

    subscribed.publish("hello topic")

    assert subscribed.events == [b"hello topic"]


def test_stream_with_attributes_is_an_object_of_both() -> None:
    subscribed = Subscribed("STREAM")

    subscribed.publish("hello topic", tag="audit")

    assert subscribed.event() == {"body": "hello topic", "attrs": {"MessageTag": "audit"}}


def test_a_filter_lets_only_its_tag_through() -> None:
    subscribed = Subscribed("STREAM", filter_tag="audit")

    subscribed.publish("other", tag="else")
    subscribed.publish("untagged")
    assert subscribed.events == []

    subscribed.publish("mine", tag="audit")
    assert subscribed.event()["body"] == "mine"


def test_a_push_that_is_not_taken_comes_three_times_more_within_a_minute() -> None:
    subscribed = Subscribed(refuses=99)

    subscribed.publish("hello")
    subscribed.live(seconds=120)

    waits = [later - earlier for earlier, later in zip(subscribed.tries, subscribed.tries[1:], strict=False)]
    assert len(waits) == 3
    assert all(10_000 <= wait <= 21_000 for wait in waits)
    assert [message.body for message in subscribed.service.account.dropped] == ["hello"]


def test_the_long_strategy_goes_on_with_longer_and_longer_waits() -> None:
    subscribed = Subscribed(strategy="EXPONENTIAL_DECAY_RETRY", refuses=6)

    subscribed.publish("hello")
    subscribed.live(seconds=120)

    assert subscribed.tries == [0, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000]
    assert len(subscribed.events) == 1


def test_other_subscribers_are_posted_to_as_ever() -> None:
    subscribed = Subscribed()
    endpoint = "<Subscription><Endpoint>http://127.0.0.1:1/x</Endpoint></Subscription>"
    assert subscribed.caller.send("PUT", "/topics/callbacks/subscriptions/web", endpoint).status == 201

    subscribed.publish("hello")

    assert (subscribed.posted, len(subscribed.events)) == (["http://127.0.0.1:1/x"], 1)


@pytest.mark.parametrize("body", ["中文 &amp; &lt;tag&gt;", '{"a": 1}'])
def test_a_body_arrives_as_it_was_published(body: str) -> None:
    subscribed = Subscribed("STREAM")

    subscribed.publish(body)

    assert subscribed.events == [
        body.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").encode()
    ]
