"""A JSON Web Key Set (RFC 7517): the public keys that tokens for the console are checked with.

Used are RSA keys for signatures; keys of another type or use are left out, as an identity provider has such
beside them. What holds a private or a symmetric key is refused: a setting is no place for one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import ParseError
from shared.inbound.rsa import HashName, PublicKey
from shared.toolkit import strict_json
from shared.toolkit.strict_json import Tree, any_text

_LAYER = "key set"
_LEAST_BITS = 2048  # RFC 7518, 3.3
_MOST_KEYS = 16
_SECRET_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")  # RFC 7518, 6.3.2 and 6.4.1
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

ALGORITHMS: Mapping[str, HashName] = {"RS256": "sha256", "RS384": "sha384", "RS512": "sha512"}
"""What may sign. Anything else is refused by not being here, `none` and what takes a secret above all."""


@dataclass(frozen=True)
class SigningKey:
    """A key, by its id if it has one; `algorithm` is the only one that it is for, if it says so."""

    kid: str | None
    algorithm: str | None
    key: PublicKey


@dataclass(frozen=True)
class KeySet:
    """The keys of whoever issues tokens; an empty set is nobody's."""

    keys: tuple[SigningKey, ...]

    @classmethod
    def parse(cls, text: str) -> KeySet:
        """Read a key set; raise `ParseError` that names the key by its number, and shows nothing of it."""
        tree = strict_json.parse(text)
        listed = tree.get("keys") if isinstance(tree, dict) else None
        if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
            raise ParseError(f"must be an object with a list of `keys`, {_MOST_KEYS} at most", layer=_LAYER)
        found = [_read(one, f"keys[{number}]") for number, one in enumerate(listed)]
        keys = tuple(key for key in found if key is not None)
        if listed and not keys:
            raise ParseError("has no RSA key for RS256, RS384 or RS512", layer=_LAYER)
        if len({key.kid for key in keys}) < len(keys):
            raise ParseError("has two keys of one `kid`, or two without any", layer=_LAYER)
        return cls(keys)

    def find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """Find the key that a token names, or the one without an id for a token that names none."""
        for one in self.keys:
            if one.kid == kid and one.algorithm in (None, algorithm):
                return one.key
        return None


def _read(tree: Tree, where: str) -> SigningKey | None:
    """Read one key; None for one that is not for this."""
    if not isinstance(tree, dict) or not any_text(tree, "kty"):
        raise ParseError("must be an object with a `kty`", layer=_LAYER, field=where)
    if not tree.keys().isdisjoint(_SECRET_MEMBERS):
        raise ParseError("holds a secret key: give its public half alone", layer=_LAYER, field=where)
    for name in ("alg", "kid"):
        # What is no text would be taken for none, and the key for one that fits more tokens.
        if name in tree and any_text(tree, name) is None:
            raise ParseError("must be text", layer=_LAYER, field=f"{where}.{name}")
    algorithm = any_text(tree, "alg")
    if any_text(tree, "kty") != "RSA" or algorithm not in (None, *ALGORITHMS) or not _is_to_verify(tree):
        return None
    modulus, exponent = (_number(tree, name, where) for name in ("n", "e"))
    key = PublicKey(modulus, exponent)
    if not key.is_usual(least_bits=_LEAST_BITS):
        raise ParseError(
            f"is no RSA key of {_LEAST_BITS} bits or more", layer=_LAYER, field=where, bits=key.bits
        )
    return SigningKey(any_text(tree, "kid") or None, algorithm, key)


def _is_to_verify(tree: dict[str, Tree]) -> bool:
    """Tell whether a key is for signatures; two members may say what it is for (RFC 7517, 4.2 and 4.3)."""
    operations = tree.get("key_ops", ["verify"])
    return tree.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _number(tree: dict[str, Tree], name: str, where: str) -> int:
    try:
        return int.from_bytes(decoded(any_text(tree, name) or ""), "big")
    except ValueError:
        raise ParseError("must be base64url", layer=_LAYER, field=f"{where}.{name}") from None


def decoded(part: str) -> bytes:
    """Decode base64url as tokens and keys have it: no padding, one spelling; raise `ValueError` for other."""
    if not _BASE64URL.fullmatch(part):
        raise ValueError("no base64url")
    value = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(value).rstrip(b"=") != part.encode():
        raise ValueError("base64url in another spelling than its own")
    return value
