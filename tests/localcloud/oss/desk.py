"""The local OSS without a socket: requests signed by the vendor's own signers, on a clock of our own."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

import alibabacloud_oss_v2 as oss
from alibabacloud_oss_v2.signer import SignerV1, SignerV4

from localcloud.loopback import HttpReply, HttpRequest
from localcloud.oss.buckets import Bucket
from localcloud.oss.service import OssService
from shared.adapters.clocks import ManualClock
from shared.toolkit.context import Credentials
from tests.shared.adapters.oss_on_the_wire import OWN, REGION, TEMPORARY, MemoryShelf

START = 1_763_640_000_000
HOST = "127.0.0.1:1"
BUCKET = "bucket"
WAYS = ["v1 header", "v1 url", "v4 header", "v4 url"]
"""Where a signature may stand."""


class Desk:
    """One bucket, and a client that can do everything wrong."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.bucket = Bucket(MemoryShelf(), MemoryShelf())
        self.service = OssService(
            {BUCKET: self.bucket, "other": Bucket(MemoryShelf(), MemoryShelf())},
            keys=[OWN, TEMPORARY],
            clock=self.clock,
            random=random.Random(1),
            region=REGION,
        )

    def ask(self, method: str, key: str = "", **more: Any) -> HttpReply:
        """Sign a request, send it and give the answer."""
        return self.send(self.signed(method, key, **more))

    def send(self, request: HttpRequest) -> HttpReply:
        """Send a request as it is."""
        reply = self.service.answer(request)
        assert reply is not None
        return reply

    def signed(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        bucket: str | None = BUCKET,
        way: str = "v4 header",
        held: Credentials = OWN,
        ends_in: timedelta = timedelta(minutes=1),
        also: Collection[str] = (),
    ) -> HttpRequest:
        """Sign a request in one of the ways; V4 covers the headers in `also` too."""
        path = "/".join(("", bucket, quote(key))) if bucket else "/"
        url = f"http://{HOST}{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        request = oss.HttpRequest(method, url, headers={"host": HOST, **(headers or {})})
        context = oss.SigningContext(
            product="oss",
            region=REGION,
            bucket=bucket,
            key=key if bucket else None,
            request=request,
            credentials=oss.Credentials(held.access_key_id, held.access_key_secret, held.security_token),
            signing_time=datetime.fromtimestamp(self.clock.now() / 1000, timezone.utc),
            additional_headers=set(also),
        )
        context.sub_resource = []
        context.auth_method_query = way.endswith("url")
        context.expiration_time = context.signing_time + ends_in
        (SignerV1 if way.startswith("v1") else SignerV4)().sign(context)
        parts = urlsplit(request.url)
        lower = {name.lower(): value for name, value in request.headers.items()}
        return HttpRequest(method, f"{parts.path}?{parts.query}", lower, body)


def code(reply: HttpReply) -> str:
    """Give the vendor's word for a refusal; empty for a success."""
    return "" if reply.status < 300 else tree(reply).findtext("Code") or ""


def tree(reply: HttpReply) -> ElementTree.Element:
    """Read an answer's document."""
    return ElementTree.fromstring(reply.body)
