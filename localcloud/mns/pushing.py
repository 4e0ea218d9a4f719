"""Pushes of a topic to an address: the request that a subscriber gets, and whether it was taken."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from email.utils import formatdate
from urllib.parse import urlsplit

import requests

from localcloud.mns.account import Push
from localcloud.mns.push_signing import PushSigner
from localcloud.mns.topics import notification

_TIMEOUT_S = 5  # function-compute.md 2
_TAKEN = 204
_PATH = "/notifications"  # of an address that has none (media-jobs.md 2)

Post = Callable[[str, Mapping[str, str], bytes], int]
"""Posts to an address and gives the status; raises `OSError` when there is no answer."""

_CONTENT_TYPES = {
    "XML": "text/xml;charset=utf-8",
    "JSON": "application/json;charset=utf-8",
    "SIMPLIFIED": "text/plain;charset=utf-8",
}


def push_to(
    push: Push, *, account: str, request_id: str, post: Post, now: int, signer: PushSigner | None = None
) -> bool:
    """Push once; tell whether the subscriber took it, which only 204 says (function-compute.md 2)."""
    body = notification(push.message, push.subscription, account=account).encode()
    headers = push_headers(push, body, request_id=request_id, now=now)
    address = push.subscription.endpoint
    path = urlsplit(address).path
    if path in ("", "/"):
        address, path = address.rstrip("/") + _PATH, _PATH
    try:
        status = post(address, signer.sign(headers, path=path) if signer else headers, body)
    except OSError:
        return False
    return status == _TAKEN


def push_headers(push: Push, body: bytes, *, request_id: str, now: int) -> dict[str, str]:
    """Write the headers of a push, all but those of its signature."""
    subscription, message = push.subscription, push.message
    own = {"x-mns-request-id": request_id, "x-mns-version": "2015-06-06"}
    if subscription.content_format == "SIMPLIFIED":
        own["x-mns-message-id"] = message.message_id
        if message.tag:
            own["x-mns-message-tag"] = message.tag
    return {
        **own,
        "content-type": _CONTENT_TYPES[subscription.content_format],
        "content-md5": base64.b64encode(hashlib.md5(body).hexdigest().encode()).decode(),
        "date": formatdate(now // 1000, usegmt=True),
        "user-agent": "Aliyun Notification Service Agent",
    }


def http_post(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """Post with the vendor's patience; follow no redirect, ask no proxy."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            url, data=body, headers=dict(headers), timeout=_TIMEOUT_S, allow_redirects=False
        )
        return answer.status_code
