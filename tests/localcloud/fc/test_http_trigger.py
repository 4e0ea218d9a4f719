"""Requests to HTTP triggers: the event, the reply, the limits, who comes in."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from localcloud.fc.http_gateway import HttpGateway, http_server
from localcloud.fc.http_trigger import AuthType, HttpTrigger, http_event, http_reply
from localcloud.fc.invocation import UNHANDLED, Function, Outcome
from localcloud.loopback import HttpReply, HttpRequest
from localcloud.runner import TooManyInstancesError
from shared.adapters.clocks import ManualClock
from shared.adapters.signing import (
    acs3_canonical_request,
    acs3_signature,
    acs3_string_to_sign,
    sha256_hex,
    timestamp,
)
from shared.toolkit.context import Credentials
from shared.toolkit.http_events import http_request
from tests.localcloud.fc import rsa_keys
from tests.localcloud.fc.worlds import OWN, TEMPORARY

SAMPLE = Path(__file__).parents[3] / "events" / "track" / "http-post.json"
NOW = 1_763_640_000_000
JWT = {
    "jwks": {"keys": [rsa_keys.public_key(kid="one")]},
    "tokenLookup": "header:Authorization:Bearer,cookie:token,query:token",
    "claimPassBy": "query:uid:uid,header:name:X-Name,header:absent:X-Absent",
}


def event_of(request: HttpRequest) -> dict[str, Any]:
    return http_event(
        request, account="1", domain="track-http.cn-shanghai.fcapp.run", request_id="r", now=NOW
    )


def gateway(
    function: Function, *, auth: AuthType = "anonymous", methods: tuple[str, ...] = ()
) -> HttpGateway:
    """Put a function behind a trigger."""
    return HttpGateway(
        HttpTrigger("track", "http", auth, methods, JWT if auth == "jwt" else {}),
        {"track": function}.__getitem__,
        keys={key.access_key_id: key for key in (OWN, TEMPORARY)},
        clock=ManualClock(NOW),
        random=random.Random(1),
        region="cn-shanghai",
        account="1000000000000001",
    )


def signed(
    request: HttpRequest, *, key: Credentials = OWN, now: int = NOW, date: str = "", with_body: bool = False
) -> HttpRequest:
    """Sign a request as the vendor's page shows it, or with the digest of its body."""
    headers = {"x-acs-date": date or timestamp(now), "x-acs-security-token": key.security_token or ""}
    if with_body:
        headers["x-acs-content-sha256"] = sha256_hex(request.body)
    path, _, query = request.target.partition("?")
    pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
    text = acs3_canonical_request(
        request.method, path, query=pairs, headers=headers, signed=list(headers), body=request.body
    )
    if not with_body:
        text = text.rpartition("\n")[0] + "\n"
    signature = acs3_signature(acs3_string_to_sign(text), secret=key.access_key_secret)
    names = ";".join(sorted(headers))
    headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={key.access_key_id},SignedHeaders={names},Signature={signature}"
    )
    return HttpRequest(request.method, request.target, {**request.headers, **headers}, request.body)


def code(reply: HttpReply) -> str:
    return str(json.loads(reply.body)["Code"])


def test_an_event_has_the_fields_of_the_documented_one() -> None:
    event = event_of(HttpRequest("POST", "/a%20b?x=1&x=2&empty=", {"content-type": "text/plain"}, b"Hello"))

    sample = json.loads(SAMPLE.read_text())
    assert event.keys() == sample.keys()
    assert event["requestContext"].keys() == sample["requestContext"].keys()
    assert event["requestContext"]["http"].keys() == sample["requestContext"]["http"].keys()
    assert (event["rawPath"], event["requestContext"]["http"]["path"]) == ("/a%20b", "/a b")
    assert event["queryParameters"] == {"x": "1,2", "empty": ""}
    assert event["headers"] == {"Content-Type": "text/plain"}
    assert (event["requestContext"]["time"], event["requestContext"]["timeEpoch"]) == (
        "2025-11-20T12:00:00Z",
        str(NOW),
    )


@given(st.binary(max_size=50), st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20))
def test_our_own_reader_gets_back_what_was_sent(body: bytes, header: str) -> None:
    event = event_of(HttpRequest("PUT", "/x?a=b", {"x-one": header, "host": "h"}, body))

    read = http_request(json.dumps(event).encode())

    assert (read.method, read.body, read.headers["x-one"], read.query) == ("PUT", body, header, {"a": "b"})


@pytest.mark.parametrize(
    ("answer", "status", "body", "content_type"),
    [
        ({"statusCode": 201, "headers": {"Content-Type": "text/x"}, "body": "a"}, 201, b"a", "text/x"),
        ({"statusCode": 204}, 204, b"", "application/json"),
        ({"statusCode": 200, "body": {"a": 1}}, 200, b'{"a": 1}', "application/json"),
        (
            {"statusCode": 200, "body": base64.b64encode(b"\xff").decode(), "isBase64Encoded": True},
            *(200, b"\xff", "application/json"),
        ),
        ({"a": 1}, 200, b'{"a": 1}', "application/json"),
        ([1], 200, b"[1]", "application/json"),
    ],
)
def test_an_answer_with_a_status_is_the_reply_and_any_other_its_body(
    answer: object, status: int, body: bytes, content_type: str
) -> None:
    reply = http_reply(Outcome(json.dumps(answer).encode()))

    headers = {name.lower(): value for name, value in reply.headers.items()}
    assert (reply.status, reply.body, headers["content-type"]) == (status, body, content_type)


def test_text_is_the_body_of_a_reply() -> None:
    assert http_reply(Outcome(b"Hello FC!")).body == b"Hello FC!"


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(b'{"errorMessage": "no"}', UNHANDLED),
        Outcome(b'{"statusCode": 200, "body": "x", "isBase64Encoded": true}'),
    ],
)
def test_what_cannot_be_answered_is_a_bad_gateway(outcome: Outcome) -> None:
    assert http_reply(outcome).status == 502


def test_a_method_that_is_not_listed_stays_outside() -> None:
    reply = gateway(bytes, methods=("POST",)).answer(HttpRequest("GET", "/"))

    assert (reply.status, code(reply)) == (405, "MethodNotAllowed")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (HttpRequest("GET", "/" + "x" * 4_096), 414),
        (HttpRequest("GET", "/", {"x-one": "x" * 8_192}), 431),
        (HttpRequest("GET", "/" + "x" * 4_095, {"x-one": "x" * 8_000}), 200),
    ],
)
def test_requests_are_held_to_the_limits(request_: HttpRequest, status: int) -> None:
    assert gateway(lambda event: b"fine").answer(request_).status == status


def test_a_function_that_takes_no_more_calls_is_throttled() -> None:
    def busy(event: bytes) -> object:
        raise TooManyInstancesError("all 1 instances are busy")

    reply = gateway(busy).answer(HttpRequest("GET", "/"))

    assert (reply.status, code(reply)) == (429, "ResourceThrottled")


@pytest.mark.parametrize("key", [OWN, TEMPORARY])
@pytest.mark.parametrize("with_body", [False, True])
def test_a_signed_request_comes_in(key: Credentials, with_body: bool) -> None:
    request = HttpRequest("POST", "/hello?foo=bar", {"host": "h"}, b"hello world")

    reply = gateway(lambda event: b"in", auth="function").answer(
        signed(request, key=key, with_body=with_body)
    )

    assert (reply.status, reply.body) == (200, b"in")


UNSIGNED = HttpRequest("POST", "/hello?foo=bar", {}, b"hello world")


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        (UNSIGNED, "MissingRequiredHeader"),
        (HttpRequest("POST", "/", {"x-acs-date": timestamp(NOW)}), "IncompleteSignature"),
        (signed(UNSIGNED, key=Credentials("nobody", "x")), "InvalidAccessKeyID"),
        (signed(UNSIGNED, key=Credentials("own-key", "x")), "SignatureNotMatch"),
        (signed(UNSIGNED, key=Credentials("STS.key", "temporary-secret")), "InvalidSecurityToken"),
        (signed(UNSIGNED, now=NOW - 16 * 60_000), "RequestTimeTooSkewed"),
        (signed(UNSIGNED, date="yesterday"), "RequestTimeTooSkewed"),
        (HttpRequest("POST", "/other", signed(UNSIGNED).headers, b""), "SignatureNotMatch"),
        (
            HttpRequest("POST", UNSIGNED.target, signed(UNSIGNED, with_body=True).headers, b"changed"),
            "SignatureNotMatch",
        ),
        (
            HttpRequest("POST", UNSIGNED.target, {**signed(UNSIGNED).headers, "x-acs-extra": "1"}, b""),
            "IncompleteSignature",
        ),
    ],
)
def test_a_request_that_is_not_rightly_signed_stays_outside(request_: HttpRequest, refusal: str) -> None:
    reply = gateway(bytes, auth="function").answer(request_)

    assert (reply.status, code(reply)) == (403, refusal)


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512"])
@pytest.mark.parametrize("place", ["header", "cookie", "query"])
def test_a_token_comes_in_and_its_claims_with_it(alg: str, place: str) -> None:
    token = rsa_keys.token({"uid": 7, "name": "n", "exp": NOW / 1000 + 1}, alg=alg, kid="one")
    request = {
        "header": HttpRequest("GET", "/", {"authorization": f"Bearer {token}"}),
        "cookie": HttpRequest("GET", "/", {"cookie": f"other=1; token={token}"}),
        "query": HttpRequest("GET", f"/?token={token}"),
    }[place]

    event = json.loads(gateway(lambda event: event, auth="jwt").answer(request).body)

    assert (event["queryParameters"]["uid"], event["headers"]["X-Name"]) == ("7", "n")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "no.token",
        "a.b.c",
        rsa_keys.token({"exp": NOW / 1000}),
        rsa_keys.token({"nbf": NOW / 1000 + 1}),
        rsa_keys.token({"exp": "soon"}),
        rsa_keys.token({"exp": 10**400}),
        base64.urlsafe_b64encode(b"[" * 4_000).decode() + ".e30.AA",
        rsa_keys.token({}, kid="another"),
        rsa_keys.token({}, alg="RS256")[:-4] + "AAAA",
        rsa_keys.token({}).replace(".", "", 1) + ".x",
        rsa_keys.token({}).rpartition(".")[0] + ".c2hvcnQ",
    ],
)
def test_what_is_no_valid_token_stays_outside(token: str) -> None:
    request = HttpRequest("GET", "/", {"authorization": f"Bearer {token}"} if token else {})

    reply = gateway(bytes, auth="jwt").answer(request)

    assert (reply.status, code(reply)) == (403, "AccessDenied")


def test_cookies_that_cannot_be_read_stay_outside() -> None:
    reply = gateway(bytes, auth="jwt").answer(HttpRequest("GET", "/", {"cookie": "a@b=1"}))

    assert (reply.status, code(reply)) == (403, "AccessDenied")


def test_a_trigger_has_an_address() -> None:
    def echo(event: bytes) -> object:
        return {"statusCode": 200, "headers": {"X-Own": "1"}, "body": json.loads(event)["body"]}

    with http_server(gateway(echo)) as server:
        reply = requests.post(f"{server.endpoint}/path?a=b", data="中文".encode(), timeout=10)

    assert (reply.status_code, reply.content.decode(), reply.headers["X-Own"]) == (200, "中文", "1")
    assert reply.headers["x-fc-request-id"].startswith("1-")
