"""Reading and writing single objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.loopback import HttpRequest
from localcloud.oss.buckets import Bucket, crc64
from localcloud.oss.wire import http_date
from tests.localcloud.oss.desk import START, Desk, code, tree
from tests.shared.adapters.oss_on_the_wire import MemoryShelf

BODY = b"0123456789"
HOUR = 3_600_000


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.ask("PUT", "key", body=BODY, headers={"x-oss-meta-word": "value", "cache-control": "no-store"})
    return desk


def test_the_checksum_is_that_of_ecma_182() -> None:
    assert crc64(b"123456789") == "11051210869376104954"  # 0x995dc9bbdf1939fa: the published check value


def test_a_bucket_that_is_opened_again_tells_the_same() -> None:
    bodies, facts = MemoryShelf(), MemoryShelf()
    stored = Bucket(bodies, facts).put("a/b", BODY, headers={"x-oss-meta-word": "值"}, modified=START)

    again = Bucket(bodies, facts)

    assert again.find("a/b") == stored
    assert again.body("a/b") == BODY


def test_what_an_object_was_stored_with_comes_back(desk: Desk) -> None:
    got, head = desk.ask("GET", "key"), desk.ask("HEAD", "key")

    told = {**got.headers, "x-oss-request-id": "", "content-length": "10"}
    assert told == {**head.headers, "x-oss-request-id": ""}
    assert (got.headers["x-oss-meta-word"], got.headers["cache-control"]) == ("value", "no-store")
    assert got.headers["last-modified"] == http_date(START)
    assert got.headers["x-oss-hash-crc64ecma"] == crc64(BODY)


def test_a_link_may_say_how_the_object_is_shown(desk: Desk) -> None:
    query = {"response-content-type": "image/png", "response-content-disposition": "attachment"}

    headers = desk.ask("GET", "key", way="v4 url", query=query).headers

    assert (headers["content-type"], headers["content-disposition"]) == ("image/png", "attachment")


@given(st.binary(max_size=8), st.integers(0, 10), st.integers(0, 10))
def test_a_range_is_that_part_of_the_body(body: bytes, first: int, last: int) -> None:
    desk = Desk()
    desk.bucket.put("key", body, headers={}, modified=0)
    asked = {"range": f"bytes={first}-{last}", "x-oss-range-behavior": "standard"}

    reply = desk.ask("GET", "key", headers=asked)

    part = body[first : last + 1]
    assert (reply.status, reply.body) == (206, part) if part else reply.status == 416


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=3-", 206, b"3456789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-30", 206, BODY),
        ("bytes=10-", 200, BODY),  # beyond the end: the whole, unless the standard is asked for
        ("bytes=5-2", 200, BODY),
        ("bytes=-", 200, BODY),
        ("lines=1-2", 200, BODY),
    ],
)
def test_a_range_that_cannot_be_met_is_the_whole(desk: Desk, asked: str, status: int, body: bytes) -> None:
    reply = desk.ask("GET", "key", headers={"range": asked})

    assert (reply.status, reply.body) == (status, body)


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("if-match", "*", 200),
        ("if-none-match", '"other"', 200),
        ("if-none-match", "*", 304),
        ("if-modified-since", http_date(START - HOUR), 200),
        ("if-modified-since", http_date(START), 304),
        ("if-modified-since", "yesterday", 200),
        ("if-unmodified-since", http_date(START), 200),
        ("if-unmodified-since", http_date(START - HOUR), 412),
    ],
)
def test_conditions_decide_whether_it_is_given(desk: Desk, header: str, value: str, status: int) -> None:
    for method in ("GET", "HEAD"):
        assert desk.ask(method, "key", headers={header: value}).status == status


def test_a_copy_keeps_the_headers_unless_they_are_replaced(desk: Desk) -> None:
    source = {"x-oss-copy-source": "/bucket/key"}
    replaced = {**source, "x-oss-metadata-directive": "REPLACE", "x-oss-meta-word": "other"}

    desk.ask("PUT", "kept", headers=source)
    desk.ask("PUT", "replaced", headers=replaced)

    words = [desk.ask("HEAD", key).headers["x-oss-meta-word"] for key in ("kept", "replaced")]
    assert words == ["value", "other"]
    assert desk.bucket.body("kept") == desk.bucket.body("replaced") == BODY


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"x-oss-copy-source": "/nobody/key"}, "NoSuchBucket"),
        ({"x-oss-copy-source": "/bucket/nothing"}, "NoSuchKey"),
        ({"x-oss-copy-source": "/bucket/key", "x-oss-copy-source-if-match": "x"}, "PreconditionFailed"),
        ({"x-oss-copy-source": "/bucket/key", "x-oss-forbid-overwrite": "true"}, "FileAlreadyExists"),
    ],
)
def test_what_cannot_be_copied_is_refused(desk: Desk, headers: dict[str, str], refusal: str) -> None:
    assert code(desk.ask("PUT", "key", headers=headers)) == refusal


def test_only_what_was_appended_to_can_be_appended_to(desk: Desk) -> None:
    reply = desk.ask("POST", "key", query={"append": "", "position": "10"}, body=b"x")

    assert (reply.status, code(reply)) == (409, "ObjectNotAppendable")


@pytest.mark.parametrize("position", ["ten", "-1", "²"])
def test_a_position_that_is_no_number_is_refused(desk: Desk, position: str) -> None:
    reply = desk.ask("POST", "new", query={"append": "", "position": position})

    assert (reply.status, code(reply)) == (400, "InvalidArgument")


def test_encryption_is_kept_and_an_unknown_one_refused(desk: Desk) -> None:
    name = "x-oss-server-side-encryption"

    assert desk.ask("PUT", "secret", headers={name: "KMS"}).headers[name] == "KMS"
    assert desk.ask("HEAD", "secret").headers[name] == "KMS"
    assert code(desk.ask("PUT", "secret", headers={name: "ROT13"})) == "InvalidEncryptionAlgorithmError"


def test_several_objects_are_deleted_at_once_quietly_if_asked(desk: Desk) -> None:
    listed = (
        "<Delete><Quiet>{}</Quiet><Object><Key>key</Key></Object><Object><Key>a&amp;b</Key></Object></Delete>"
    )

    told = desk.ask("POST", query={"delete": ""}, body=listed.format("false").encode())
    quiet = desk.ask("POST", query={"delete": ""}, body=listed.format("true").encode())

    assert [node.text for node in tree(told).findall("Deleted/Key")] == ["key", "a&b"]
    assert not tree(quiet).findall("Deleted")
    assert desk.bucket.all() == []


@pytest.mark.parametrize("body", [b"", b"<Delete>", b"<Delete></Delete>"])
def test_a_document_that_is_none_is_refused(desk: Desk, body: bytes) -> None:
    assert code(desk.ask("POST", query={"delete": ""}, body=body)) == "MalformedXML"


@pytest.mark.parametrize("key", ["a//b", "../a", "a/"])
def test_a_key_that_the_folder_behind_cannot_hold_is_refused(desk: Desk, key: str) -> None:
    assert code(desk.ask("PUT", key, body=BODY)) == "InvalidObjectName"


@pytest.mark.parametrize(
    ("method", "key", "query"),
    [("PUT", "", {}), ("POST", "key", {}), ("POST", "", {"uploads": ""}), ("DELETE", "", {})],
)
def test_what_this_imitation_does_not_do_it_says(
    desk: Desk, method: str, key: str, query: dict[str, str]
) -> None:
    assert code(desk.ask(method, key, query=query)) == "NotImplemented"


def test_a_path_that_is_no_text_is_refused(desk: Desk) -> None:
    assert code(desk.send(HttpRequest("GET", "/bucket/%ff"))) == "InvalidObjectName"
