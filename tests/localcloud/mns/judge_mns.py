"""Use the local MNS with the vendor's own client and print what it understood, as JSON.

Started by test_judged_by_the_vendor.py in a process of its own. Arguments: the endpoint, an address that
takes pushes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from mns.account import Account  # type: ignore[import-untyped]  # no types
from mns.mns_exception import MNSExceptionBase  # type: ignore[import-untyped]  # no types
from mns.mns_request import ListQueueRequest, ListQueueResponse  # type: ignore[import-untyped]  # no types
from mns.queue import Message, Queue, QueueMeta  # type: ignore[import-untyped]  # no types
from mns.subscription import SubscriptionMeta  # type: ignore[import-untyped]  # no types
from mns.topic import Base64TopicMessage, TopicMessage, TopicMeta  # type: ignore[import-untyped]  # no types

HOSTILE = "中文 & <tag> ]]> \"quoted\" '\U0001f39e'"


def judge(endpoint: str, subscriber: str) -> dict[str, Any]:
    """Go through all that the client can do with queues and topics."""
    account = Account(endpoint, "own-key", "own-secret")
    temporary = Account(endpoint, "temporary-key", "temporary-secret", "temporary-token")
    return {
        "queues": queues(account),
        "messages": messages(account),
        "batches": batches(account),
        "held": held(account),
        "topics": topics(account, subscriber),
        "temporary": temporary.list_queue()[0] != [],
        "wrong_secret": code(lambda: Account(endpoint, "own-key", "other").list_queue()),
        "wrong_key": code(lambda: Account(endpoint, "no-key", "own-secret").list_queue()),
        "wrong_token": code(lambda: Account(endpoint, *TEMPORARY, "other").list_queue()),
    }


TEMPORARY = ("temporary-key", "temporary-secret")


def queues(account: Account) -> dict[str, Any]:
    queue = account.get_queue("judged")
    url = queue.create(QueueMeta(vis_timeout=60, max_msg_size=2048, delay_sec=0, polling_wait_sec=1))
    again = queue.create(QueueMeta(vis_timeout=60, max_msg_size=2048, delay_sec=0, polling_wait_sec=1))
    differs = code(lambda: queue.create(QueueMeta(vis_timeout=61)))
    queue.set_attributes(QueueMeta(vis_timeout=5, logging_enabled=True))
    found = queue.get_attributes()
    for name in ("one", "other-1", "other-2"):
        account.get_queue(name).create(QueueMeta())
    pages, marker = [], ""
    while True:
        listed, marker = account.list_queue("other", 1, marker)
        pages.append([one.rpartition("/")[2] for one in listed])
        if not marker:
            break
    account.get_queue("one").delete()
    return {
        "url": url,
        "again": again == url,
        "differs": differs,
        "attributes": [
            *(found.queue_name, found.visibility_timeout, found.maximum_message_size),
            *(found.polling_wait_seconds, found.message_retention_period, found.logging_enabled),
        ],
        "pages": pages,
        "all": [one.rpartition("/")[2] for one in account.list_queue()[0]],
        "described": described(account),
        "no_queue": code(lambda: account.get_queue("one").send_message(Message("x"))),
    }


def described(account: Account) -> list[dict[str, Any]]:
    """List a queue with its attributes."""
    answer = ListQueueResponse()
    account.get_client().list_queue(ListQueueRequest("judged", -1, "", True), answer)
    return list(answer.queuemeta_list)


def messages(account: Account) -> dict[str, Any]:
    queue = account.get_queue("plain")
    queue.create(QueueMeta(vis_timeout=30))
    none = code(lambda: queue.receive_message(0))
    waited = code(lambda: queue.receive_message(1))
    sent = queue.send_message(Message(HOSTILE))
    queue.set_encoding(False)
    encoded = queue.peek_message()
    raw = queue.send_message(Message(HOSTILE, priority=1))
    peeked = queue.peek_message()
    first = queue.receive_message(1)
    queue.delete_message(first.receipt_handle)
    queue.set_encoding(True)
    second = queue.receive_message(1)
    hidden = code(lambda: queue.receive_message(0))
    changed = queue.change_message_visibility(second.receipt_handle, 40)
    stale = code(lambda: queue.delete_message(second.receipt_handle))
    queue.delete_message(changed.receipt_handle)
    return {
        "none": none,
        "waited": waited,
        "raw": [first.message_body, first.message_id == raw.message_id == peeked.message_id],
        "encoded": [second.message_body.decode(), second.message_id == sent.message_id],
        "encoded_as_it_lies": encoded.message_body.isascii(),
        "peeked": [peeked.dequeue_count, peeked.message_body],
        "received": [first.dequeue_count, first.priority, first.first_dequeue_time >= first.enqueue_time],
        "hidden": hidden,
        "later": int(changed.next_visible_time) > second.next_visible_time,
        "stale": stale,
        "gone": code(lambda: queue.delete_message(changed.receipt_handle)),
        "forged": code(lambda: queue.delete_message("nonsense")),
        "too_large": code(lambda: queue.send_message(Message("x" * 65_536))),
    }


def batches(account: Account) -> dict[str, Any]:
    queue = account.get_queue("batched")
    queue.create(QueueMeta())
    sent = queue.batch_send_message([Message(f"message {number}") for number in range(5)])
    peeked = queue.batch_peek_message(16)
    received = queue.batch_receive_message(3, 1)
    queue.batch_delete_message([one.receipt_handle for one in received])
    again = code(lambda: queue.batch_delete_message([one.receipt_handle for one in received]))
    rest = queue.batch_receive_message(16)
    return {
        "sent": len({one.message_id for one in sent}),
        "peeked": [one.message_body.decode() for one in peeked],
        "received": [one.message_body.decode() for one in received],
        "again": again,
        "rest": [one.message_body.decode() for one in rest],
        "too_many": code(lambda: queue.batch_receive_message(17)),
    }


def held(account: Account) -> dict[str, Any]:
    """Let a message come back after it was hidden for a second."""
    queue = account.get_queue("held")
    queue.create(QueueMeta(vis_timeout=1))
    queue.send_message(Message("again"))
    counts = []
    for _ in range(2):
        counts.append(queue.receive_message(5).dequeue_count)
    return {"counts": counts}


def topics(account: Account, subscriber: str) -> dict[str, Any]:
    topic = account.get_topic("judged")
    url = topic.create(TopicMeta())
    wrapped, bare = (queue_of(account, name) for name in ("wrapped", "bare"))
    endpoint = "acs:mns:cn-shanghai:1000000000000001:queues/"
    subscriptions = {
        "as-json": SubscriptionMeta(f"{endpoint}wrapped", notify_content_format="JSON"),
        "as-text": SubscriptionMeta(f"{endpoint}bare", notify_content_format="SIMPLIFIED"),
        "tagged": SubscriptionMeta(f"{endpoint}bare", notify_content_format="SIMPLIFIED", filter_tag="red"),
        "pushed": SubscriptionMeta(f"{subscriber}/notifications", notify_content_format="XML"),
    }
    urls = [topic.get_subscription(name).subscribe(meta) for name, meta in subscriptions.items()]
    found = topic.get_subscription("as-json").get_attributes()
    topic.get_subscription("as-json").set_attributes(
        SubscriptionMeta(notify_strategy="EXPONENTIAL_DECAY_RETRY")
    )
    published = topic.publish_message(TopicMessage(HOSTILE, "red"))
    topic.get_subscription("tagged").unsubscribe()
    topic.publish_message(Base64TopicMessage("second", "red"))
    attributes = topic.get_attributes()
    return {
        "url": url,
        "urls": urls,
        "listed": [one.rpartition("/")[2] for one in topic.list_subscription()[0]],
        "subscription": [
            found.endpoint,
            found.notify_strategy,
            found.notify_content_format,
            found.topic_owner,
        ],
        "strategy": topic.get_subscription("as-json").get_attributes().notify_strategy,
        "message_id": published.message_id,
        "wrapped": json.loads(wrapped.receive_message(1).message_body),
        "bare": [bare.receive_message(1).message_body for _ in range(3)],
        "attributes": [attributes.topic_name, attributes.message_count, attributes.maximum_message_size],
        "topics": [one.rpartition("/")[2] for one in account.list_topic()[0]],
        "no_topic": code(lambda: account.get_topic("none").publish_message(TopicMessage("x"))),
        "no_endpoint": code(
            lambda: topic.get_subscription("x").subscribe(SubscriptionMeta("http://8.8.8.8/"))
        ),
    }


def queue_of(account: Account, name: str) -> Queue:
    queue = account.get_queue(name)
    queue.create(QueueMeta())
    queue.set_encoding(False)
    return queue


def code(call: Callable[[], object]) -> str:
    """Give the code that a call is refused with."""
    try:
        call()
    except MNSExceptionBase as error:
        return str(error.type)
    return "none"


if __name__ == "__main__":
    print(json.dumps(judge(sys.argv[1], sys.argv[2])))
