"""Signatures, held against what the vendor's own clients signed (tests/data/signature-vectors.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.media.signatures import Stamp, verify
from localcloud.media.wire import RefusedError, WireRequest
from shared.adapters.signing import (
    SIGNERS,
    Envelope,
    Scheme,
    SignedRequest,
    acs3_canonical_request,
    acs3_signature,
    acs3_string_to_sign,
    canonical_query,
    percent_encode,
    rpc1_signature,
    rpc1_string_to_sign,
    timestamp,
)
from shared.toolkit.context import Credentials
from shared.vendor import ApiRequest

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "signature-vectors.json").read_text("utf-8"))
WHOLE = VECTORS["client_vectors"]
ACS3 = [vector for vector in WHOLE if vector["scheme"] == "ACS3-HMAC-SHA256"]
RPC1 = [vector for vector in WHOLE if vector["scheme"] == "RPC-1.0-HMAC-SHA1"]
PRIMITIVES = VECTORS["primitive_vectors"]
SCHEMES: list[Scheme] = ["acs3", "rpc1"]

KEY = Credentials("key", "secret")
# 2024-01-02T03:04:05Z, the moment of all vectors.
MOMENT = 1_704_164_645_000
# What a client adds to a call in RPC 1.0.
SYSTEM = {
    "AccessKeyId",
    "Action",
    "Format",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureVersion",
    "Timestamp",
    "Version",
}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
params = st.dictionaries(texts.filter(lambda name: name not in SYSTEM), texts, max_size=4)


def named(vectors: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=[vector["id"] for vector in vectors])


def as_sent(vector: dict[str, Any]) -> WireRequest:
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    target = f"/?{urlsplit(vector['url']).query}"
    return WireRequest(vector["method"], target, headers=headers, body=vector["body"].encode())


def on_the_wire(signed: SignedRequest, *, method: str = "POST") -> WireRequest:
    return WireRequest(method, f"/?{canonical_query(signed.query)}", headers=signed.headers)


def keys(credentials: Credentials) -> dict[str, Credentials]:
    return {credentials.access_key_id: credentials}


def signed_by_us(vector: dict[str, Any], scheme: Scheme) -> SignedRequest:
    sent = as_sent(vector)
    request = ApiRequest(
        "any",
        vector["headers"]["x-acs-version"],
        vector["headers"]["x-acs-action"],
        params={name: value for name, value in sent.params.items() if name not in SYSTEM},
    )
    envelope = Envelope(
        vector["headers"].get("host", "127.0.0.1:8080"), MOMENT, vector["nonce"], method=vector["method"]
    )
    return SIGNERS[scheme](request, Credentials(**vector["credentials"]), envelope)


def test_the_vectors_are_all_there() -> None:
    assert (len(ACS3), len(RPC1), len(PRIMITIVES)) == (5, 7, 5)


@named(ACS3)
def test_acs3_canonicalises_and_signs_as_the_vendor_does(vector: dict[str, Any]) -> None:
    sent = as_sent(vector)

    canonical = acs3_canonical_request(
        sent.method,
        sent.path,
        query=sent.query,
        headers=sent.headers,
        signed=vector["signed_headers"],
        body=sent.body,
    )
    text = acs3_string_to_sign(canonical)

    assert canonical == vector["canonical_request"]
    assert text == vector["string_to_sign"]
    secret = vector["credentials"]["access_key_secret"]
    assert acs3_signature(text, secret=secret) == vector["signature"]


@named(RPC1)
def test_rpc1_canonicalises_and_signs_as_the_vendor_does(vector: dict[str, Any]) -> None:
    sent = as_sent(vector)

    text = rpc1_string_to_sign(sent.method, (*sent.query, *sent.form))

    assert text == vector["string_to_sign"]
    secret = vector["credentials"]["access_key_secret"]
    assert rpc1_signature(text, secret=secret) == vector["signature"]


@named(WHOLE)
def test_the_verifier_accepts_what_the_vendors_client_sends(vector: dict[str, Any]) -> None:
    stamp = verify(as_sent(vector), keys(Credentials(**vector["credentials"])))

    assert stamp == Stamp(vector["timestamp"], vector["nonce"])


@pytest.mark.parametrize("scheme", SCHEMES)
@named(WHOLE)
def test_the_verifier_accepts_the_same_call_from_our_client(vector: dict[str, Any], scheme: Scheme) -> None:
    signed = signed_by_us(vector, scheme)

    stamp = verify(on_the_wire(signed, method=vector["method"]), keys(Credentials(**vector["credentials"])))

    assert stamp == Stamp(vector["timestamp"], vector["nonce"])


@named([vector for vector in RPC1 if not vector["id"].startswith("legacy")])
def test_our_rpc1_requests_bear_the_signature_of_the_vendors_client(vector: dict[str, Any]) -> None:
    assert signed_by_us(vector, "rpc1").query["Signature"] == vector["signature"]


@named([vector for vector in PRIMITIVES if vector["function"] == "get_rpcsignature"])
def test_rpc1_primitives_agree(vector: dict[str, Any]) -> None:
    text = rpc1_string_to_sign(vector["method"], vector["params"])

    assert text == vector["string_to_sign"]
    assert rpc1_signature(text, secret=vector["access_key_secret"]) == vector["signature"]


@named([vector for vector in PRIMITIVES if vector["function"] == "get_authorization"])
def test_acs3_primitives_agree(vector: dict[str, Any]) -> None:
    canonical = acs3_canonical_request(
        vector["method"],
        vector["pathname"],
        query=vector["query"],
        headers=vector["headers"],
        signed=list(vector["headers"]),
        body=b"",
    )
    text = acs3_string_to_sign(canonical)
    signature = acs3_signature(text, secret=vector["access_key_secret"])

    assert canonical == vector["canonical_request"]
    assert text == vector["string_to_sign"]
    assert vector["authorization"].endswith(f"Signature={signature}")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("scheme", SCHEMES)
@given(business=params)
def test_any_parameters_survive_the_wire(scheme: Scheme, method: str, business: dict[str, str]) -> None:
    request = ApiRequest("vod", "2017-03-21", "SubmitAIMediaAuditJob", params=business)
    envelope = Envelope("127.0.0.1:8080", MOMENT, "nonce", method=method)

    arrived = on_the_wire(SIGNERS[scheme](request, KEY, envelope), method=method)

    assert verify(arrived, keys(KEY)) == Stamp("2024-01-02T03:04:05Z", "nonce")
    assert business.items() <= arrived.params.items()


@pytest.mark.parametrize("scheme", SCHEMES)
@given(business=params)
def test_a_space_may_travel_as_a_plus(scheme: Scheme, business: dict[str, str]) -> None:
    request = ApiRequest("vod", "2017-03-21", "SubmitAIMediaAuditJob", params={**business, "Text": "a b"})
    signed = SIGNERS[scheme](request, KEY, Envelope("host", MOMENT, "nonce"))
    query = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in signed.query.items())

    stamp = verify(WireRequest("POST", f"/?{query}", headers=signed.headers), keys(KEY))

    assert stamp.nonce == "nonce"


@pytest.mark.parametrize("scheme", SCHEMES)
@given(business=params, name=texts.filter(lambda name: name not in SYSTEM), value=texts)
def test_a_parameter_changed_on_the_way_breaks_the_signature(
    scheme: Scheme, business: dict[str, str], name: str, value: str
) -> None:
    request = ApiRequest("vod", "2017-03-21", "GetAIMediaAuditJob", params={**business, "JobId": "1"})
    signed = SIGNERS[scheme](request, KEY, Envelope("host", MOMENT, "nonce"))
    changed = {**signed.query, name: value + "!"}
    if changed == signed.query:
        changed[name] += "!"

    with pytest.raises(RefusedError) as refused:
        verify(on_the_wire(SignedRequest(changed, signed.headers)), keys(KEY))

    assert refused.value.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("header", ["accept", "host", "user-agent", "x-acs-action", "x-acs-date"])
def test_acs3_covers_every_header_that_our_client_sets(header: str) -> None:
    signed = SIGNERS["acs3"](
        ApiRequest("vod", "2017-03-21", "GetAIMediaAuditJob"), KEY, Envelope("host", MOMENT, "nonce")
    )
    changed = {**signed.headers, header: "2000-01-01T00:00:00Z"}

    with pytest.raises(RefusedError) as refused:
        verify(on_the_wire(SignedRequest(signed.query, changed)), keys(KEY))

    assert refused.value.code == "SignatureDoesNotMatch"


@given(texts)
def test_percent_encoding_leaves_only_unreserved_characters_and_can_be_undone(text: str) -> None:
    encoded = percent_encode(text)

    unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
    assert set(encoded) <= set(unreserved + "%")
    assert parse_qsl(f"v={encoded}", keep_blank_values=True) == [("v", text)]


@given(st.integers(min_value=0, max_value=4_102_444_799_999))
def test_a_timestamp_is_utc_in_whole_seconds(now: int) -> None:
    text = timestamp(now)

    assert len(text) == 20
    assert timestamp(now // 1000 * 1000) == text
    assert timestamp(MOMENT) == "2024-01-02T03:04:05Z"


def test_credentials_and_signed_requests_keep_their_secrets_to_themselves() -> None:
    temporary = Credentials("key-id", "top-secret", "one-time-token")
    request = ApiRequest("vod", "2017-03-21", "GetAIMediaAuditJob")
    signed = [sign(request, temporary, Envelope("host", MOMENT, "nonce")) for sign in SIGNERS.values()]

    shown = f"{temporary!r} {signed!r} {signed}"

    assert "key-id" in shown
    assert not any(secret in shown for secret in ("top-secret", "one-time-token", "Signature"))
