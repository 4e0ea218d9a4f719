"""A small RSA key for tokens of tests, with what signs by it. Nothing else may use it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, cast

from shared.inbound.rsa import DIGEST_INFO, HashName

PRIME_P = int(
    "df27b474402615f619baa4a49f0ac0170928ca2ceca468e9ce6ba18b8ad12fc9a0d4f2e345ffb65d9f9bc6d3adae2c57"
    "eafd6a994409a2329ef50006a43e3769",
    16,
)
PRIME_Q = int(
    "c32432886bb4127246699464dbe63772bad97069fd356ef093eecdd538cc3f84e44f625809d585da734ef52360ef18d5"
    "1da125316aac9f018e6343b605eceb4f",
    16,
)
MODULUS, EXPONENT = PRIME_P * PRIME_Q, 65_537
_PRIVATE = pow(EXPONENT, -1, (PRIME_P - 1) * (PRIME_Q - 1))
_LENGTH = (MODULUS.bit_length() + 7) // 8


def public_key(**changes: str) -> dict[str, str]:
    """Give the key as an entry of a JWKS."""
    n, e = _text(MODULUS.to_bytes(_LENGTH, "big")), _text(EXPONENT.to_bytes(3, "big"))
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "n": n, "e": e, **changes}


def token(claims: dict[str, Any], *, alg: str = "RS256", **header: str) -> str:
    """Sign a token."""
    signed = ".".join(_text(json.dumps(part).encode()) for part in ({"alg": alg, **header}, claims))
    name = cast("HashName", alg.replace("RS", "sha"))
    digest = DIGEST_INFO[name] + hashlib.new(name, signed.encode()).digest()
    padded = b"\x00\x01" + b"\xff" * (_LENGTH - len(digest) - 3) + b"\x00" + digest
    signature = pow(int.from_bytes(padded, "big"), _PRIVATE, MODULUS).to_bytes(_LENGTH, "big")
    return f"{signed}.{_text(signature)}"


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
