"""The wrappings of MNS, each recognised by the fields that its documentation gives it.

A wrapping that is recognised but broken gives a message with a reason, never an exception.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.documents import strict_json, xml_tree
from shared.documents.strict_json import Tree
from shared.errors import UnreadableError
from shared.inbound.bodies import plain
from shared.inbound.fields import any_text
from shared.inbound.message import Message, identify

_QUEUE_EVENT = "mns:Queue:SendMessage"  # function-compute.md 2, "MNS queue trigger"
_TOPIC_FIELDS = {"TopicName", "MessageId", "Message"}
_SUBJECT = re.compile(r"acs:mns:(?P<region>[a-z0-9-]{1,40}):(?P<account>[0-9]{1,32}):/?queues/.+")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_ACCOUNT = re.compile(r"[0-9]{1,32}")


@dataclass(frozen=True)
class _Opened:
    """What is in a body: itself, or the message of a topic that was pushed into the queue."""

    body: bytes
    message_id: str | None = None
    account_id: str | None = None


def is_queue_message(tree: Tree) -> bool:
    """Tell whether it is a CloudEvent, or the `data` of one alone (RawData)."""
    if not isinstance(tree, dict):
        return False
    return "messageBody" in tree or {"specversion", "data"} <= tree.keys()


def is_topic_message(tree: Tree) -> bool:
    """Tell whether it is a topic's message in JSON form: as an event, or pushed into a queue."""
    return isinstance(tree, dict) and tree.keys() >= _TOPIC_FIELDS


def is_stream_with_attributes(tree: Tree) -> bool:
    """Tell whether it is a topic's message in STREAM form that has attributes."""
    return isinstance(tree, dict) and tree.keys() == {"body", "attrs"} and isinstance(tree["attrs"], dict)


def queue_message(tree: dict[str, Tree], source: bytes) -> Message:
    """Open a queue's message; `source` is what stays of one that is broken."""
    data = tree.get("data") if "specversion" in tree else tree
    given = any_text(data, "messageId")
    region, account = _origin(tree)
    try:
        opened = _open_queue_body(tree, data)
    except UnreadableError as error:
        message_id = identify("mns-queue", source, given)
        return Message(message_id, "mns-queue", source, region, account, reason=str(error))
    # The queue's own id first: it is what repeats when the queue delivers again. In an event of the
    # older kind the CloudEvent has the message's id (function-compute.md 2, capture of 2022).
    message_id = identify("mns-queue", opened.body, given, any_text(tree, "id"), opened.message_id)
    return Message(message_id, "mns-queue", opened.body, region, account or opened.account_id)


def topic_message(tree: dict[str, Tree], source: bytes) -> Message:
    """Open a topic's message in JSON form. Attributes stand beside its fields and are not looked at."""
    given = any_text(tree, "MessageId")
    try:
        opened = _open_topic(tree)
    except UnreadableError as error:
        return Message(identify("mns-topic", source, given), "mns-topic", source, reason=str(error))
    message_id = identify("mns-topic", opened.body, given)
    return Message(message_id, "mns-topic", opened.body, account_id=opened.account_id)


def stream_message(tree: dict[str, Tree], source: bytes) -> Message:
    """Open a topic's message in STREAM form that has attributes; it carries no id."""
    text = any_text(tree, "body")
    if text is None:
        reason = str(UnreadableError("body is not text", layer="mns-topic"))
        return Message(identify("mns-topic", source), "mns-topic", source, reason=reason)
    body = plain(text)
    return Message(identify("mns-topic", body), "mns-topic", body)


def _open_queue_body(tree: dict[str, Tree], data: Tree) -> _Opened:
    if "specversion" in tree and tree.get("type") != _QUEUE_EVENT:
        kind = (any_text(tree, "type") or "unknown")[:100]
        raise UnreadableError("a CloudEvent of another source", layer="mns-queue", type=kind)
    text = any_text(data, "messageBody")
    if text is None:
        raise UnreadableError("messageBody is not text", layer="mns-queue")
    body = plain(text)
    pushed = _pushed_by_topic(body)
    return _Opened(body) if pushed is None else _open_topic(pushed)


def _open_topic(fields: dict[str, Tree]) -> _Opened:
    text = any_text(fields, "Message")
    if text is None:
        raise UnreadableError("Message is not text", layer="mns-topic")
    owner = any_text(fields, "TopicOwner")
    return _Opened(
        plain(text),
        message_id=any_text(fields, "MessageId"),
        account_id=owner if owner and _ACCOUNT.fullmatch(owner) else None,
    )


def _pushed_by_topic(body: bytes) -> dict[str, Tree] | None:
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
        except UnreadableError:
            return None
    return tree if isinstance(tree, dict) and is_topic_message(tree) else None


def _with_matching_tags(xml: bytes) -> bytes:
    """Repair the one defect of the documented sample: `<PublishTime>` ends as `</MessagePublishTime>`
    (media-jobs.md 2, "XML quirk").
    """
    if b"<MessagePublishTime" in xml:
        return xml
    return xml.replace(b"</MessagePublishTime>", b"</PublishTime>")


def _origin(tree: dict[str, Tree]) -> tuple[str | None, str | None]:
    """Tell region and account: by the queue's own name, else by what EventBridge adds.

    The two differ in the documented sample; the queue's name is where the message was sent to.
    """
    subject = _SUBJECT.fullmatch(any_text(tree, "subject") or "")
    if subject:
        return subject["region"], subject["account"]
    region, account = any_text(tree, "aliyunregionid"), any_text(tree, "aliyunaccountid")
    return (
        region if region and _REGION.fullmatch(region) else None,
        account if account and _ACCOUNT.fullmatch(account) else None,
    )
