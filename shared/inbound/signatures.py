"""That an HTTP callback comes from VOD or ICE (media-jobs.md 1.1, 1.3), or from MNS (media-jobs.md 2).

    X-VOD-TIMESTAMP: 1763640000     epoch seconds
    X-VOD-SIGNATURE: <32 hex>       md5 of `<url>|<timestamp>|<key>`; ICE's headers begin with X-ICE

The body is not in it: who has seen one request can send any body for as long as its time is accepted. So
such a body is a hint and nothing more. What MNS pushes is signed whole, but not always with a key that only
MNS can have.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Literal

from shared.errors import ParseError, RefusedRequestError
from shared.inbound.certificates import public_key
from shared.policy import MINUTE, SECOND
from shared.toolkit.http_events import HttpRequest

MNS_WINDOW = 15 * MINUTE
"""How old a push may be by its `Date`, and how far ahead."""
CERTIFICATE_URL = re.compile(
    r"https?://(?P<rest>(?:mnstest\.oss-cn-hangzhou|mns-cert\.oss-cn-[a-z]{1,20}(?:-[a-z0-9]{1,20}){0,3})"
    r"\.aliyuncs\.com/[A-Za-z0-9_-][A-Za-z0-9._-]{0,127})"
)
"""Where MNS keeps its certificates, and nobody else anything. What it names may begin with `http`."""

_SECONDS = re.compile(r"[0-9]{10}")

Product = Literal["vod", "ice"]


@dataclass(frozen=True)
class KeyedSender:
    """A product that signs with a key of ours.

    `keys` are one, or two while one replaces the other. `url` is what was entered in the product's console,
    where it is not the one that requests come in by. With `may_be_unsigned` it has no key at all.
    """

    product: Product
    keys: tuple[str, ...] = field(default=(), repr=False)
    url: str | None = None
    may_be_unsigned: bool = False

    def check(self, headers: Mapping[str, str], *, url: str, now: int, window: int) -> None:
        """Raise `RefusedRequestError` unless the request is signed with one of the keys, about now.

        `url` is where it came in, `window` how many milliseconds its time may be off. Names of headers
        are in lower case. A signature that nobody could check is refused, and so is a missing one.
        """
        timestamp = headers.get(f"x-{self.product}-timestamp")
        signature = headers.get(f"x-{self.product}-signature")
        if timestamp is None and signature is None and self.may_be_unsigned:
            return
        if not self.keys:
            raise RefusedRequestError("no key is set to check it with", why="no_key")
        if timestamp is None or signature is None:
            raise RefusedRequestError("not signed", why="unsigned")
        if not _SECONDS.fullmatch(timestamp) or abs(now - int(timestamp) * SECOND) > window:
            raise RefusedRequestError("signed too long ago, or in the future", why="stale")
        expected = [_digest(self.url or url, timestamp, key) for key in self.keys]
        if not any(hmac.compare_digest(one, signature.encode()) for one in expected):
            raise RefusedRequestError("signed by no known key, or for another URL", why="forged")


def _digest(url: str, timestamp: str, key: str) -> bytes:
    return hashlib.md5(f"{url}|{timestamp}|{key}".encode()).hexdigest().encode()


@dataclass(frozen=True)
class SignedPush:
    """What MNS says of a push that is whole and of now: what it signed, and where its certificate is."""

    certificate_url: str
    text: bytes
    signature: bytes

    @classmethod
    def read(cls, request: HttpRequest, *, now: int) -> SignedPush:
        """Read the headers of a push; raise `RefusedRequestError` when they cannot be of this body, now."""
        given = request.headers
        if not {"authorization", "x-mns-signing-cert-url", "content-md5", "date"} <= given.keys():
            raise RefusedRequestError("not signed", why="unsigned")
        _check_date(given["date"], now)
        # The signature covers what the header says of the body, not the body.
        if not _is_digest_of(request.body, given["content-md5"]):
            raise RefusedRequestError("the body is another one", why="changed")
        url = CERTIFICATE_URL.fullmatch(_decoded(given["x-mns-signing-cert-url"]).decode("latin-1"))
        if url is None:
            raise RefusedRequestError("a certificate that is not MNS's", why="certificate")
        signature = _decoded(given["authorization"])
        return cls(f"https://{url['rest']}", _text_to_sign(request), signature)

    def check(self, certificate: bytes) -> bool:
        """Tell whether nobody but the owner of the certificate can have signed it.

        Raise `RefusedRequestError` when the owner did not.
        """
        try:
            key = public_key(certificate)
        except ParseError as error:
            raise RefusedRequestError(f"its certificate cannot be read: {error}", why="certificate") from None
        if not key.signed(self.text, self.signature, hash_name="sha1"):
            raise RefusedRequestError("not signed by MNS, or changed on its way", why="forged")
        return key.is_strong


def _check_date(date: str, now: int) -> None:
    try:
        sent = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        raise RefusedRequestError("its date cannot be read", why="stale") from None
    if sent.tzinfo is None:
        sent = sent.replace(tzinfo=timezone.utc)
    if abs(now - int(sent.timestamp()) * SECOND) > MNS_WINDOW:
        raise RefusedRequestError("signed too long ago, or in the future", why="stale")


def _is_digest_of(body: bytes, told: str) -> bool:
    """Tell whether a Content-MD5 is a body's.

    In samples it is 32 hex digits in base64 (media-jobs.md 2), in captured pushes the digits as they are, in
    capitals; by RFC 1864 it is 16 bytes in base64.
    """
    digest = hashlib.md5(body)
    if told.lower() == digest.hexdigest():
        return True
    return _decoded(told) in (digest.hexdigest().encode(), digest.digest())


def _text_to_sign(request: HttpRequest) -> bytes:
    """Write what MNS signs. The resource is the path; pushes to a URL with a query were never seen."""
    given = request.headers
    own = "".join(f"{name}:{given[name]}\n" for name in sorted(given) if name.startswith("x-mns-"))
    head = [request.method, given["content-md5"], given.get("content-type", ""), given["date"]]
    return ("\n".join(head) + f"\n{own}{request.raw_path}").encode()


def _decoded(text: str) -> bytes:
    """Take base64 off; what could have been written otherwise is nobody's signature."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        decoded = b""
    if base64.b64encode(decoded).decode() != text:
        raise RefusedRequestError("a header that is not base64", why="forged")
    return decoded
