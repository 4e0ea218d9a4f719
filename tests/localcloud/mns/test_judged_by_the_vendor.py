"""MNS before its judge: the vendor's own client, in a process of its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer
from localcloud.mns.server import MnsServer
from shared.toolkit import xml_tree
from tests.judges import PATIENCE_S, report_of
from tests.localcloud.mns.judge_mns import HOSTILE
from tests.localcloud.mns.worlds import ACCOUNT, new_service


@contextmanager
def subscriber(pushed: list[HttpRequest], came: threading.Event) -> Iterator[LoopbackServer]:
    """Take pushes, and say when there were two."""

    def take(request: HttpRequest) -> HttpReply:
        pushed.append(request)
        if len(pushed) >= 2:
            came.set()
        return HttpReply(204)

    with LoopbackServer(take, name="subscriber", max_body_bytes=1 << 20) as server:
        yield server


@pytest.fixture(scope="module")
def verdict() -> dict[str, Any]:
    """What the vendor's client made of our answers."""
    pushed: list[HttpRequest] = []
    came = threading.Event()
    with MnsServer(new_service()) as server, subscriber(pushed, came) as address:
        report = report_of(
            [sys.executable, "-m", "tests.localcloud.mns.judge_mns", server.endpoint, address.endpoint]
        )
        assert came.wait(PATIENCE_S)
    return {**report, "pushed": pushed, "endpoint": server.endpoint}


def test_queues_are_made_once_changed_and_listed(verdict: dict[str, Any]) -> None:
    seen = verdict["queues"]

    assert seen["url"] == f"{verdict['endpoint']}/queues/judged"
    assert seen["again"]
    assert seen["differs"] == "QueueAlreadyExist"
    assert seen["attributes"] == ["judged", 5, 2048, 1, 345600, True]
    assert seen["pages"] == [["other-1"], ["other-2"]]
    assert [(one["QueueName"], one["VisibilityTimeout"]) for one in seen["described"]] == [("judged", "5")]
    assert seen["all"] == ["judged", "other-1", "other-2"]
    assert seen["no_queue"] == "QueueNotExist"


def test_messages_arrive_as_they_were_sent_the_most_urgent_first(verdict: dict[str, Any]) -> None:
    seen = verdict["messages"]

    assert seen["raw"] == [HOSTILE, True]
    assert seen["encoded"] == [HOSTILE, True]
    assert seen["encoded_as_it_lies"]
    assert seen["peeked"] == [0, HOSTILE]
    assert seen["received"] == [1, 1, True]


def test_an_empty_queue_and_a_held_message_give_nothing(verdict: dict[str, Any]) -> None:
    seen = verdict["messages"]

    assert (seen["none"], seen["waited"], seen["hidden"]) == ("MessageNotExist",) * 3
    assert seen["later"]
    assert (seen["stale"], seen["gone"]) == ("MessageNotExist",) * 2
    assert seen["forged"] == "ReceiptHandleError"


def test_what_is_too_large_or_too_much_is_refused(verdict: dict[str, Any]) -> None:
    assert verdict["messages"]["too_large"] == "InvalidArgument"
    assert verdict["batches"]["too_many"] == "InvalidArgument"


def test_batches_are_sent_received_and_deleted(verdict: dict[str, Any]) -> None:
    seen, all_five = verdict["batches"], [f"message {number}" for number in range(5)]

    assert (seen["sent"], seen["peeked"]) == (5, all_five)
    assert (seen["received"], seen["rest"]) == (all_five[:3], all_five[3:])
    assert seen["again"] == "MessageNotExist"


def test_a_message_comes_again_when_its_time_is_over(verdict: dict[str, Any]) -> None:
    assert verdict["held"]["counts"] == [1, 2]


def test_a_topic_tells_queues_in_the_format_of_each(verdict: dict[str, Any]) -> None:
    seen = verdict["topics"]
    wrapped = seen["wrapped"]

    assert (wrapped["Message"], wrapped["MessageTag"]) == (HOSTILE, "red")
    assert (wrapped["TopicName"], wrapped["TopicOwner"]) == ("judged", ACCOUNT)
    assert wrapped["MessageId"] == seen["message_id"]
    assert isinstance(wrapped["PublishTime"], str)
    assert seen["bare"] == [HOSTILE, HOSTILE, "c2Vjb25k"]


def test_a_topic_pushes_to_an_address(verdict: dict[str, Any]) -> None:
    trees = [xml_tree.parse(request.body) for request in verdict["pushed"]]

    assert {request.target for request in verdict["pushed"]} == {"/notifications"}
    assert {tree["Message"] for tree in trees if isinstance(tree, dict)} == {HOSTILE, "c2Vjb25k"}


def test_subscriptions_are_made_changed_listed_and_taken_away(verdict: dict[str, Any]) -> None:
    seen, endpoint = verdict["topics"], f"acs:mns:cn-shanghai:{ACCOUNT}:queues/wrapped"

    assert seen["urls"][0] == f"{verdict['endpoint']}/topics/judged/subscriptions/as-json"
    assert seen["listed"] == ["as-json", "as-text", "pushed"]
    assert seen["subscription"] == [endpoint, "BACKOFF_RETRY", "JSON", ACCOUNT]
    assert seen["strategy"] == "EXPONENTIAL_DECAY_RETRY"
    assert seen["attributes"] == ["judged", 2, 65_536]
    assert seen["topics"] == ["judged"]
    assert (seen["no_topic"], seen["no_endpoint"]) == ("TopicNotExist", "InvalidArgument")


def test_only_the_owners_of_keys_come_in(verdict: dict[str, Any]) -> None:
    assert verdict["temporary"]
    assert verdict["wrong_secret"] == "SignatureDoesNotMatch"
    assert verdict["wrong_key"] == "InvalidAccessKeyId"
    assert verdict["wrong_token"] == "InvalidSecurityToken"
