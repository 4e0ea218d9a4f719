"""Uploads in parts, and what is wrong with them."""

from __future__ import annotations

import pytest

from tests.localcloud.oss.desk import Desk, code, tree

PART = bytes(100 * 1024)


class Upload:
    """An upload under way."""

    def __init__(self) -> None:
        self.desk = Desk()
        initiated = self.desk.ask("POST", "key", query={"uploads": ""})
        self.query = {"uploadId": tree(initiated).findtext("UploadId") or ""}

    def put(self, number: int, body: bytes = PART, **more: object) -> str:
        """Put a part; give its ETag."""
        reply = self.desk.ask(
            "PUT", "key", query={**self.query, "partNumber": str(number)}, body=body, **more
        )
        return reply.headers.get("etag") or tree(reply).findtext("ETag") or code(reply)

    def complete(self, *parts: tuple[int, str], **more: object) -> str:
        """Complete it; give the vendor's word for a refusal."""
        named = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>" for number, etag in parts
        )
        document = f"<CompleteMultipartUpload>{named}</CompleteMultipartUpload>".encode()
        return code(self.desk.ask("POST", "key", query=self.query, body=document, **more))


def test_parts_become_an_object_in_the_order_of_their_numbers() -> None:
    upload = Upload()
    last, first = upload.put(7, b"end"), upload.put(2)

    assert upload.complete((2, first), (7, last)) == ""

    stored = upload.desk.bucket.find("key")
    assert stored is not None
    assert upload.desk.bucket.body("key") == PART + b"end"
    assert (stored.kind, stored.etag[-2:]) == ("Multipart", "-2")


def test_a_part_that_is_put_again_replaces_the_first() -> None:
    upload = Upload()
    upload.put(1, b"first")

    assert upload.complete((1, upload.put(1, b"second"))) == ""
    assert upload.desk.bucket.body("key") == b"second"


def test_all_parts_can_be_completed_without_naming_them() -> None:
    upload = Upload()
    upload.put(2, b"end")
    upload.put(1)

    upload.complete(headers={"x-oss-complete-all": "yes"})

    assert upload.desk.bucket.body("key") == PART + b"end"


@pytest.mark.parametrize(("span", "copied"), [(None, b"0123456789"), ("bytes=2-5", b"2345")])
def test_a_part_can_be_taken_from_another_object(span: str | None, copied: bytes) -> None:
    upload = Upload()
    upload.desk.bucket.put("source", b"0123456789", headers={}, modified=0)
    headers = {"x-oss-copy-source": "/bucket/source", **({"x-oss-copy-source-range": span} if span else {})}

    etag = upload.put(1, b"", headers=headers)

    assert upload.complete((1, etag)) == ""
    assert upload.desk.bucket.body("key") == copied


def test_what_does_not_fit_together_is_refused() -> None:
    upload = Upload()
    small, large = upload.put(1, b"small"), upload.put(2)

    assert upload.complete() == "InvalidPartOrder"
    assert upload.complete((2, large), (1, small)) == "InvalidPartOrder"
    assert upload.complete((1, small), (3, large)) == "InvalidPart"
    assert upload.complete((1, large)) == "InvalidPart"
    assert upload.complete((1, small), (2, large)) == "EntityTooSmall"
    assert upload.put(0) == upload.put(10_001) == "InvalidArgument"
    assert upload.desk.bucket.find("key") is None


def test_an_upload_may_not_replace_what_must_stay() -> None:
    upload = Upload()
    upload.desk.bucket.put("key", b"there", headers={}, modified=0)

    assert (
        upload.complete((1, upload.put(1)), headers={"x-oss-forbid-overwrite": "true"}) == "FileAlreadyExists"
    )


def test_the_uploads_under_way_are_listed_until_they_are_given_up() -> None:
    upload = Upload()
    for query in ({"uploads": ""}, {"uploads": "", "encoding-type": "url", "prefix": "k"}):
        listed = tree(upload.desk.ask("GET", query=query))
        assert [node.findtext("Key") for node in listed.findall("Upload")] == ["key"]

    upload.desk.ask("DELETE", "key", query=upload.query)

    assert not tree(upload.desk.ask("GET", query={"uploads": ""})).findall("Upload")
    assert upload.put(1) == "NoSuchUpload"


def test_an_upload_belongs_to_its_key() -> None:
    upload = Upload()

    reply = upload.desk.ask("GET", "another", query=upload.query)

    assert code(reply) == "NoSuchUpload"
    assert tree(upload.desk.ask("GET", "key", query=upload.query)).findtext("NextPartNumberMarker") == "0"
