"""The vendor's two signature schemes: ACS3-HMAC-SHA256 and RPC 1.0 HMAC-SHA1.

Pure. The canonical forms take what arrived as well as what is to be sent, so a server can verify
with them: it passes the names that the client says it signed, and parameters decoded from the wire.

Rules and vectors: query-apis.md 8 and signature-vectors.json, both from the vendor's own clients.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import quote

from shared.toolkit.context import Credentials
from shared.vendor import ApiRequest

Scheme = Literal["acs3", "rpc1"]
AnswerFormat = Literal["json", "xml"]
Params: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]

ACS3_ALGORITHM = "ACS3-HMAC-SHA256"
_USER_AGENT = "media-ledger"
# `json` in this spelling as the vendor's client sends it; the documentation writes JSON and XML.
_RPC1_FORMAT = {"json": "json", "xml": "XML"}


@dataclass(frozen=True)
class Envelope:
    """What one try adds to a call.

    `host` is the Host header exactly as it is sent. The vendor refuses a nonce that it has seen and
    a `now` (epoch milliseconds) far from its own clock, so both are fresh for every try.
    """

    host: str
    now: int
    nonce: str
    method: str = "POST"
    answer_format: AnswerFormat = "json"


@dataclass(frozen=True)
class SignedRequest:
    """Query parameters, not yet encoded, headers and body of a request."""

    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Content:
    """Where an ACS3 request goes and what it carries; `headers` have lower-case names and are signed too."""

    path: str = "/"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


_NOTHING = Content()


def sign_acs3(
    request: ApiRequest, credentials: Credentials, envelope: Envelope, content: Content = _NOTHING
) -> SignedRequest:
    """Sign a call in the Authorization header, which covers every header that is set here."""
    content = _form(request) if request.form else content
    headers = {
        **content.headers,
        "accept": f"application/{envelope.answer_format}",
        "host": envelope.host,
        "user-agent": _USER_AGENT,
        "x-acs-action": request.action,
        "x-acs-content-sha256": sha256_hex(content.body),
        "x-acs-date": timestamp(envelope.now),
        "x-acs-signature-nonce": envelope.nonce,
        "x-acs-version": request.version,
    }
    if credentials.security_token:
        headers["x-acs-accesskey-id"] = credentials.access_key_id
        headers["x-acs-security-token"] = credentials.security_token
    names = sorted(headers)
    canonical = acs3_canonical_request(
        envelope.method,
        content.path,
        query=request.params,
        headers=headers,
        signed=names,
        body=content.body,
    )
    signature = acs3_signature(acs3_string_to_sign(canonical), secret=credentials.access_key_secret)
    headers["authorization"] = (
        f"{ACS3_ALGORITHM} Credential={credentials.access_key_id},"
        f"SignedHeaders={';'.join(names)},Signature={signature}"
    )
    return SignedRequest(dict(request.params), headers, content.body)


def sign_rpc1(request: ApiRequest, credentials: Credentials, envelope: Envelope) -> SignedRequest:
    """Sign a call in its query, which then also carries action, version and key id."""
    query = {
        **request.params,
        "AccessKeyId": credentials.access_key_id,
        "Action": request.action,
        "Format": _RPC1_FORMAT[envelope.answer_format],
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": envelope.nonce,
        "SignatureVersion": "1.0",
        "Timestamp": timestamp(envelope.now),
        "Version": request.version,
    }
    if credentials.security_token:
        query["SecurityToken"] = credentials.security_token
    text = rpc1_string_to_sign(envelope.method, {**query, **request.form})
    query["Signature"] = rpc1_signature(text, secret=credentials.access_key_secret)
    content = _form(request) if request.form else _NOTHING
    headers = {**content.headers, "host": envelope.host, "user-agent": _USER_AGENT}
    return SignedRequest(query, headers, content.body)


SIGNERS: Mapping[Scheme, Callable[[ApiRequest, Credentials, Envelope], SignedRequest]] = {
    "acs3": sign_acs3,
    "rpc1": sign_rpc1,
}


def acs3_canonical_request(
    method: str,
    path: str,
    *,
    query: Params,
    headers: Mapping[str, str],
    signed: Sequence[str],
    body: bytes,
) -> str:
    """Write down what ACS3 signs. `headers` has lower-case names, among them all of `signed`."""
    names = sorted(signed)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    return "\n".join((method, path, canonical_query(query), lines, ";".join(names), sha256_hex(body)))


def acs3_string_to_sign(canonical_request: str) -> str:
    """Shorten a canonical request to the text that is signed."""
    return f"{ACS3_ALGORITHM}\n{sha256_hex(canonical_request.encode())}"


def acs3_signature(string_to_sign: str, *, secret: str) -> str:
    """Sign for ACS3, in hexadecimal; the secret is used as it is."""
    return hmac.new(secret.encode(), string_to_sign.encode(), hashlib.sha256).hexdigest()


def rpc1_string_to_sign(method: str, params: Params) -> str:
    """Write down what RPC 1.0 signs: query and form parameters together, all but `Signature`."""
    pairs = [(name, value) for name, value in _pairs(params) if name != "Signature"]
    return f"{method}&%2F&{percent_encode(canonical_query(pairs))}"


def rpc1_signature(string_to_sign: str, *, secret: str) -> str:
    """Sign for RPC 1.0, in Base64; an ampersand ends the key."""
    digest = hmac.new(f"{secret}&".encode(), string_to_sign.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def canonical_query(params: Params) -> str:
    """Encode parameters in their signed order; an empty value keeps its equals sign."""
    return "&".join(
        f"{percent_encode(name)}={percent_encode(value)}" for name, value in sorted(_pairs(params))
    )


def percent_encode(text: str) -> str:
    """Encode all but the unreserved characters of RFC 3986: a space is `%20`, never `+`."""
    return quote(text, safe="")


def sha256_hex(data: bytes) -> str:
    """Give the SHA-256 as ACS3 wants it, for bodies and for canonical requests."""
    return hashlib.sha256(data).hexdigest()


def timestamp(now: int) -> str:
    """Write epoch milliseconds as both schemes want them: UTC, whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now // 1000))


def _form(request: ApiRequest) -> Content:
    body = canonical_query(request.form).encode()
    return Content(body=body, headers={"content-type": "application/x-www-form-urlencoded"})


def _pairs(params: Params) -> Iterable[tuple[str, str]]:
    return params.items() if isinstance(params, Mapping) else params
