"""What a topic pushes, to whom, and how often it tries."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from shared.adapters.clocks import ManualClock
from shared.toolkit import xml_tree
from tests.localcloud.mns.worlds import ACCOUNT, START, Caller, new_service

SECOND = 1_000
ADDRESS = "http://127.0.0.1:9/notifications"


class Subscriber:
    """Takes pushes, and answers each with the next of `answers`; with the last one for ever."""

    def __init__(self, *answers: int | OSError) -> None:
        self.pushed: list[tuple[Mapping[str, str], bytes]] = []
        self._answers = answers

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Take one push."""
        assert url == ADDRESS
        self.pushed.append((headers, body))
        answer = self._answers[min(len(self.pushed), len(self._answers)) - 1]
        if isinstance(answer, OSError):
            raise answer
        return answer


def world(subscriber: Subscriber, **members: str) -> tuple[Caller, ManualClock]:
    """Make a topic with one subscriber at an address."""
    clock = ManualClock(START)
    mns = Caller(new_service(clock=clock, post=subscriber), clock)
    assert mns.send("PUT", "/topics/told").status == 201
    subscribe(mns, "one", ADDRESS, **members)
    return mns, clock


def subscribe(mns: Caller, name: str, endpoint: str, **members: str) -> None:
    inside = "".join(f"<{key}>{value}</{key}>" for key, value in members.items())
    body = f"<Subscription><Endpoint>{endpoint}</Endpoint>{inside}</Subscription>"
    assert mns.send("PUT", f"/topics/told/subscriptions/{name}", body).status == 201


def publish(mns: Caller, body: str, tag: str = "") -> str:
    inside = f"<MessageTag>{tag}</MessageTag>" if tag else ""
    document = f"<Message><MessageBody>{body}</MessageBody>{inside}</Message>"
    return mns.tree("POST", "/topics/told/messages", document)["MessageId"]


@pytest.mark.parametrize("form", ["XML", "JSON"])
def test_a_wrapped_push_says_whose_message_it_is(form: str) -> None:
    subscriber = Subscriber(204)
    mns, _ = world(subscriber, NotifyContentFormat=form)
    message_id = publish(mns, "中文 &amp; more", tag="red")

    assert mns.service.push_due() == 1
    ((headers, body),) = subscriber.pushed
    tree = json.loads(body) if form == "JSON" else xml_tree.parse(body)
    assert isinstance(tree, dict)
    wanted = {
        "TopicOwner": ACCOUNT,
        "TopicName": "told",
        "Subscriber": ACCOUNT,
        "SubscriptionName": "one",
        "MessageId": message_id,
        "Message": "中文 & more",
        "MessageTag": "red",
        "PublishTime": str(START),
    }
    assert {name: tree[name] for name in wanted} == wanted
    assert len(str(tree["MessageMD5"])) == 32
    assert headers["x-mns-version"] == "2015-06-06"


def test_a_simplified_push_is_the_message_with_its_id_in_a_header() -> None:
    subscriber = Subscriber(204)
    mns, _ = world(subscriber, NotifyContentFormat="SIMPLIFIED")
    message_id = publish(mns, "bare", tag="red")
    mns.service.push_due()

    ((headers, body),) = subscriber.pushed
    assert body == b"bare"
    assert (headers["x-mns-message-id"], headers["x-mns-message-tag"]) == (message_id, "red")


def test_only_204_is_taken_for_success_and_a_refused_push_comes_again() -> None:
    subscriber = Subscriber(200, 500, OSError("gone"), 204)
    mns, clock = world(subscriber)
    publish(mns, "one")
    for tries in range(1, 5):
        mns.service.push_due()
        assert len(subscriber.pushed) == tries
        mns.service.push_due()
        assert len(subscriber.pushed) == tries  # not before ten seconds are over
        clock.advance(20 * SECOND)

    mns.service.push_due()
    assert len(subscriber.pushed) == 4
    assert mns.service.account.dropped == []


@pytest.mark.parametrize(("strategy", "tries"), [("BACKOFF_RETRY", 4), ("EXPONENTIAL_DECAY_RETRY", 177)])
def test_what_nobody_takes_is_dropped_when_its_strategy_ends(strategy: str, tries: int) -> None:
    subscriber = Subscriber(500)
    mns, clock = world(subscriber, NotifyStrategy=strategy)
    publish(mns, "one")
    for _ in range(200):
        mns.service.push_due()
        clock.advance(600 * SECOND)

    assert len(subscriber.pushed) == tries
    assert [message.body for message in mns.service.account.dropped] == ["one"]


def test_what_nobody_takes_goes_to_the_dead_letters_of_the_subscription() -> None:
    policy = "<Enabled>true</Enabled><DeadLetterTargetQueue>dead</DeadLetterTargetQueue>"
    mns, clock = world(Subscriber(500), DlqPolicy=policy, NotifyContentFormat="JSON")
    mns.queue("dead")
    publish(mns, "one")
    for _ in range(5):
        mns.service.push_due()
        clock.advance(20 * SECOND)

    assert json.loads(mns.receive("dead")["MessageBody"])["Message"] == "one"


def test_a_queue_that_comes_later_gets_what_was_pushed_in_vain() -> None:
    mns, clock = world(Subscriber(204), FilterTag="blue")
    subscribe(mns, "late", "acs:mns:cn-shanghai:1:queues/late", NotifyContentFormat="SIMPLIFIED")
    publish(mns, "one")
    mns.service.push_due()
    mns.queue("late")
    clock.advance(20 * SECOND)
    mns.service.push_due()

    assert mns.receive("late")["MessageBody"] == "one"


def test_a_subscription_that_is_there_already_must_be_the_same() -> None:
    mns, _ = world(Subscriber(204))
    target, body = "/topics/told/subscriptions/one", "<Subscription><Endpoint>{}</Endpoint></Subscription>"

    assert mns.send("PUT", target, body.format(ADDRESS)).status == 204
    refused = mns.tree("PUT", target, body.format("http://localhost/other"))
    assert refused["Code"] == "SubscriptionAlreadyExist"
    assert mns.tree("GET", "/topics/told/subscriptions/two")["Code"] == "SubscriptionNotExist"


def test_a_topic_is_made_once_changed_and_taken_away() -> None:
    mns, _ = world(Subscriber(204))
    smaller = "<Topic><MaximumMessageSize>2048</MaximumMessageSize></Topic>"

    assert mns.send("PUT", "/topics/told").status == 204
    assert mns.send("PUT", "/topics/told?metaoverride=true", smaller).status == 204
    assert mns.tree("GET", "/topics/told")["MaximumMessageSize"] == "2048"
    assert mns.tree("PUT", "/topics/told", "<Topic></Topic>")["Code"] == "TopicAlreadyExist"
    assert mns.tree("POST", "/topics/told/messages", "<Message/>")["Code"] == "InvalidArgument"
    assert mns.send("DELETE", "/topics/told").status == 204
    assert mns.tree("GET", "/topics/told")["Code"] == "TopicNotExist"


def test_a_message_that_its_wrapping_makes_too_long_is_tried_again_and_dropped() -> None:
    mns, clock = world(Subscriber(204), FilterTag="blue")
    mns.queue("small", MaximumMessageSize=1024)
    subscribe(mns, "wrapped", "acs:mns:cn-shanghai:1:queues/small")
    publish(mns, "x" * 1000)
    for _ in range(5):
        mns.service.push_due()
        clock.advance(20 * SECOND)

    assert mns.receive("small")["Code"] == "MessageNotExist"
    assert len(mns.service.account.dropped) == 1


@pytest.mark.parametrize(
    "inside",
    [
        f"<Endpoint>{ADDRESS}</Endpoint><FilterTag>{'x' * 17}</FilterTag>",
        f"<Endpoint>{ADDRESS}</Endpoint><NotifyStrategy>NEVER</NotifyStrategy>",
        "<Endpoint>mail:directmail:a@b.example</Endpoint>",
    ],
)
def test_a_subscription_that_makes_no_sense_is_refused(inside: str) -> None:
    mns, _ = world(Subscriber(204))
    refused = mns.tree("PUT", "/topics/told/subscriptions/two", f"<Subscription>{inside}</Subscription>")

    assert refused["Code"] == "InvalidArgument"


def test_a_tag_has_sixteen_characters_at_most() -> None:
    mns, _ = world(Subscriber(204))
    message = f"<Message><MessageBody>x</MessageBody><MessageTag>{'x' * 17}</MessageTag></Message>"

    assert mns.tree("POST", "/topics/told/messages", message)["Code"] == "InvalidArgument"
