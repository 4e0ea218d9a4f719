"""What can be asked of topics and subscriptions: from request to reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast, get_args

from localcloud.loopback import HttpReply
from localcloud.media.wire import RefusedError, Tree
from localcloud.mns.account import Account
from localcloud.mns.queue_operations import page
from localcloud.mns.queues import LARGEST_BODY, body_md5
from localcloud.mns.topics import (
    RETENTION_SECONDS,
    ContentFormat,
    Strategy,
    Subscription,
    Topic,
    check_endpoint,
)
from localcloud.mns.wire import MnsRequest, flag, member, whole, xml_reply

_LONGEST_TAG = 16


def create_topic(account: Account, request: MnsRequest, name: str, *, now: int) -> HttpReply:
    """Make a topic; one that is there already must have the same attributes."""
    location = {"location": f"http://{request.headers.get('host', '')}/topics/{name}"}
    wanted, existing = _changed(Topic(name, now, now), request.tree()), account.topics.get(name)
    if existing is None:
        account.topics[name] = wanted
        return HttpReply(201, headers=location)
    if (existing.maximum_message_size, existing.logging_enabled) != (
        wanted.maximum_message_size,
        wanted.logging_enabled,
    ):
        raise RefusedError(
            409, "TopicAlreadyExist", "The topic you want to create is already exist, with other attributes."
        )
    return HttpReply(204, headers=location)


def change_topic(account: Account, request: MnsRequest, name: str, *, now: int) -> HttpReply:
    """Set those attributes that are told."""
    account.topics[name] = replace(_changed(account.topic(name), request.tree()), changed_at=now)
    return HttpReply(204)


def describe_topic(account: Account, name: str) -> HttpReply:
    """Tell a topic's attributes."""
    return xml_reply(200, "Topic", _described(account.topic(name)))


def delete_topic(account: Account, name: str) -> HttpReply:
    """Take a topic away with its subscriptions; one that is not there is away."""
    account.topics.pop(name, None)
    return HttpReply(204)


def list_topics(account: Account, request: MnsRequest) -> HttpReply:
    """List topics by name, from a marker on."""
    names, marker = page(account.topics, request)
    host = request.headers.get("host", "")
    with_attributes = flag(request.headers.get("x-mns-with-meta"))
    listed: list[Tree] = [
        {
            "TopicURL": f"http://{host}/topics/{name}",
            **(_described(account.topics[name]) if with_attributes else {}),
        }
        for name in names
    ]
    return xml_reply(200, "Topics", {"Topic": listed, **marker})


def publish(account: Account, request: MnsRequest, name: str, *, now: int) -> HttpReply:
    """Take a message for the subscribers of a topic."""
    tree = request.tree()
    body, tag = member(tree, "MessageBody") or "", member(tree, "MessageTag") or ""
    message = account.publish(account.topic(name), body, tag, now=now)
    told: dict[str, Tree] = {"MessageId": message.message_id, "MessageBodyMD5": body_md5(body)}
    return xml_reply(201, "Message", told)


def subscribe(account: Account, request: MnsRequest, topic: str, name: str, *, now: int) -> HttpReply:
    """Make a subscription; one that is there already must be the same."""
    location = {"location": f"http://{request.headers.get('host', '')}/topics/{topic}/subscriptions/{name}"}
    subscriptions, tree = account.topic(topic).subscriptions, request.tree()
    endpoint, tag = member(tree, "Endpoint") or "", member(tree, "FilterTag") or ""
    check_endpoint(endpoint)
    if len(tag) > _LONGEST_TAG:
        raise RefusedError(400, "InvalidArgument", "The length of filter tag should be between 1 and 16.")
    wanted = Subscription(
        topic,
        name,
        endpoint,
        cast("ContentFormat", _one_of(tree, "NotifyContentFormat", get_args(ContentFormat))),
        cast("Strategy", _one_of(tree, "NotifyStrategy", get_args(Strategy))),
        filter_tag=tag,
        dead_letters=_dead_letters(tree),
        created_at=now,
        changed_at=now,
    )
    existing = subscriptions.setdefault(name, wanted)
    if existing is wanted:
        return HttpReply(201, headers=location)
    if replace(existing, created_at=now, changed_at=now) != wanted:
        raise RefusedError(
            409, "SubscriptionAlreadyExist", "The subscription you want to create is already exist."
        )
    return HttpReply(204, headers=location)


def change_subscription(
    account: Account, request: MnsRequest, topic: str, name: str, *, now: int
) -> HttpReply:
    """Set another strategy: the rest of a subscription cannot be changed."""
    before = _subscription(account, topic, name)
    strategy = cast("Strategy", _one_of(request.tree(), "NotifyStrategy", get_args(Strategy)))
    account.topic(topic).subscriptions[name] = replace(before, strategy=strategy, changed_at=now)
    return HttpReply(204)


def describe_subscription(account: Account, topic: str, name: str) -> HttpReply:
    """Tell a subscription's attributes."""
    found = _subscription(account, topic, name)
    told: dict[str, Tree] = {
        "TopicOwner": account.number,
        "TopicName": topic,
        "Subscriber": account.number,
        "SubscriptionName": name,
        "Endpoint": found.endpoint,
        "FilterTag": found.filter_tag or None,
        "NotifyStrategy": found.strategy,
        "NotifyContentFormat": found.content_format,
        "DlqPolicy": {"Enabled": "true", "DeadLetterTargetQueue": found.dead_letters}
        if found.dead_letters
        else None,
        "CreateTime": found.created_at // 1000,
        "LastModifyTime": found.changed_at // 1000,
    }
    return xml_reply(200, "Subscription", told)


def unsubscribe(account: Account, topic: str, name: str) -> HttpReply:
    """Take a subscription away; one that is not there is away."""
    account.topic(topic).subscriptions.pop(name, None)
    return HttpReply(204)


def list_subscriptions(account: Account, request: MnsRequest, topic: str) -> HttpReply:
    """List a topic's subscriptions by name, from a marker on."""
    names, marker = page(account.topic(topic).subscriptions, request)
    host = request.headers.get("host", "")
    listed: list[Tree] = [
        {"SubscriptionURL": f"http://{host}/topics/{topic}/subscriptions/{name}"} for name in names
    ]
    return xml_reply(200, "Subscriptions", {"Subscription": listed, **marker})


def _changed(topic: Topic, tree: Mapping[str, Tree]) -> Topic:
    size = member(tree, "MaximumMessageSize")
    return replace(
        topic,
        maximum_message_size=topic.maximum_message_size
        if size is None
        else whole(size, "MaximumMessageSize", least=1_024, most=LARGEST_BODY),
        logging_enabled=flag(member(tree, "LoggingEnabled"), default=topic.logging_enabled),
    )


def _described(topic: Topic) -> dict[str, Tree]:
    return {
        "TopicName": topic.name,
        "CreateTime": topic.created_at // 1000,
        "LastModifyTime": topic.changed_at // 1000,
        "MaximumMessageSize": topic.maximum_message_size,
        "MessageRetentionPeriod": RETENTION_SECONDS,
        "MessageCount": topic.published,
        "LoggingEnabled": str(topic.logging_enabled),
    }


def _subscription(account: Account, topic: str, name: str) -> Subscription:
    found = account.topic(topic).subscriptions.get(name)
    if found is None:
        raise RefusedError(404, "SubscriptionNotExist", "The subscription you provided is not exist.")
    return found


def _one_of(tree: Mapping[str, Tree], name: str, known: tuple[str, ...]) -> str:
    """Read a word, the first of them where it is left out."""
    word = member(tree, name) or known[0]
    if word not in known:
        raise RefusedError(
            400, "InvalidArgument", f"The value of {name} should be one of {', '.join(known)}."
        )
    return word


def _dead_letters(tree: Mapping[str, Tree]) -> str | None:
    policy = tree.get("DlqPolicy")
    if isinstance(policy, dict) and flag(member(policy, "Enabled")):
        return member(policy, "DeadLetterTargetQueue")
    return None
