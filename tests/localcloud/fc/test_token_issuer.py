"""A token of the local cloud is one, as another library has it."""

from __future__ import annotations

import json
import random

import jwt

from localcloud.fc.token_issuer import TokenIssuer

HOUR_FROM_NOW = 4_000_000_000


def test_a_token_is_signed_with_the_key_of_its_set() -> None:
    issuer = TokenIssuer.make(random.Random(1))
    (key,) = json.loads(issuer.jwks)["keys"]
    token = issuer.token(audience="media-ledger", ends=HOUR_FROM_NOW * 1_000)

    claims = jwt.decode(token, jwt.PyJWK(key).key, ["RS256"], audience="media-ledger")
    assert claims == {"sub": "local", "aud": "media-ledger", "exp": HOUR_FROM_NOW}
    assert jwt.get_unverified_header(token)["kid"] == key["kid"]
    assert str(issuer.key.private_exponent) not in repr(issuer)
