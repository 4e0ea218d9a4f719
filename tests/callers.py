"""Who calls back over HTTP, in tests: VOD, ICE and MNS with keys of their own, and the events they become."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.adapters.local.folder_push_certificates import FolderPushCertificates
from shared.inbound.senders import Senders, Topic
from shared.inbound.signatures import KeyedSender, Product
from shared.toolkit.http_events import HttpRequest, http_request
from shared.webhooks import Callers
from tests.world import START

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "events" / "webhook"
CERTIFICATES = ROOT / "tests" / "data" / "push-certificates"
DOMAIN = "webhook-example.cn-shanghai.fcapp.run"
KEY, OLD_KEY = "sample-key-of-vod-2025", "sample-key-of-vod-2024"
TOPIC = Topic("cn-shanghai", "1000000000000001", "media-callbacks")
SENDERS = Senders(
    {"vod": KeyedSender("vod", (KEY, OLD_KEY)), "ice": KeyedSender("ice", ("sample-key-of-ice-2025",))},
    (TOPIC,),
)
CALLERS = Callers(SENDERS, push_certificates=FolderPushCertificates(CERTIFICATES))

ANYBODY = Callers(
    Senders(
        {
            "vod": KeyedSender("vod", may_be_unsigned=True),
            "ice": KeyedSender("ice", may_be_unsigned=True),
        }
    )
)
"""Has everybody's callbacks taken in."""


def sample(name: str) -> bytes:
    """Read a sample event."""
    return (SAMPLES / f"{name}.json").read_bytes()


def request(name: str) -> HttpRequest:
    """Read the request of a sample event."""
    return http_request(sample(name))


def audit(job_id: str, **fields: str) -> str:
    """Write what VOD says when a review has ended."""
    return json.dumps(
        {"EventType": "AIMediaAuditComplete", "JobId": job_id, "Status": "success", **fields},
        separators=(",", ":"),
    )


def signed(product: Product, key: str, *, url: str, now: int = START) -> dict[str, str]:
    """Give the headers that a product signs with, said without the code that checks them."""
    seconds = str(now // 1_000)
    digest = hashlib.md5(f"{url}|{seconds}|{key}".encode()).hexdigest()
    return {f"X-{product.upper()}-TIMESTAMP": seconds, f"X-{product.upper()}-SIGNATURE": digest}


def event(
    body: str,
    *,
    path: str = "/vod",
    headers: Mapping[str, str] | None = None,
    source_ip: str = "192.0.2.1",
    method: str = "POST",
) -> bytes:
    """Write the event of a request; signed by VOD as the sample is, unless there are other headers."""
    tree: Any = json.loads(sample("vod"))
    tree |= {"rawPath": path, "body": body}
    tree["headers"] = signed("vod", KEY, url=f"https://{DOMAIN}{path}") if headers is None else dict(headers)
    tree["requestContext"]["http"] |= {"path": path, "sourceIp": source_ip, "method": method}
    return json.dumps(tree).encode()
