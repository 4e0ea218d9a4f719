"""Files out of the user's own buckets, over every adapter that reads these."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from localcloud.evidence.pictures import picture
from localcloud.oss import faults
from localcloud.oss.faults import Fault
from localcloud.oss.wire import RefusedError
from shared.adapters.aliyun.oss_result_files import OssResultFiles
from shared.adapters.bucket_downloads import BucketDownloads
from shared.adapters.clocks import ManualClock
from shared.adapters.local.folder_result_files import FolderResultFiles
from shared.errors import (
    DownloadFailedError,
    DownloadRefusedError,
    GoneError,
    SettingError,
    StoreUnavailableError,
)
from shared.ports import ObjectInfo, ObjectReads
from tests.memory_stores import MemoryObjectStore
from tests.scripted_downloads import read
from tests.shared.adapters.oss_on_the_wire import REGION, new_client, oss_on_the_wire
from tests.shared.adapters.test_result_files import Place
from tests.shared.adapters.test_result_files import place as place  # a fixture

NOW = 1_763_640_000_000
LATER = NOW + 60_000
URL = "oss://bucket.oss-cn-shanghai.aliyuncs.com/out/a.mp4"
JPEG = b"\xff\xd8\xff" + bytes(700_000)


def downloads(files: ObjectReads, **options: int) -> BucketDownloads:
    return BucketDownloads(files, clock=ManualClock(NOW), **options)


@pytest.mark.parametrize(
    ("body", "content_type", "extension"),
    [
        (picture("a"), "image/png", ".png"),
        (JPEG, "image/jpeg", ".jpg"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nsaid\n", "application/octet-stream", ""),
        (b"", "application/octet-stream", ""),
    ],
)
def test_a_file_is_given_as_it_is_whatever_it_is(
    place: Place, body: bytes, content_type: str, extension: str
) -> None:
    files, write = place
    write("bucket", "out/a.mp4", body)
    with downloads(files).download(URL, deadline=LATER) as found:
        held = [read(found), read(found)]

    assert held == [body, body]
    assert (found.size, found.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert (found.content_type, found.extension) == (content_type, extension)


def test_a_copy_is_put_into_a_bucket_without_the_file_ever_being_here(tmp_path: Path) -> None:
    (tmp_path / "users" / "bucket" / "out").mkdir(parents=True)
    (tmp_path / "users" / "bucket" / "out" / "a.mp4").write_bytes(JPEG)
    files = FolderResultFiles(tmp_path / "users")
    with oss_on_the_wire(tmp_path / "oss") as oss, closing(oss.objects()) as objects:
        with downloads(files).download(URL, deadline=LATER) as found, found.open() as body:
            assert objects.put_file("evidence/a", body, content_type=found.content_type)

        assert objects.get("evidence/a") == JPEG


def test_a_file_that_is_not_there_may_still_come(place: Place) -> None:
    files, _ = place

    with pytest.raises(GoneError), downloads(files).download(URL, deadline=LATER):
        pass


def test_a_file_that_no_put_can_take_is_refused(place: Place) -> None:
    files, write = place
    write("bucket", "out/a.mp4", b"12345")

    with downloads(files, max_bytes=5).download(URL, deadline=LATER) as found:
        assert found.size == 5
    refused = downloads(files, max_bytes=4).download(URL, deadline=LATER)
    with pytest.raises(DownloadRefusedError, match="larger than 4 bytes"), refused:
        pass


def test_a_file_that_takes_too_long_is_tried_again(place: Place) -> None:
    files, write = place
    write("bucket", "out/a.mp4", JPEG)

    late = downloads(files).download(URL, deadline=NOW)
    with pytest.raises(DownloadFailedError, match="no time"), late:
        pass


class Changing:
    """A file that is another one each time that it is read."""

    def __init__(self) -> None:
        self._times = 0

    def info(self, name: str, /) -> ObjectInfo:
        """See `ObjectReads.info`."""
        return ObjectInfo(1, NOW, content_type=None)

    def chunks(self, name: str, /, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `ObjectReads.chunks`."""
        self._times += 1
        yield str(self._times).encode()


def test_a_file_that_is_changed_meanwhile_is_not_stored_under_a_wrong_hash(tmp_path: Path) -> None:
    with oss_on_the_wire(tmp_path) as oss, closing(oss.objects()) as on_the_wire:
        for objects in (MemoryObjectStore(), on_the_wire):
            changed = pytest.raises(DownloadFailedError, match="changed")
            with downloads(Changing()).download(URL, deadline=LATER) as found, found.open() as body, changed:
                objects.put_file("evidence/a", body, content_type=found.content_type)

            assert not objects.has("evidence/a")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(faults.DENIED, SettingError), (faults.UNAVAILABLE, StoreUnavailableError)],
)
def test_what_fails_on_our_side_is_told_as_that(
    tmp_path: Path, answer: RefusedError, expected: type[Exception]
) -> None:
    with oss_on_the_wire(tmp_path) as oss:
        oss.service.faults.plan("HEAD", *[Fault(answer)] * 10)
        files = OssResultFiles(lambda _: new_client(oss.endpoint), region=REGION)
        with closing(files), pytest.raises(expected), downloads(files).download(URL, deadline=LATER):
            pass
