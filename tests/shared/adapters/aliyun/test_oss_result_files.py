"""What only buckets of others have: regions, permissions, keys that we would not make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.oss import faults
from localcloud.oss.buckets import Bucket
from localcloud.oss.faults import Fault
from shared.adapters.aliyun.oss_client import OssClient
from shared.adapters.aliyun.oss_result_files import OssResultFiles
from shared.errors import ObjectNotFoundError, SettingError, StoreUnavailableError, VendorRefusedError
from shared.toolkit.context import Credentials
from tests.shared.adapters.oss_on_the_wire import MemoryShelf, OssOnTheWire, new_client, oss_on_the_wire

FILE = "oss://theirs.oss-cn-beijing.aliyuncs.com/a.txt"


@pytest.fixture
def oss(tmp_path: Path) -> Iterator[OssOnTheWire]:
    bucket = Bucket(MemoryShelf(), MemoryShelf())
    for key in ("a.txt", "a//b.txt", "a\n.txt"):
        bucket.put(key, key.encode(), headers={}, modified=0)
    with oss_on_the_wire(tmp_path, buckets={"theirs": bucket}) as running:
        yield running


def test_each_region_has_one_client_of_its_own(oss: OssOnTheWire) -> None:
    opened: list[str] = []

    def open_client(region: str) -> OssClient:
        opened.append(region)
        return new_client(oss.endpoint)

    files = OssResultFiles(open_client, region="cn-shanghai")
    for place in (".oss-cn-beijing.aliyuncs.com", ".oss-cn-beijing-internal.aliyuncs.com", ""):
        assert files.read(f"oss://theirs{place}/a.txt") == b"a.txt"
    files.close()

    assert opened == ["cn-beijing", "cn-shanghai"]


def test_an_address_without_a_region_needs_the_setting(oss: OssOnTheWire) -> None:
    with pytest.raises(SettingError, match="LEDGER_REGION"):
        OssResultFiles(lambda _: new_client(oss.endpoint)).read("oss://theirs/a.txt")


@pytest.mark.parametrize("key", ["a//b.txt", "a\n.txt"])
def test_their_keys_may_be_such_as_we_never_make(oss: OssOnTheWire, key: str) -> None:
    files = OssResultFiles(lambda _: new_client(oss.endpoint), region="cn-shanghai")

    assert files.read(f"oss://theirs/{key}") == key.encode()


@pytest.mark.parametrize(
    "uri",
    [
        "oss://theirs.evil.example/a.txt",
        "oss://theirs.oss-cn-beijing.aliyuncs.com.evil.example/a.txt",
        "oss://theirs.oss-cn-beijing.aliyuncs.com@evil.example/a.txt",
        "oss://theirs.oss-cn-beijing.aliyuncs.com:80/a.txt",
        "oss://Theirs/a.txt",
        "oss://th/a.txt",
        "oss://theirs//a.txt",
        "oss://theirs/\\a.txt",
        "oss://theirs/b/./../a.txt",
        "oss://theirs/b/..",
        "oss://theirs/\ud800",
        "oss://theirs/" + "媒" * 342,
    ],
)
def test_what_is_no_address_of_a_file_is_asked_nobody(uri: str) -> None:
    def open_client(region: str) -> OssClient:
        raise AssertionError(region)

    with pytest.raises(ObjectNotFoundError):
        OssResultFiles(open_client, region="cn-shanghai").read(uri)


def test_a_bucket_that_may_not_be_read_names_what_to_grant(oss: OssOnTheWire) -> None:
    oss.service.faults.plan("GET", Fault(faults.DENIED))

    with pytest.raises(SettingError, match=r"oss:GetObject on the bucket theirs"):
        OssResultFiles(lambda _: new_client(oss.endpoint)).read(FILE)


def test_other_refusals_and_failures_are_told_as_they_are(oss: OssOnTheWire) -> None:
    wrong = OssResultFiles(
        lambda _: new_client(oss.endpoint, credentials=lambda: Credentials("own-key", "wrong"))
    )
    with pytest.raises(VendorRefusedError, match="SignatureDoesNotMatch"):
        wrong.read(FILE)

    def absent() -> Credentials:
        raise SettingError("no credentials")

    with pytest.raises(SettingError, match="no credentials"):
        OssResultFiles(lambda _: new_client(oss.endpoint, credentials=absent)).read(FILE)

    oss.service.faults.plan("GET", *[Fault(faults.UNAVAILABLE)] * 10)
    with pytest.raises(StoreUnavailableError, match="try again later"):
        OssResultFiles(lambda _: new_client(oss.endpoint)).read(FILE)
