"""Checks of both signature schemes, in the vendor's error words.

A client may sign more headers than it must, so what it lists as signed is what is checked; the
documented minimum has to be in the list (query-apis.md 8, details 1 and 2).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from localcloud.media.wire import RefusedError, WireRequest
from shared.adapters.signing import (
    ACS3_ALGORITHM,
    acs3_canonical_request,
    acs3_signature,
    acs3_string_to_sign,
    rpc1_signature,
    rpc1_string_to_sign,
)
from shared.toolkit.context import Credentials

_AUTHORIZATION = re.compile(
    rf"{ACS3_ALGORITHM} Credential=(?P<key>[^,\s]+),\s*SignedHeaders=(?P<signed>[^,\s]+),\s*"
    r"Signature=(?P<signature>[0-9a-f]+)"
)
_ALWAYS_SIGNED = {
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
}
_INCOMPLETE = "The request signature does not conform to Aliyun standards."


@dataclass(frozen=True)
class Stamp:
    """What a valid signature covers and only the gateway can judge: its time and its nonce."""

    timestamp: str
    nonce: str


def verify(request: WireRequest, keys: Mapping[str, Credentials]) -> Stamp:
    """Check key, token and signature; raise `RefusedError` with the vendor's code."""
    return _verify_acs3(request, keys) if request.is_acs3 else _verify_rpc1(request, keys)


def _verify_acs3(request: WireRequest, keys: Mapping[str, Credentials]) -> Stamp:
    headers = request.headers
    found = _AUTHORIZATION.fullmatch(headers["authorization"])
    signed = found["signed"].split(";") if found else []
    # Every x-acs header that is sent must be signed, else it could be changed on the way.
    needed = _ALWAYS_SIGNED | {name for name in headers if name.startswith("x-acs-")}
    if not found or not needed <= set(signed) <= set(headers):
        raise RefusedError(400, "IncompleteSignature", _INCOMPLETE)
    key = _key(keys, found["key"])
    _check_token(key, headers.get("x-acs-security-token", ""))
    canonical = acs3_canonical_request(
        request.method, request.path, query=request.query, headers=headers, signed=signed, body=request.body
    )
    expected = acs3_signature(acs3_string_to_sign(canonical), secret=key.access_key_secret)
    if not hmac.compare_digest(expected, found["signature"]):
        raise _mismatch(f"server CanonicalRequest is {canonical!r}")
    return Stamp(headers["x-acs-date"], headers["x-acs-signature-nonce"])


def _verify_rpc1(request: WireRequest, keys: Mapping[str, Credentials]) -> Stamp:
    params = request.params
    for name in ("AccessKeyId", "Signature", "Timestamp", "SignatureNonce"):
        if not params.get(name):
            raise RefusedError(400, "MissingParameter", f'The mandatory parameter "{name}" is not supplied.')
    if (params.get("SignatureMethod"), params.get("SignatureVersion")) != ("HMAC-SHA1", "1.0"):
        raise RefusedError(400, "IncompleteSignature", _INCOMPLETE)
    key = _key(keys, params["AccessKeyId"])
    _check_token(key, params.get("SecurityToken", ""))
    text = rpc1_string_to_sign(request.method, (*request.query, *request.form))
    expected = rpc1_signature(text, secret=key.access_key_secret)
    if not hmac.compare_digest(expected.encode(), params["Signature"].encode()):
        raise _mismatch(f"server string to sign is:{text}")
    return Stamp(params["Timestamp"], params["SignatureNonce"])


def _key(keys: Mapping[str, Credentials], key_id: str) -> Credentials:
    try:
        return keys[key_id]
    except KeyError:
        raise RefusedError(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.") from None


def _check_token(key: Credentials, token: str) -> None:
    """Demand the token of a temporary key, and no other.

    Seen in https://github.com/denverdino/aliyungo/issues/204; the code for a wrong token is one of
    several that are in use.
    """
    if key.security_token and not token:
        raise RefusedError(400, "MissingSecurityToken", "SecurityToken is mandatory for this action.")
    if token != (key.security_token or ""):
        raise RefusedError(
            400,
            "InvalidSecurityToken.MismatchWithAccessKey",
            "Specified SecurityToken mismatch with the AccessKey.",
        )


def _mismatch(detail: str) -> RefusedError:
    # The vendor repeats all that was signed, so our client is seen not to pass it on
    # (https://github.com/NewFuture/DDNS/issues/57).
    return RefusedError(
        400, "SignatureDoesNotMatch", f"Specified signature is not matched with our calculation. {detail}"
    )
