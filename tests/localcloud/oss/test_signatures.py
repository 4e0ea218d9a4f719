"""Signatures that the vendor's signers made, and what was changed after signing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from localcloud.loopback import HttpRequest
from localcloud.oss.signatures import LONGEST_LINK_S
from shared.toolkit.context import Credentials
from tests.localcloud.oss.desk import WAYS, Desk, code, tree
from tests.shared.adapters.oss_on_the_wire import OWN, TEMPORARY

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
HOSTILE = "a b+c%2F/中&='\"<?#"


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.bucket.put(HOSTILE, b"body", headers={}, modified=0)
    return desk


def with_header(request: HttpRequest, name: str, value: str) -> HttpRequest:
    return replace(request, headers={**request.headers, name: value})


CHANGES: dict[str, Callable[[HttpRequest], HttpRequest]] = {
    "method": lambda request: replace(request, method="PUT"),
    "key": lambda request: replace(request, target=request.target.replace("/a", "/b", 1)),
    "vendor's header": lambda request: with_header(request, "x-oss-forbid-overwrite", "true"),
    "content type": lambda request: with_header(request, "content-type", "text/html"),
    "checksum": lambda request: with_header(request, "content-md5", "other"),
    "subresource": lambda request: replace(request, target=f"{request.target}&append="),
}


@pytest.mark.parametrize("held", [OWN, TEMPORARY], ids=["own", "temporary"])
@pytest.mark.parametrize("way", WAYS)
def test_a_valid_signature_opens_the_object(desk: Desk, way: str, held: Credentials) -> None:
    query = {"response-content-type": "text/x y", "x": "", "prefix": "a/b ~"}

    assert desk.ask("GET", HOSTILE, way=way, held=held, query=query).body == b"body"


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("way", WAYS)
def test_what_is_changed_after_signing_is_refused(
    desk: Desk, way: str, change: Callable[[HttpRequest], HttpRequest]
) -> None:
    reply = desk.send(change(desk.signed("GET", HOSTILE, way=way)))

    assert (reply.status, code(reply)) == (403, "SignatureDoesNotMatch")
    assert tree(reply).findtext("StringToSign")


@pytest.mark.parametrize("way", ["v1 header", "v4 header"])
@pytest.mark.parametrize(
    ("minutes", "expected"), [(15, ""), (16, "RequestTimeTooSkewed")], ids=["near", "far"]
)
def test_a_signature_is_good_for_a_quarter_of_an_hour(
    desk: Desk, way: str, minutes: int, expected: str
) -> None:
    request = desk.signed("GET", HOSTILE, way=way)
    desk.clock.advance(minutes * MINUTE)

    assert code(desk.send(request)) == expected


@pytest.mark.parametrize("way", ["v1 url", "v4 url"])
def test_a_link_ends(desk: Desk, way: str) -> None:
    request = desk.signed("GET", HOSTILE, way=way, ends_in=timedelta(minutes=1))
    desk.clock.advance(MINUTE)
    before = desk.send(request)
    desk.clock.advance(1_000)
    after = desk.send(request)

    assert (code(before), code(after)) == ("", "AccessDenied")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "InvalidArgument"), (LONGEST_LINK_S, ""), (LONGEST_LINK_S + 1, "InvalidArgument")],
)
def test_a_v4_link_lives_a_week_at_most(desk: Desk, seconds: int, expected: str) -> None:
    reply = desk.ask("GET", HOSTILE, way="v4 url", ends_in=timedelta(seconds=seconds))

    assert code(reply) == expected


def test_a_v4_link_from_the_future_is_none_yet(desk: Desk) -> None:
    early = Desk()
    early.clock.advance(16 * MINUTE)

    assert code(desk.send(early.signed("GET", HOSTILE, way="v4 url"))) == "AccessDenied"


@pytest.mark.parametrize("way", WAYS)
def test_temporary_keys_need_their_token_and_others_need_none(desk: Desk, way: str) -> None:
    stripped = Credentials(TEMPORARY.access_key_id, TEMPORARY.access_key_secret)
    added = Credentials(OWN.access_key_id, OWN.access_key_secret, "token")

    for held in (stripped, added):
        assert code(desk.ask("GET", HOSTILE, way=way, held=held)) == "InvalidSecurityToken"


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ("", "AccessDenied"),
        ("Bearer token", "AccessDenied"),
        ("OSS own-key", "InvalidArgument"),
        ("OSS own-key:", "InvalidArgument"),
        ("OSS4-HMAC-SHA256 nonsense", "InvalidArgument"),
        (
            "OSS4-HMAC-SHA256 Credential=own-key/20200101/cn-shanghai/oss/aliyun_v4_request,Signature=0",
            "InvalidArgument",
        ),
        (
            "OSS4-HMAC-SHA256 Credential=own-key/{day}/cn-shanghai/ots/aliyun_v4_request,Signature=0",
            "InvalidArgument",
        ),
        (
            "OSS4-HMAC-SHA256 Credential=who/{day}/cn-shanghai/oss/aliyun_v4_request,Signature=0",
            "InvalidAccessKeyId",
        ),
    ],
)
def test_what_is_no_signature_is_refused(desk: Desk, authorization: str, expected: str) -> None:
    request = desk.signed("GET", HOSTILE)
    day = request.headers["x-oss-date"][:8]

    reply = desk.send(with_header(request, "authorization", authorization.format(day=day)))

    assert code(reply) == expected


@pytest.mark.parametrize(("way", "header"), [("v1 header", "date"), ("v4 header", "x-oss-date")])
def test_a_date_that_is_none_is_refused(desk: Desk, way: str, header: str) -> None:
    request = desk.signed("GET", HOSTILE, way=way)

    assert code(desk.send(with_header(request, header, "yesterday"))) == "AccessDenied"


def test_a_body_cannot_be_signed(desk: Desk) -> None:
    request = with_header(desk.signed("GET", HOSTILE), "x-oss-content-sha256", "0" * 64)

    assert code(desk.send(request)) == "InvalidArgument"


@pytest.mark.parametrize("way", ["v4 header", "v4 url"])
def test_v4_covers_whatever_header_the_client_names(desk: Desk, way: str) -> None:
    request = desk.signed("GET", HOSTILE, way=way, headers={"range": "bytes=0-1"}, also=["range"])

    assert desk.send(request).body == b"bo"
    assert code(desk.send(with_header(request, "range", "bytes=0-2"))) == "SignatureDoesNotMatch"
