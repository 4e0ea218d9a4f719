"""The wrappings of MNS, each recognised by the fields that its documentation gives it.

A wrapping that is recognised but broken gives a message with a reason, never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from shared.toolkit import strict_json, xml_tree
from shared.toolkit.bodies import plain
from shared.toolkit.message import ACCOUNT_PATTERN, REGION_PATTERN, Message, Transport, identify
from shared.toolkit.parser import ParseError
from shared.toolkit.strict_json import Tree, any_text

QUEUE_EVENT = "mns:Queue:SendMessage"  # function-compute.md 2, "MNS queue trigger"
_TOPIC_FIELDS = {"TopicName", "MessageId", "Message"}
_SUBJECT = re.compile(
    rf"acs:mns:(?P<region>{REGION_PATTERN}):(?P<account>{ACCOUNT_PATTERN}):/?queues/(?P<queue>.+)"
)
_REGION = re.compile(REGION_PATTERN)
_ACCOUNT = re.compile(ACCOUNT_PATTERN)


class _Opened(NamedTuple):
    """What is in a body: itself, or the message of a topic that was pushed into the queue."""

    body: bytes
    message_id: str | None = None
    account_id: str | None = None
    topic: str | None = None


class _Origin(NamedTuple):
    """What a CloudEvent tells about where it comes from."""

    region: str | None
    account_id: str | None
    queue: str | None = None


def is_queue_message(tree: Tree) -> bool:
    """Tell whether it is a CloudEvent, or the `data` of one alone (RawData)."""
    if not isinstance(tree, dict):
        return False
    return "messageBody" in tree or ("specversion" in tree and "data" in tree)


def is_topic_message(tree: Tree) -> bool:
    """Tell whether it is a topic's message in JSON form: as an event, or pushed into a queue."""
    return isinstance(tree, dict) and tree.keys() >= _TOPIC_FIELDS


def is_stream_with_attributes(tree: Tree) -> bool:
    """Tell whether it is a topic's message in STREAM form that has attributes."""
    return isinstance(tree, dict) and tree.keys() == {"body", "attrs"} and isinstance(tree["attrs"], dict)


def queue_message(tree: dict[str, Tree], source_text: Callable[[], bytes]) -> Message:
    """Open a queue's message; `source_text` gives what stays of one that is broken."""
    data = tree.get("data") if "specversion" in tree else tree
    given = any_text(data, "messageId")
    origin = _origin(tree)
    try:
        opened = _open_queue_body(tree, data)
    except ParseError as error:
        rest = source_text()
        return Message(
            identify("mns-queue", rest, given),
            "mns-queue",
            rest,
            region=origin.region,
            account_id=origin.account_id,
            source=origin.queue,
            reason=str(error),
        )
    # The queue's own id first: it is what repeats when the queue delivers again. In an event of the
    # older kind the CloudEvent has the message's id (function-compute.md 2, capture of 2022).
    message_id = identify("mns-queue", opened.body, given, any_text(tree, "id"), opened.message_id)
    account_id = origin.account_id or opened.account_id
    # MPS puts a message into the topic or queue that its pipeline names (media-jobs.md 1.2); into which
    # queue a topic pushes it further, MPS does not know.
    source = opened.topic or origin.queue
    return Message(message_id, "mns-queue", opened.body, origin.region, account_id, source)


def topic_message(tree: dict[str, Tree], event: bytes) -> Message:
    """Open a topic's message in JSON form. Attributes stand beside its fields and are not looked at."""
    given, topic = any_text(tree, "MessageId"), any_text(tree, "TopicName")
    try:
        opened = _open_topic(tree)
    except ParseError as error:
        message_id = identify("mns-topic", event, given)
        return Message(message_id, "mns-topic", event, source=topic, reason=str(error))
    message_id = identify("mns-topic", opened.body, given)
    return Message(message_id, "mns-topic", opened.body, account_id=opened.account_id, source=topic)


def stream_message(tree: dict[str, Tree], event: bytes) -> Message:
    """Open a topic's message in STREAM form that has attributes; it carries no id."""
    text = any_text(tree, "body")
    if text is None:
        error = ParseError("body is not text", layer="mns-topic", field="body")
        return left_over(event, "mns-topic", error)
    return raw_topic_message(text)


def raw_topic_message(text: str) -> Message:
    """Make the message of a topic in STREAM form, which is nothing but the body."""
    body = plain(text)
    return Message(identify("mns-topic", body), "mns-topic", body)


def left_over(rest: bytes, transport: Transport, error: ParseError) -> Message:
    """Make the message that stands for what could not be unwrapped."""
    return Message(identify(transport, rest), transport, rest, reason=str(error))


def _open_queue_body(tree: dict[str, Tree], data: Tree) -> _Opened:
    if "specversion" in tree and tree.get("type") != QUEUE_EVENT:
        raise ParseError("a CloudEvent of another source", layer="mns-queue", field="type")
    text = any_text(data, "messageBody")
    if text is None:
        raise ParseError("messageBody is not text", layer="mns-queue", field="messageBody")
    body = plain(text)
    pushed = pushed_by_topic(body)
    return _Opened(body) if pushed is None else _open_topic(pushed)


def _open_topic(fields: dict[str, Tree]) -> _Opened:
    text = any_text(fields, "Message")
    if text is None:
        raise ParseError("Message is not text", layer="mns-topic", field="Message")
    owner = any_text(fields, "TopicOwner")
    return _Opened(
        plain(text),
        message_id=any_text(fields, "MessageId"),
        account_id=owner if owner and _ACCOUNT.fullmatch(owner) else None,
        topic=any_text(fields, "TopicName"),
    )


def pushed_by_topic(body: bytes) -> dict[str, Tree] | None:
    """Read the wrapping that a topic puts around a message for a queue, JSON or XML; None for others.

    JSON that cannot be read is no wrapping: whoever reads the body will say what is wrong with it.
    """
    if b"TopicName" not in body:
        return None
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        tree = xml_tree.parse(_with_matching_tags(body))
    else:
        try:
            tree = strict_json.parse(body)
        except ParseError:
            return None
    return tree if isinstance(tree, dict) and is_topic_message(tree) else None


def _with_matching_tags(xml: bytes) -> bytes:
    """Repair the one defect of the documented sample: `<PublishTime>` ends as `</MessagePublishTime>`
    (media-jobs.md 2, "XML quirk").
    """
    if b"<MessagePublishTime" in xml:
        return xml
    return xml.replace(b"</MessagePublishTime>", b"</PublishTime>")


def _origin(tree: dict[str, Tree]) -> _Origin:
    """Tell region and account: by the queue's own name, else by what EventBridge adds.

    The two differ in the documented sample; the queue's name is where the message was sent to.
    """
    named = _queue_of(any_text(tree, "subject") or "")
    if named:
        return named
    region, account = any_text(tree, "aliyunregionid"), any_text(tree, "aliyunaccountid")
    return _Origin(
        region if region and _REGION.fullmatch(region) else None,
        account if account and _ACCOUNT.fullmatch(account) else None,
    )


@lru_cache(maxsize=64)  # a function is fed by few queues, each naming itself in every message
def _queue_of(subject: str) -> _Origin | None:
    found = _SUBJECT.fullmatch(subject)
    return _Origin(found["region"], found["account"], found["queue"]) if found else None
