"""Tokens for functions behind JWT authentication, from a key of one run of the local cloud."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass

from localcloud.rsa import EXPONENT, PrivateKey

_BITS = 2_048
_KID = "local"


@dataclass(frozen=True)
class TokenIssuer:
    """Signs tokens; `jwks` is what checks them."""

    key: PrivateKey

    @classmethod
    def make(cls, draw: random.Random) -> TokenIssuer:
        """Make a key."""
        return cls(PrivateKey.make(draw, bits=_BITS))

    @property
    def jwks(self) -> str:
        """Write the key set of a trigger."""
        n, e = (
            _text(number.to_bytes((number.bit_length() + 7) // 8, "big"))
            for number in (self.key.modulus, EXPONENT)
        )
        return json.dumps(
            {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": _KID, "n": n, "e": e}]}
        )

    def token(self, *, audience: str, ends: int) -> str:
        """Sign a token that ends at so many epoch milliseconds."""
        header = {"alg": "RS256", "kid": _KID, "typ": "JWT"}
        claims = {"sub": "local", "aud": audience, "exp": ends // 1_000}
        signed = ".".join(_text(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{_text(self.key.sign(signed.encode(), 'sha256'))}"


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
