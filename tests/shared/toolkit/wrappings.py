"""Every way in which a body reaches the function, as the vendor's documentation shows it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

Wrap = Callable[[str], bytes]

MESSAGE_ID = "2F5B3C082B923D4EAC694B76D928AF01"
TOPIC_MESSAGE_ID = "A1B2C3D4E5F60718293A4B5C6D7E8F90"
ACCOUNT = "1649015465571234"


def topic(text: str, **attributes: object) -> dict[str, Any]:
    return {
        "TopicOwner": ACCOUNT,
        "Message": text,
        "Subscriber": ACCOUNT,
        "PublishTime": 1550216480040,
        "SubscriptionName": "test-fc-subscribe",
        "MessageMD5": "BA4BA9B48AC81F0F9C66F6C909C3AAAA",
        "TopicName": "Mytopic",
        "MessageId": TOPIC_MESSAGE_ID,
        **attributes,
    }


def cloud_event(body: str, **fields: object) -> dict[str, Any]:
    return {
        "id": "c2g71017-6f65-46b0-9f4a-9d0a1b2c3d4e",
        "source": "MNS-Function-mnstrigger",
        "specversion": "1.0",
        "type": "mns:Queue:SendMessage",
        "datacontenttype": "application/json; charset=utf-8",
        "subject": f"acs:mns:cn-hangzhou:{ACCOUNT}:queues/zeus",
        "time": "2021-04-08T06:28:17.093Z",
        "aliyunregionid": "cn-chengdu",
        "data": {"requestId": "606EA3074344430D4C81AAAA", "messageId": MESSAGE_ID, "messageBody": body},
        **fields,
    }


def xml(text: str, *, namespace: str = ' xmlns="http://mns.aliyuncs.com/doc/v1/"') -> str:
    fields = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in topic(text).items())
    return f'<?xml version="1.0" encoding="utf-8"?><Notification{namespace}>{fields}</Notification>'


def dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_FORMS: dict[str, Wrap] = {
    "topic, stream": lambda body: body.encode(),
    "topic, stream with attributes": lambda body: dump({"body": body, "attrs": {"Extend": "{}"}}),
    "topic, JSON": lambda body: dump(topic(body)),
    "topic, JSON with attributes": lambda body: dump(topic(body, PublishTime="1550216480040", key="v")),
    "queue, object": lambda body: dump(cloud_event(body)),
    "queue, array": lambda body: dump([cloud_event(body)]),
    "queue, JSON strings": lambda body: dump([json.dumps(cloud_event(body))]),
    "queue, raw object": lambda body: dump(cloud_event(body)["data"]),
    "queue, raw array": lambda body: dump([cloud_event(body)["data"]]),
}
_PUSHED: dict[str, Callable[[str], str]] = {
    "JSON wrapper": lambda body: json.dumps(topic(body)),
    "XML wrapper": xml,
    "XML wrapper without namespace": lambda body: xml(body, namespace=""),
    "base64 of a JSON wrapper": lambda body: encoded(json.dumps(topic(body))),
    "base64 of an XML wrapper": lambda body: encoded(xml(body)),
}


def _around(outer: Wrap, inner: Callable[[str], str]) -> Wrap:
    return lambda body: outer(inner(body))


_PLAIN: dict[str, Wrap] = _FORMS | {
    f"{form}, {pushed}": _around(_FORMS[form], inner)
    for form in _FORMS
    for pushed, inner in _PUSHED.items()
    if form.startswith("queue")
}

WRAPPINGS: dict[str, Wrap] = _PLAIN | {
    f"{name}, in base64": _around(wrap, encoded) for name, wrap in _PLAIN.items()
}
"""From the name of a wrapping to a function from body text to event."""
