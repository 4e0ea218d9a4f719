"""Faults on the way to OSS, and the time that is left."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localcloud.oss import faults
from localcloud.oss.buckets import Bucket
from localcloud.oss.faults import Fault
from localcloud.oss.wire import RefusedError
from shared.adapters.aliyun.oss_client import OssPatience
from shared.adapters.aliyun.oss_object_store import OssObjectStore
from shared.adapters.clocks import ManualClock, SystemClock
from shared.errors import (
    FunctionError,
    OutcomeUnknownError,
    StoreUnavailableError,
    VendorRefusedError,
)
from tests.shared.adapters.aliyun.oss_calls import ALWAYS, KEY, METHODS, TEXT
from tests.shared.adapters.oss_on_the_wire import (
    BUCKET,
    MemoryShelf,
    OssOnTheWire,
    new_client,
    oss_on_the_wire,
)

HOUR = 3_600_000


@pytest.fixture
def oss(tmp_path: Path) -> Iterator[OssOnTheWire]:
    with oss_on_the_wire(tmp_path) as running:
        yield running


@pytest.fixture(params=list(METHODS.values()), ids=list(METHODS))
def call(request: pytest.FixtureRequest) -> Callable[[OssObjectStore], object]:
    method: Callable[[OssObjectStore], object] = request.param
    return method


@pytest.mark.parametrize("refusal", [faults.THROTTLED, faults.UNAVAILABLE, faults.BROKEN])
def test_what_may_pass_is_tried_again(
    oss: OssOnTheWire, call: Callable[[OssObjectStore], object], refusal: RefusedError
) -> None:
    oss.objects().put(KEY, b"body", content_type=TEXT)
    for method in ("GET", "PUT", "HEAD", "DELETE"):
        oss.service.faults.plan(method, Fault(refusal), Fault(refusal))

    call(oss.objects(patience=OssPatience(tries=ALWAYS, first_wait_ms=1)))


@pytest.mark.parametrize(
    ("refusal", "error", "words"),
    [
        (faults.THROTTLED, StoreUnavailableError, "call less often"),
        (faults.UNAVAILABLE, StoreUnavailableError, "try again later"),
        (faults.BROKEN, OutcomeUnknownError, "try again later"),
    ],
)
def test_what_does_not_pass_tells_whether_a_write_may_have_happened(
    oss: OssOnTheWire, refusal: RefusedError, error: type[FunctionError], words: str
) -> None:
    oss.service.faults.plan("PUT", *[Fault(refusal)] * ALWAYS)

    for name in ("put", "put_new", "put_file"):
        with pytest.raises(StoreUnavailableError, match=words) as caught:
            METHODS[name](oss.objects(patience=OssPatience(tries=3, first_wait_ms=1)))
        assert type(caught.value) is error


@pytest.mark.parametrize("name", ["put_new", "put_file"])
def test_a_write_whose_answer_was_lost_is_known_to_be_ours(oss: OssOnTheWire, name: str) -> None:
    oss.service.faults.plan("PUT", Fault(hangs_up=True))

    assert METHODS[name](oss.objects()) is True
    assert METHODS[name](oss.objects()) is False
    assert oss.objects().get(KEY) == b"body"


def test_one_lost_answer_leaves_the_outcome_open_whatever_came_after(oss: OssOnTheWire) -> None:
    oss.service.faults.plan("PUT", Fault(hangs_up=True), *[Fault(faults.THROTTLED)] * ALWAYS)

    with pytest.raises(OutcomeUnknownError, match="less often"):
        oss.objects().put(KEY, b"body", content_type=TEXT)


def test_a_refusal_after_a_lost_answer_is_told_as_what_it_is(oss: OssOnTheWire) -> None:
    oss.service.faults.plan("PUT", Fault(hangs_up=True), Fault(faults.DENIED))

    with pytest.raises(VendorRefusedError, match="permissions"):
        oss.objects().put(KEY, b"body", content_type=TEXT)


def test_a_failed_read_has_no_outcome(oss: OssOnTheWire) -> None:
    oss.service.faults.plan("GET", *[Fault(faults.BROKEN)] * ALWAYS)

    with pytest.raises(StoreUnavailableError) as caught:
        oss.objects().get(KEY)

    assert type(caught.value) is StoreUnavailableError


def test_somebody_elses_write_is_not_taken_for_ours(oss: OssOnTheWire) -> None:
    def ahead() -> None:
        oss.objects().put(KEY, b"somebody else's", content_type=TEXT)

    oss.service.faults.plan("PUT", Fault(faults.UNAVAILABLE, meanwhile=ahead))

    assert not oss.objects().put_new(KEY, b"mine", content_type=TEXT)
    assert oss.objects().get(KEY) == b"somebody else's"


def test_a_write_that_is_never_answered_has_an_unknown_outcome(oss: OssOnTheWire) -> None:
    oss.service.faults.plan("PUT", *[Fault(hangs_up=True)] * ALWAYS)

    for name in ("put", "put_new"):
        with pytest.raises(OutcomeUnknownError, match=KEY):
            METHODS[name](oss.objects())


def test_a_write_that_was_not_stored_as_sent_is_written_again(tmp_path: Path) -> None:
    bucket = Bucket(MemoryShelf(), MemoryShelf())

    def damage() -> None:
        stored = bucket.find(KEY)
        assert stored is not None
        bucket.put(KEY, b"damaged", headers=stored.headers, modified=0)

    with oss_on_the_wire(tmp_path, buckets={BUCKET: bucket}) as oss:
        oss.service.faults.plan("PUT", Fault(damages_checksum=True), Fault(meanwhile=damage))

        assert oss.objects().put_new(KEY, b"body", content_type=TEXT)

    assert bucket.body(KEY) == b"body"


@pytest.mark.parametrize("name", ["put", "put_new", "put_file"])
def test_a_write_that_was_changed_on_the_way_is_not_stored(oss: OssOnTheWire, name: str) -> None:
    oss.service.faults.plan("PUT", *[Fault(damages_request=True)] * ALWAYS)

    with pytest.raises(StoreUnavailableError, match="InvalidDigest") as caught:
        METHODS[name](oss.objects())

    assert type(caught.value) is StoreUnavailableError
    assert not oss.objects().has(KEY)


def test_a_write_that_is_never_stored_as_sent_has_an_unknown_outcome(oss: OssOnTheWire) -> None:
    oss.service.faults.plan("PUT", *[Fault(damages_checksum=True)] * ALWAYS)

    with pytest.raises(OutcomeUnknownError, match="checksum"):
        oss.objects().put(KEY, b"body", content_type=TEXT)


DAMAGES = {
    "cut": (Fault(cut_at=100_000), "it was cut off"),
    "cut at once": (Fault(cut_at=0), "it was cut off"),
    "a bit changed": (Fault(damages_body=True), "its checksum differs"),
    "another checksum": (Fault(damages_checksum=True), "its checksum differs"),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_body_that_is_not_whole_is_read_again_or_refused(
    oss: OssOnTheWire, damage: Fault, words: str
) -> None:
    body = bytes(range(256)) * 1_000
    objects = oss.objects()
    objects.put(KEY, body, content_type=TEXT)

    oss.service.faults.plan("GET", damage, damage)
    assert objects.get(KEY) == body
    oss.service.faults.plan("GET", damage)
    with pytest.raises(StoreUnavailableError, match=words):
        list(objects.chunks(KEY))
    oss.service.faults.plan("GET", *[damage] * ALWAYS)
    with pytest.raises(StoreUnavailableError, match=words):
        objects.get(KEY)


def test_a_port_where_nobody_listens_is_told_and_nothing_was_written() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    objects = OssObjectStore(new_client(f"http://127.0.0.1:{port}"), BUCKET)

    with pytest.raises(StoreUnavailableError, match="no answer from OSS") as caught:
        objects.put_new(KEY, b"body", content_type=TEXT)

    assert type(caught.value) is StoreUnavailableError
    assert caught.value.__context__ is None


def test_a_server_that_is_too_slow_is_not_waited_for(oss: OssOnTheWire) -> None:
    released = threading.Event()
    oss.service.faults.plan("PUT", Fault(meanwhile=released.wait))
    try:
        stored = oss.objects(patience=OssPatience(read_ms=100, first_wait_ms=1)).put_new(
            KEY, b"body", content_type=TEXT
        )
    finally:
        released.set()

    assert stored


def test_without_time_left_nothing_is_asked(
    oss: OssOnTheWire, call: Callable[[OssObjectStore], object]
) -> None:
    clock = ManualClock(0)

    with pytest.raises(StoreUnavailableError, match="no time left"):
        call(oss.objects(clock=clock, deadline=clock.now))


def test_no_wait_goes_beyond_the_deadline(oss: OssOnTheWire) -> None:
    clock = ManualClock(0)
    oss.service.faults.plan("PUT", *[Fault(faults.THROTTLED)] * ALWAYS)
    patience = OssPatience(tries=ALWAYS, first_wait_ms=1_000, longest_wait_ms=60_000)
    objects = oss.objects(clock=clock, deadline=lambda: 10_000, patience=patience)

    with pytest.raises(StoreUnavailableError, match="less often"):
        objects.put(KEY, b"body", content_type=TEXT)

    assert 0 < clock.now() < 10_000


def test_a_body_that_comes_too_slowly_ends_with_the_time(oss: OssOnTheWire) -> None:
    oss.objects().put(KEY, bytes(1_000_000), content_type=TEXT)
    clock = ManualClock(0)
    chunks = oss.objects(clock=clock, deadline=lambda: 1_000).chunks(KEY)

    next(chunks)
    clock.advance(1_000)

    with pytest.raises(StoreUnavailableError, match="no time left"):
        next(chunks)


def test_an_error_of_our_own_is_not_hidden(oss: OssOnTheWire) -> None:
    ends = [SystemClock().now() + HOUR]  # asked for once more when the request is sent

    with pytest.raises(IndexError):
        oss.objects(deadline=ends.pop).get(KEY)
