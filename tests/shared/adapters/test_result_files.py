"""The contract of `ResultFiles`, and of `ObjectReads` by address; an adapter joins by one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from localcloud.oss.server import folder_buckets
from shared.adapters.aliyun.oss_result_files import OssResultFiles
from shared.adapters.local.folder_result_files import FolderResultFiles
from shared.bootstrap.stores import UserFiles
from shared.errors import FileTooLargeError, ObjectNotFoundError, SettingError
from shared.ports import LARGE_FILE
from tests.shared.adapters.oss_on_the_wire import new_client, oss_on_the_wire

Place = tuple[UserFiles, Callable[[str, str, bytes], None]]
"""The adapter, and how a vendor's job writes a file: bucket, key, bytes."""


@contextmanager
def in_a_folder(folder: Path) -> Iterator[Place]:
    def write(bucket: str, key: str, body: bytes) -> None:
        file = folder / bucket / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)

    yield FolderResultFiles(folder), write


@contextmanager
def in_buckets(folder: Path) -> Iterator[Place]:
    buckets = folder_buckets(folder, ["bucket"])
    with oss_on_the_wire(folder, buckets=buckets) as oss:

        def write(bucket: str, key: str, body: bytes) -> None:
            buckets[bucket].put(key, body, headers={}, modified=0)

        with closing(OssResultFiles(lambda _: new_client(oss.endpoint))) as files:
            yield files, write


@pytest.fixture(params=[in_a_folder, in_buckets])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with request.param(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    "key", ["a.txt", "ai/vqs/002.txt", "as rresult/1612259314837.txt", "结果/一.txt", "a?b#c.txt"]
)
def test_a_file_is_read_by_its_address(place: Place, key: str) -> None:
    files, write = place
    write("bucket", key, b"what the job wrote")

    uri = f"oss://bucket.oss-cn-shanghai.aliyuncs.com/{key}"

    assert files.read(uri) == b"what the job wrote"
    assert b"".join(files.chunks(uri)) == b"what the job wrote"
    assert b"".join(files.chunks(uri, start=5, end=8)) == b"the"
    assert files.info(uri).size == 18


def test_a_file_that_is_large_is_read_by_pieces_alone(place: Place) -> None:
    files, write = place
    body, uri = b"x" * LARGE_FILE, "oss://bucket.oss-cn-shanghai.aliyuncs.com/a.txt"
    write("bucket", "a.txt", body)
    assert files.read(uri) == body

    write("bucket", "a.txt", body + b"y")

    with pytest.raises(FileTooLargeError):
        files.read(uri)
    assert b"".join(files.chunks(uri)) == body + b"y"


@pytest.mark.parametrize(
    "uri",
    [
        "oss://bucket.oss-cn-shanghai.aliyuncs.com/nothing.txt",
        "oss://nobody.oss-cn-shanghai.aliyuncs.com/a.txt",
        "oss://bucket.oss-cn-shanghai.aliyuncs.com/",
        "oss://bucket.oss-cn-shanghai.aliyuncs.com/../bucket/a.txt",
        "oss://../bucket/a.txt",
        "oss:///bucket/a.txt",
        "oss://[/a.txt",
        "https://bucket.oss-cn-shanghai.aliyuncs.com/a.txt",
        "bucket/a.txt",
        "",
    ],
)
def test_an_address_without_a_file_is_not_found(place: Place, uri: str) -> None:
    files, write = place
    write("bucket", "a.txt", b"x")

    for reading in (files.read, files.info, lambda uri: list(files.chunks(uri))):
        with pytest.raises(ObjectNotFoundError):
            reading(uri)


def test_without_a_folder_nothing_can_be_read_and_the_setting_is_named() -> None:
    with pytest.raises(SettingError, match="LEDGER_RESULT_FILES"):
        FolderResultFiles(None).read("oss://bucket.oss-cn-shanghai.aliyuncs.com/a.txt")
