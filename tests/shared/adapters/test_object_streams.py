"""The contract of `ObjectStreams`, `ObjectLinks` and `ObjectRemoval`, over every adapter."""

from __future__ import annotations

import io
import tempfile
import time
import urllib.request

import pytest

from shared.errors import ObjectNotFoundError
from shared.findings_file import FindingsFile
from shared.object_files import ObjectFile
from tests.shared.adapters.conftest import WholeObjectStore

TEXT = "text/plain"
KEY = "evidence/vod.media_audit/job-1/0f3a.jpg"


def test_put_file_stores_a_file_from_its_start_and_never_replaces(objects: WholeObjectStore) -> None:
    with tempfile.SpooledTemporaryFile() as file:
        for body in (b"first " * 100_000, b"second"):
            file.seek(0)
            file.truncate()
            file.write(body)
            answer = objects.put_file(KEY, file, content_type=TEXT)  # type: ignore[arg-type]  # bpo-26175

            assert answer == (body[:5] == b"first")

    assert objects.get(KEY) == b"first " * 100_000


@pytest.mark.parametrize("body", [b"", bytes(range(250)) * 4_000], ids=["empty", "a megabyte"])
def test_a_copy_is_put_from_the_object_itself(objects: WholeObjectStore, body: bytes) -> None:
    objects.put(KEY, body, content_type=TEXT)

    with io.BufferedReader(ObjectFile(objects, KEY)) as file:
        assert objects.put_file(f"held/{KEY}", file, content_type=TEXT)

    assert objects.get(f"held/{KEY}") == body


def test_findings_are_put_as_the_lines_that_they_are(objects: WholeObjectStore) -> None:
    body = b'{"id": "one"}\n' * 50_000

    with FindingsFile() as lines:
        lines.write(body)
        for is_new in (True, False):
            with lines.open() as file:
                assert objects.put_file(KEY, file, content_type=TEXT) is is_new

    assert objects.get(KEY) == body


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, None), (0, 1), (3, 300_003), (999_999, None), (999_000, 2_000_000), (1_000_000, None)],
)
def test_chunks_are_the_bytes_from_start_to_before_end(
    objects: WholeObjectStore, start: int, end: int | None
) -> None:
    body = bytes(range(250)) * 4_000
    objects.put(KEY, body, content_type=TEXT)

    assert b"".join(objects.chunks(KEY, start=start, end=end)) == body[start:end]


@pytest.mark.parametrize(("start", "end"), [(-1, None), (5, 5), (5, 4)])
def test_no_part_of_an_object_is_refused(objects: WholeObjectStore, start: int, end: int) -> None:
    objects.put(KEY, b"body", content_type=TEXT)

    with pytest.raises(ValueError):
        list(objects.chunks(KEY, start=start, end=end))


def test_what_is_told_of_an_object_is_its_size_and_when_it_was_written(objects: WholeObjectStore) -> None:
    before = time.time_ns() // 1_000_000
    objects.put(KEY, b"body", content_type=TEXT)

    told = objects.info(KEY)

    assert told.size == 4
    assert before - 1_000 <= told.modified <= time.time_ns() // 1_000_000  # OSS tells whole seconds
    assert told.content_type in (None, TEXT)


def test_what_was_removed_is_gone_and_removing_it_again_does_nothing(objects: WholeObjectStore) -> None:
    for key in (KEY, "another"):
        objects.put(key, b"body", content_type=TEXT)

    for _ in range(2):
        objects.remove(KEY)
    objects.remove("never/there")

    assert not objects.has(KEY)
    assert objects.get("another") == b"body"
    assert objects.put_new(KEY, b"anew", content_type=TEXT)


def test_an_absent_object_has_no_bytes_and_nothing_to_tell(objects: WholeObjectStore) -> None:
    for read in (lambda: list(objects.chunks(KEY)), lambda: objects.info(KEY)):
        with pytest.raises(ObjectNotFoundError, match=KEY):
            read()


def test_a_link_leads_to_the_object(objects: WholeObjectStore) -> None:
    key = "evidence/a b%/媒体.jpg"
    objects.put(key, b"picture", content_type="image/jpeg")

    link = objects.link(key, seconds=60)

    with urllib.request.urlopen(link, timeout=5) as answer:
        assert answer.read() == b"picture"
