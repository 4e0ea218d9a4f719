"""Tokens for the console, in tests: keys and signatures are another library's."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "media-ledger"


def private_key(name: str = "one", *, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Make a key, one for each name."""
    return _private_key(name, bits)


@cache
def _private_key(name: str, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


def jwk(name: str = "one", *, bits: int = 2048, **more: Any) -> dict[str, Any]:
    """Give a key's public half as an entry of a key set; a member that is None is left out."""
    tree: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(
        private_key(name, bits=bits).public_key(), as_dict=True
    )
    tree = {"kty": tree["kty"], "n": tree["n"], "e": tree["e"], "kid": name, **more}
    return {member: value for member, value in tree.items() if value is not None}


def elliptic_jwk() -> dict[str, Any]:
    """Give a key of another type, such as identity providers have beside RSA."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    tree: dict[str, Any] = jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True)
    return {**tree, "kid": "elliptic"}


def jwks(*keys: dict[str, Any]) -> str:
    """Write a key set; of the one key without any."""
    return json.dumps({"keys": keys or (jwk(),)})


def token(
    claims: dict[str, Any], *, key: str = "one", alg: str = "RS256", kid: str | None = "one", **header: Any
) -> str:
    """Sign a token."""
    named = {**header, **({"kid": kid} if kid is not None else {})}
    return jwt.encode(claims, private_key(key), algorithm=alg, headers=named)


def claims(now: int, **more: Any) -> dict[str, Any]:
    """Give the claims of somebody who may look for an hour; a claim that is None is left out."""
    usual = {"sub": "canary-person", "aud": AUDIENCE, "exp": now // 1_000 + 3_600, **more}
    return {name: value for name, value in usual.items() if value is not None}
