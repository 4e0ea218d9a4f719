"""What can be asked of queues: from request to reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from localcloud.loopback import HttpReply
from localcloud.media.wire import RefusedError, Tree
from localcloud.mns.account import Account
from localcloud.mns.queues import (
    LARGEST_BODY,
    DeadLetterPolicy,
    NewMessage,
    Queue,
    QueueAttributes,
    StoredMessage,
    message_not_exist,
)
from localcloud.mns.wire import MnsRequest, each, flag, member, whole, xml_reply

MOST_AT_ONCE = 16  # media-jobs.md 2
_LONGEST_POLL = 30
_WEEK = 604_800
# Name on the wire, the attribute, and its bounds (function-compute.md 4a).
_NUMBERS = {
    "VisibilityTimeout": ("visibility_timeout", 1, 43_200),
    "MaximumMessageSize": ("maximum_message_size", 1_024, LARGEST_BODY),
    "MessageRetentionPeriod": ("message_retention_period", 60, _WEEK),
    "DelaySeconds": ("delay_seconds", 0, _WEEK),
    "PollingWaitSeconds": ("polling_wait_seconds", 0, _LONGEST_POLL),
}


def create_queue(account: Account, request: MnsRequest, name: str, *, now: int) -> HttpReply:
    """Make a queue; one that is there already must have the same attributes."""
    wanted = _attributes(QueueAttributes(), request.tree())
    location = {"location": f"http://{request.headers.get('host', '')}/queues/{name}"}
    existing = account.queues.get(name)
    if existing is None:
        account.add_queue(name, wanted, now=now)
        return HttpReply(201, headers=location)
    if existing.attributes != wanted:
        raise RefusedError(
            409, "QueueAlreadyExist", "The queue you want to create is already exist, with other attributes."
        )
    return HttpReply(204, headers=location)


def change_queue(account: Account, request: MnsRequest, name: str, *, now: int) -> HttpReply:
    """Set those attributes that are told."""
    queue = account.queue(name)
    queue.change(_attributes(queue.attributes, request.tree()), now=now)
    return HttpReply(204)


def describe_queue(account: Account, name: str, *, now: int) -> HttpReply:
    """Tell a queue's attributes and how many messages it has."""
    return xml_reply(200, "Queue", _described(account.queue(name), now=now))


def delete_queue(account: Account, name: str) -> HttpReply:
    """Take a queue away with all that is in it; one that is not there is away."""
    account.queues.pop(name, None)
    return HttpReply(204)


def list_queues(account: Account, request: MnsRequest, *, now: int) -> HttpReply:
    """List queues by name, from a marker on."""
    names, marker = page(account.queues, request)
    with_attributes = flag(request.headers.get("x-mns-with-meta"))
    host = request.headers.get("host", "")
    listed: list[Tree] = [
        {
            "QueueURL": f"http://{host}/queues/{name}",
            **(_described(account.queues[name], now=now) if with_attributes else {}),
        }
        for name in names
    ]
    return xml_reply(200, "Queues", {"Queue": listed, **marker})


def send(account: Account, request: MnsRequest, name: str, *, now: int) -> HttpReply:
    """Take one message, or several at once."""
    queue, tree = account.queue(name), request.tree()
    if "MessageBody" in tree:
        sent = queue.send(_new_message(tree), now=now)
        return xml_reply(201, "Message", _receipt_of(sent))
    messages = [_new_message(one) for one in each(tree, "Message")]
    check_count(len(messages))
    if sum(len(one.body.encode()) for one in messages) > LARGEST_BODY:
        raise RefusedError(400, "InvalidArgument", "The messages are too large together.")
    several: list[Tree] = [_receipt_of(queue.send(one, now=now)) for one in messages]
    return xml_reply(201, "Messages", {"Message": several})


def receive(account: Account, request: MnsRequest, name: str, *, now: int) -> HttpReply | None:
    """Hand out messages; None when there are none yet."""
    account.queue(name)
    several = "numofmessages" in request.query
    limit = request.number("numOfMessages", least=1, most=MOST_AT_ONCE, default=1)
    found = account.receive(name, limit, now=now)
    return _handed_out(found, several=several) if found else None


def polling_wait(account: Account, request: MnsRequest, name: str) -> int:
    """Tell for how many seconds a receive waits for a message."""
    usual = account.queue(name).attributes.polling_wait_seconds
    return request.number("waitseconds", least=0, most=_LONGEST_POLL, default=usual)


def peek(account: Account, request: MnsRequest, name: str, *, now: int) -> HttpReply:
    """Show messages, and leave them as they are."""
    limit = request.number("numOfMessages", least=1, most=MOST_AT_ONCE, default=1)
    found = account.queue(name).visible(limit, now=now)
    if not found:
        raise message_not_exist()
    return _handed_out(found, several="numofmessages" in request.query)


def change_visibility(account: Account, request: MnsRequest, name: str, *, now: int) -> HttpReply:
    """Hide a message for longer, or for less."""
    seconds = request.number("VisibilityTimeout", least=1, most=43_200)
    hidden = account.queue(name).hide(_receipt(request), seconds, now=now)
    told: dict[str, Tree] = {"ReceiptHandle": hidden.receipt, "NextVisibleTime": hidden.visible_at}
    return xml_reply(200, "ChangeVisibility", told)


def delete(account: Account, request: MnsRequest, name: str, *, now: int) -> HttpReply:
    """Take one message away, or several at once; what is wrong with some of them is told for each."""
    queue = account.queue(name)
    if "receipthandle" in request.query:
        queue.delete(_receipt(request), now=now)
        return HttpReply(204)
    listed = request.tree().get("ReceiptHandle")
    receipts = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    check_count(len(receipts))
    errors: list[Tree] = []
    for receipt in receipts:
        try:
            queue.delete(receipt, now=now)
        except RefusedError as refused:
            told: Tree = {
                "ErrorCode": refused.code,
                "ErrorMessage": refused.message,
                "ReceiptHandle": receipt,
            }
            errors.append(told)
    return xml_reply(404, "Errors", {"Error": errors}) if errors else HttpReply(204)


def check_count(count: int) -> None:
    """Refuse a batch of none, or of more than a batch can be."""
    if not 1 <= count <= MOST_AT_ONCE:
        raise RefusedError(400, "InvalidArgument", f"A batch has between 1 and {MOST_AT_ONCE} messages.")


def page(names: Mapping[str, object], request: MnsRequest) -> tuple[list[str], dict[str, Tree]]:
    """Give the names of a page, and the marker of the next one."""
    headers = request.headers
    limit = whole(headers.get("x-mns-ret-number", "1000"), "x-mns-ret-number", least=1, most=1000)
    prefix, marker = headers.get("x-mns-prefix", ""), headers.get("x-mns-marker", "")
    found = [name for name in sorted(names) if name.startswith(prefix) and name >= marker]
    return found[:limit], {"NextMarker": found[limit]} if len(found) > limit else {}


def _attributes(before: QueueAttributes, tree: Mapping[str, Tree]) -> QueueAttributes:
    changes = {
        attribute: whole(member(tree, name), name, least=least, most=most)
        for name, (attribute, least, most) in _NUMBERS.items()
        if name in tree
    }
    return replace(
        before,
        **changes,
        logging_enabled=flag(member(tree, "LoggingEnabled"), default=before.logging_enabled),
        dead_letters=_dead_letters(tree["DlqPolicy"]) if "DlqPolicy" in tree else before.dead_letters,
    )


def _dead_letters(tree: Tree) -> DeadLetterPolicy | None:
    if not isinstance(tree, dict) or not flag(member(tree, "Enabled")):
        return None
    name = member(tree, "DeadLetterTargetQueue")
    if not name:
        raise RefusedError(400, "InvalidArgument", "DeadLetterTargetQueue is required.")
    most = whole(member(tree, "MaxReceiveCount"), "MaxReceiveCount", least=1, most=1_000)
    return DeadLetterPolicy(name, most)


def _described(queue: Queue, *, now: int) -> dict[str, Tree]:
    values = {one.name: getattr(queue.attributes, one.name) for one in fields(queue.attributes)}
    policy = queue.attributes.dead_letters
    return {
        "QueueName": queue.name,
        "CreateTime": queue.created_at // 1000,
        "LastModifyTime": queue.changed_at // 1000,
        **{name: values[attribute] for name, (attribute, _, _) in _NUMBERS.items()},
        "LoggingEnabled": str(queue.attributes.logging_enabled),
        "DlqPolicy": policy
        and {
            "Enabled": "true",
            "DeadLetterTargetQueue": policy.queue,
            "MaxReceiveCount": policy.most_receives,
        },
        **queue.counts(now=now),
    }


def _new_message(tree: Mapping[str, Tree]) -> NewMessage:
    delay = member(tree, "DelaySeconds")
    properties = {name: tree[name] for name in ("UserProperties", "SystemProperties") if name in tree}
    return NewMessage(
        member(tree, "MessageBody") or "",
        whole(delay, "DelaySeconds", least=0, most=_WEEK) if delay is not None else None,
        whole(member(tree, "Priority") or "8", "Priority", least=1, most=16),
        properties,
    )


def _receipt_of(sent: StoredMessage) -> dict[str, Tree]:
    return {"MessageId": sent.message_id, "MessageBodyMD5": sent.md5}


def _handed_out(found: list[StoredMessage], *, several: bool) -> HttpReply:
    trees: list[Tree] = [_shown(one) for one in found]
    return (
        xml_reply(200, "Messages", {"Message": trees})
        if several
        else xml_reply(200, "Message", _shown(found[0]))
    )


def _shown(message: StoredMessage) -> dict[str, Tree]:
    held: dict[str, Tree] = {"ReceiptHandle": message.receipt, "NextVisibleTime": message.visible_at}
    return {
        **_receipt_of(message),
        "MessageBody": message.body,
        "EnqueueTime": message.enqueued_at,
        "FirstDequeueTime": message.first_received_at,
        "DequeueCount": message.received,
        "Priority": message.priority,
        **(held if message.receipt else {}),
        **message.properties,
    }


def _receipt(request: MnsRequest) -> str:
    receipt = request.query.get("receipthandle", "")
    if not receipt:
        raise RefusedError(400, "MissingReceiptHandle", "ReceiptHandle is required.")
    return receipt
