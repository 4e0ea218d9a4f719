"""What the gateway refuses, and in which words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring

from localcloud.media.gateway import TIME_WINDOW_MS
from localcloud.media.wire import Action, Answer, WireReply, WireRequest
from shared.adapters.signing import (
    Scheme,
    canonical_query,
    rpc1_signature,
    rpc1_string_to_sign,
)
from shared.toolkit.context import Credentials
from shared.vendor import ApiRequest
from tests.localcloud.media.worlds import OWN, START, TEMPORARY, new_world, vod_request, wire

SCHEMES: list[Scheme] = ["acs3", "rpc1"]
both = pytest.mark.parametrize("scheme", SCHEMES)
QUERY = vod_request("GetAIMediaAuditJob", JobId="nobody-knows-it")


def told(reply: WireReply) -> tuple[int, Any]:
    return reply.status, json.loads(reply.body).get("Code")


@both
def test_an_error_body_has_what_the_vendors_has(scheme: Scheme) -> None:
    reply = new_world().gateway.answer(wire(QUERY, scheme=scheme))

    body = json.loads(reply.body)
    assert (reply.status, sorted(body)) == (404, ["Code", "HostId", "Message", "Recommend", "RequestId"])
    assert body["HostId"] == "127.0.0.1:8080"
    assert body["RequestId"] == reply.headers["x-acs-request-id"]
    assert "InvalidJobId.NotFound" in body["Recommend"]


@both
@pytest.mark.parametrize("key", [OWN, TEMPORARY])
def test_permanent_and_temporary_keys_are_accepted(scheme: Scheme, key: Credentials) -> None:
    submission = vod_request("SubmitAIMediaAuditJob", MediaId="media-1")

    reply = new_world().gateway.answer(wire(submission, scheme=scheme, key=key))

    assert reply.status == 200


def with_token(key: Credentials, token: str | None) -> Credentials:
    """Give the same key with another token, or none."""
    return Credentials(key.access_key_id, key.access_key_secret, token)


@both
@pytest.mark.parametrize(
    ("key", "refusal"),
    [
        (Credentials("nobody", "secret"), (404, "InvalidAccessKeyId.NotFound")),
        (Credentials("own-key", "wrong"), (400, "SignatureDoesNotMatch")),
        (with_token(TEMPORARY, None), (400, "MissingSecurityToken")),
        (with_token(TEMPORARY, "other"), (400, "InvalidSecurityToken.MismatchWithAccessKey")),
        (with_token(OWN, "needless"), (400, "InvalidSecurityToken.MismatchWithAccessKey")),
    ],
    ids=lambda part: part[1] if isinstance(part, tuple) else "",
)
def test_keys_and_tokens_are_checked(scheme: Scheme, key: Credentials, refusal: tuple[int, str]) -> None:
    reply = new_world().gateway.answer(wire(QUERY, scheme=scheme, key=key))

    assert told(reply) == refusal


@both
@pytest.mark.parametrize("off", [-TIME_WINDOW_MS, TIME_WINDOW_MS])
def test_the_time_of_a_request_may_be_off_by_31_minutes_and_no_more(scheme: Scheme, off: int) -> None:
    gateway = new_world().gateway
    further = off + (1_000 if off > 0 else -1_000)

    within = gateway.answer(wire(QUERY, scheme=scheme, now=START + off))
    beyond = gateway.answer(wire(QUERY, scheme=scheme, now=START + further))

    assert told(within) == (404, "InvalidJobId.NotFound")
    assert told(beyond) == (400, "InvalidTimeStamp.Expired")


@both
def test_a_nonce_is_accepted_once(scheme: Scheme) -> None:
    gateway = new_world().gateway
    request = wire(QUERY, scheme=scheme, nonce="once")

    first, second = gateway.answer(request), gateway.answer(request)

    assert told(first) == (404, "InvalidJobId.NotFound")
    assert told(second) == (400, "SignatureNonceUsed")


@both
def test_a_nonce_is_remembered_as_long_as_its_timestamp_is_valid(scheme: Scheme) -> None:
    world = new_world()
    ahead = wire(QUERY, scheme=scheme, nonce="once", now=START + TIME_WINDOW_MS)
    world.gateway.answer(ahead)

    world.clock.advance(2 * TIME_WINDOW_MS)
    again = world.gateway.answer(ahead)
    world.clock.advance(1_000)
    anew = world.gateway.answer(wire(QUERY, scheme=scheme, nonce="once", now=world.clock.now()))

    assert told(again) == (400, "SignatureNonceUsed")
    assert told(anew) == (404, "InvalidJobId.NotFound")


@both
def test_a_forged_request_uses_up_no_nonce(scheme: Scheme) -> None:
    gateway = new_world().gateway
    forged = wire(QUERY, scheme=scheme, nonce="once", key=Credentials("own-key", "wrong"))
    gateway.answer(forged)

    reply = gateway.answer(wire(QUERY, scheme=scheme, nonce="once"))

    assert told(reply) == (404, "InvalidJobId.NotFound")


@both
def test_version_and_action_are_known_or_refused(scheme: Scheme) -> None:
    gateway = new_world().gateway

    version = gateway.answer(wire(ApiRequest("vod", "1999-01-01", "GetAIMediaAuditJob"), scheme=scheme))
    action = gateway.answer(wire(vod_request("GetNothing"), scheme=scheme))

    assert told(version) == (400, "InvalidVersion")
    assert told(action) == (404, "InvalidAction.NotFound")


@both
def test_an_action_of_one_version_is_not_served_under_another(scheme: Scheme) -> None:
    more = [Action("ice", "2020-11-09", "QueryIProductionJob", lambda _: {"From": "ice"})]
    gateway = new_world(more=more).gateway

    ice = gateway.answer(wire(ApiRequest("ice", "2020-11-09", "QueryIProductionJob"), scheme=scheme))
    vod = gateway.answer(wire(vod_request("QueryIProductionJob"), scheme=scheme))

    assert json.loads(ice.body)["From"] == "ice"
    assert told(vod) == (404, "InvalidAction.NotFound")


@both
def test_troubles_befall_the_next_valid_calls_in_order(scheme: Scheme) -> None:
    gateway = new_world().gateway
    gateway.throttle(2, retry_after=5)
    gateway.break_down()
    gateway.stumble()

    forged = gateway.answer(wire(QUERY, scheme=scheme, key=Credentials("own-key", "wrong")))
    replies = [gateway.answer(wire(QUERY, scheme=scheme)) for _ in range(5)]

    assert told(forged) == (400, "SignatureDoesNotMatch")
    assert [told(reply) for reply in replies] == [
        (400, "Throttling.User"),
        (400, "Throttling.User"),
        (503, "ServiceUnavailable"),
        (500, "InternalError"),
        (404, "InvalidJobId.NotFound"),
    ]
    assert [reply.headers.get("x-acs-retry-after") for reply in replies] == ["5", "5", None, None, None]


@pytest.mark.parametrize(
    "authorization",
    [
        "ACS3-HMAC-SHA256",
        "ACS3-HMAC-SHA256 Credential=own-key",
        "ACS3-HMAC-SHA256 Credential=own-key,SignedHeaders=host,Signature=00",
        "ACS3-HMAC-SHA256 Credential=own-key,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        "x-acs-signature-nonce;x-acs-version;not-sent,Signature=00",
    ],
)
def test_an_acs3_signature_must_be_complete(authorization: str) -> None:
    sent = wire(QUERY)

    reply = new_world().gateway.answer(
        replace(sent, headers={**sent.headers, "authorization": authorization})
    )

    assert told(reply) == (400, "IncompleteSignature")


def test_an_acs_header_that_is_not_signed_is_refused() -> None:
    sent = wire(QUERY)

    reply = new_world().gateway.answer(replace(sent, headers={**sent.headers, "x-acs-extra": "1"}))

    assert told(reply) == (400, "IncompleteSignature")


def test_a_body_that_was_not_signed_is_refused() -> None:
    reply = new_world().gateway.answer(replace(wire(QUERY), body=b"JobId=2"))

    assert told(reply) == (400, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Signature": None}, "MissingParameter"),
        ({"AccessKeyId": None}, "MissingParameter"),
        ({"Timestamp": None}, "MissingParameter"),
        ({"SignatureNonce": ""}, "MissingParameter"),
        ({"SignatureMethod": "HMAC-MD5"}, "IncompleteSignature"),
        ({"SignatureVersion": None}, "IncompleteSignature"),
    ],
)
def test_an_rpc1_signature_must_be_complete(changes: Mapping[str, str | None], code: str) -> None:
    sent = wire(QUERY, scheme="rpc1")
    params = {**sent.params, **changes}
    query = "&".join(f"{name}={value}" for name, value in params.items() if value is not None)

    reply = new_world().gateway.answer(replace(sent, target=f"/?{query}"))

    assert told(reply) == (400, code)


def test_a_timestamp_in_another_form_is_refused() -> None:
    # Signed by hand: our client writes no such timestamp.
    sent = wire(vod_request("GetAIMediaAuditJob", JobId="1"), scheme="rpc1")
    params = {**sent.params, "Timestamp": "2027-01-15 08:00:00"}

    reply = new_world().gateway.answer(signed_by_hand(params))

    assert told(reply) == (400, "InvalidTimeStamp.Format")


def signed_by_hand(params: Mapping[str, str]) -> WireRequest:
    signature = rpc1_signature(rpc1_string_to_sign("POST", params), secret=OWN.access_key_secret)
    return WireRequest("POST", f"/?{canonical_query({**params, 'Signature': signature})}")


@pytest.mark.parametrize("wanted", [None, "XML", "xml", "JSON", "json"])
def test_rpc1_answers_in_xml_unless_json_is_asked_for(wanted: str | None) -> None:
    world = new_world()
    job_id = world.submit()
    params = dict(wire(vod_request("GetAIMediaAuditJob", JobId=job_id), scheme="rpc1").params)
    params.pop("Format")
    if wanted:
        params["Format"] = wanted

    reply = world.gateway.answer(signed_by_hand(params))

    if wanted in ("JSON", "json"):
        assert json.loads(reply.body)["MediaAuditJob"]["JobId"] == job_id
    else:
        root = fromstring(reply.body)
        assert (root.tag, root.findtext("MediaAuditJob/JobId")) == ("GetAIMediaAuditJobResponse", job_id)


def test_an_error_is_written_in_the_wanted_format_too() -> None:
    sent = wire(QUERY)

    reply = new_world().gateway.answer(replace(sent, headers={**sent.headers, "accept": "application/xml"}))

    root = fromstring(reply.body)
    assert (root.tag, root.findtext("Code")) == ("Error", "SignatureDoesNotMatch")


@both
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_get_and_post_are_both_served(scheme: Scheme, method: str) -> None:
    submission = vod_request("SubmitAIMediaAuditJob", MediaId="media-1")

    reply = new_world().gateway.answer(wire(submission, scheme=scheme, method=method))

    assert reply.status == 200


def test_an_operation_may_answer_with_any_bytes() -> None:
    def broken(_: Mapping[str, str]) -> Answer:
        return b"<html>"

    gateway = new_world(more=[Action("vod", "2017-03-21", "Broken", broken)]).gateway

    assert gateway.answer(wire(vod_request("Broken"))).body == b"<html>"
