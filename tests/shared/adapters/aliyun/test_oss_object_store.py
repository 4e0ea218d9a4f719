"""What only a bucket has: prefixes, encryption, pages of keys, links that end."""

from __future__ import annotations

import gzip
import urllib.error
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from localcloud.oss.buckets import Bucket
from shared.adapters.aliyun.oss_object_store import LONGEST_LINK_S, OssEncryption, OssObjectStore
from shared.adapters.clocks import ManualClock, SystemClock
from shared.adapters.object_keys import MAX_KEY_BYTES
from tests.shared.adapters.oss_on_the_wire import (
    BUCKET,
    OWN,
    REGION,
    TEMPORARY,
    MemoryShelf,
    OssOnTheWire,
    new_client,
    oss_on_the_wire,
)

TEXT = "text/plain"
KEY = "raw/vod.media_audit/job-1/0f3a.json"


@pytest.fixture
def oss(tmp_path: Path) -> Iterator[OssOnTheWire]:
    with oss_on_the_wire(tmp_path) as running:
        yield running


def test_everything_is_below_the_prefix_which_counts_towards_the_longest_key(oss: OssOnTheWire) -> None:
    client = new_client(oss.endpoint)
    whole, below = OssObjectStore(client, BUCKET), OssObjectStore(client, BUCKET, prefix="team/ledger")
    whole.put("raw/not-below", b"", content_type=TEXT)
    below.put(KEY, b"body", content_type=TEXT)

    assert list(below.keys("raw")) == [KEY]
    assert whole.get(f"team/ledger/{KEY}") == below.get(KEY) == b"body"
    with pytest.raises(ValueError, match="with its prefix"):
        below.get("x" * MAX_KEY_BYTES)
    with pytest.raises(ValueError, match="object key"):
        OssObjectStore(client, BUCKET, prefix="/team")


@pytest.mark.parametrize(
    ("encryption", "headers"),
    [
        (None, {}),
        (OssEncryption("AES256"), {"x-oss-server-side-encryption": "AES256"}),
        (
            OssEncryption("KMS", "key-1"),
            {"x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": "key-1"},
        ),
    ],
)
def test_encryption_is_asked_for_with_every_write(
    tmp_path: Path, encryption: OssEncryption | None, headers: dict[str, str]
) -> None:
    bucket = Bucket(MemoryShelf(), MemoryShelf())
    with oss_on_the_wire(tmp_path, buckets={BUCKET: bucket}) as oss:
        objects = OssObjectStore(new_client(oss.endpoint), BUCKET, encryption=encryption)
        objects.put("put", b"body", content_type=TEXT)
        objects.put_new("put_new", b"body", content_type=TEXT)
        objects.put_file("put_file", BytesIO(b"body"), content_type=TEXT)

    told = [
        {name: value for name, value in stored.headers.items() if "encryption" in name}
        for stored in bucket.all()
    ]
    assert told == [headers] * 3


def test_keys_come_page_by_page_without_those_that_are_none_of_ours(tmp_path: Path) -> None:
    bucket = Bucket(MemoryShelf(), MemoryShelf())
    ours = [f"raw/{number:04}" for number in range(2_001)]
    for key in (*ours, "raw/", "raw/0000/", "raw//a", "raw/../b"):
        bucket.put(key, b"", headers={}, modified=0)

    with oss_on_the_wire(tmp_path, buckets={BUCKET: bucket}) as oss:
        assert list(oss.objects().keys("raw")) == ours


def test_a_link_ends_when_it_says_and_holds_no_secret(tmp_path: Path) -> None:
    clock = ManualClock(SystemClock().now())
    with oss_on_the_wire(tmp_path, clock=clock) as oss:
        oss.objects().put(KEY, b"body", content_type=TEXT)
        links = [
            oss.objects(credentials=lambda held=held: held).link(KEY, seconds=60) for held in (OWN, TEMPORARY)
        ]

        for link in links:
            with urllib.request.urlopen(link, timeout=5) as answer:
                assert answer.read() == b"body"
        clock.advance(62_000)
        for link in links:
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(link, timeout=5)

    assert REGION in links[0]
    assert not [
        link for link in links if OWN.access_key_secret in link or TEMPORARY.access_key_secret in link
    ]


def test_a_link_says_whether_what_it_leads_to_is_saved(oss: OssOnTheWire) -> None:
    objects = oss.objects()
    objects.put(KEY, b"<a/>", content_type="application/xml")
    told = []
    for saved_as in (None, "1.xml"):
        with urllib.request.urlopen(objects.link(KEY, seconds=60, saved_as=saved_as), timeout=5) as answer:
            told.append(answer.headers["content-disposition"])

    assert told == [None, 'attachment; filename="1.xml"']


@pytest.mark.parametrize("seconds", [0, LONGEST_LINK_S + 1])
def test_a_link_for_a_time_that_no_signature_has_is_refused(oss: OssOnTheWire, seconds: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 604800"):
        oss.objects().link(KEY, seconds=seconds)


def test_closed_connections_are_opened_again_by_the_next_call(oss: OssOnTheWire) -> None:
    objects = oss.objects()
    for _ in range(2):
        objects.put(KEY, b"body", content_type=TEXT)
        objects.close()
    objects.close()


def test_what_was_encoded_for_the_way_is_decoded_and_has_no_checksum(tmp_path: Path) -> None:
    bucket = Bucket(MemoryShelf(), MemoryShelf())
    bucket.put(KEY, gzip.compress(b"body"), headers={"content-encoding": "gzip"}, modified=0)

    with oss_on_the_wire(tmp_path, buckets={BUCKET: bucket}) as oss:
        assert oss.objects().get(KEY) == b"body"
