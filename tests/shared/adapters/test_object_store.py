"""The contract of `ObjectStore`, over every adapter; at the end what only a folder has."""

from __future__ import annotations

import io
import os
import resource
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.adapters.local.folder_object_store import FolderObjectStore
from shared.adapters.object_keys import MAX_KEY_BYTES, segments
from shared.errors import ObjectNotFoundError, OutcomeUnknownError, StoreUnavailableError
from shared.ports import ObjectStore
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, FaultyObjectStore, first
from tests.shared.adapters.conftest import Meet, ProcessRace, Race, WholeObjectStore, folder_object_store

TEXT = "text/plain"
KEY = "records/kind=vod.media_audit/date=2025-11-20/job-1.json"
BAD_KEYS = {
    "empty": "",
    "absolute": "/a",
    "ends in a slash": "a/",
    "empty segment": "a//b",
    "dot": "a/./b",
    "dots": "a/../b",
    "dots alone": "..",
    "NUL": "a\0b",
    "leading backslash": "\\a",
    "lone surrogate": "a\ud800",
    "too long": "a" * (MAX_KEY_BYTES + 1),
    "too long in UTF-8": "媒/" * (MAX_KEY_BYTES // 4) + "媒媒",
}
ROUNDS = 20


def test_what_was_put_is_read_back(objects: ObjectStore) -> None:
    objects.put(KEY, b"\x00bytes\xff", content_type=TEXT)

    assert objects.get(KEY) == b"\x00bytes\xff"
    assert objects.has(KEY)


def test_put_replaces_what_stood_there(objects: ObjectStore) -> None:
    objects.put(KEY, b"a longer first version", content_type=TEXT)

    objects.put(KEY, b"second", content_type=TEXT)

    assert objects.get(KEY) == b"second"


def test_a_second_put_new_keeps_the_first_bytes(objects: ObjectStore) -> None:
    answers = [objects.put_new(KEY, body, content_type=TEXT) for body in (b"first", b"second")]

    assert answers == [True, False]
    assert objects.get(KEY) == b"first"


def test_put_new_keeps_what_put_stored(objects: ObjectStore) -> None:
    objects.put(KEY, b"first", content_type=TEXT)

    assert not objects.put_new(KEY, b"second", content_type=TEXT)
    assert objects.get(KEY) == b"first"


def test_an_object_that_nobody_put_is_not_found(objects: ObjectStore) -> None:
    objects.put(KEY, b"another one", content_type=TEXT)

    absent = ["job-2.json", "records/job-2.json", KEY + "/below", "records"]
    for key in absent:
        with pytest.raises(ObjectNotFoundError, match=key):
            objects.get(key)
    assert not any(objects.has(key) for key in absent)


@pytest.mark.parametrize("body", [b"", bytes(8 * 1024 * 1024)], ids=["empty", "8 MiB"])
def test_an_object_of_any_size_is_whole(objects: ObjectStore, body: bytes) -> None:
    objects.put_new(KEY, body, content_type=TEXT)

    assert objects.get(KEY) == body


@pytest.mark.parametrize(
    "key",
    [
        "a",
        ".hidden",
        "...",
        "a b/100%25/ü",
        "媒体/审核.json",
        "a\nb",
        "x/" * 480 + "y",
    ],  # a prefix needs the rest
)
def test_a_key_is_any_relative_path_of_text(objects: ObjectStore, key: str) -> None:
    objects.put(key, b"body", content_type=TEXT)

    assert objects.get(key) == b"body"


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_a_key_that_is_none_is_refused_by_every_method(objects: WholeObjectStore, key: str) -> None:
    calls: list[Callable[[], object]] = [
        partial(objects.put, key, b"", content_type=TEXT),
        partial(objects.put_new, key, b"", content_type=TEXT),
        partial(objects.get, key),
        partial(objects.has, key),
        lambda: list(objects.keys(key)),
        partial(objects.put_file, key, io.BytesIO(), content_type=TEXT),
        lambda: list(objects.chunks(key)),
        partial(objects.info, key),
        partial(objects.link, key, seconds=60),
        partial(objects.remove, key),
    ]

    for call in calls:
        with pytest.raises(ValueError, match="object key"):
            call()


def test_the_keys_below_a_folder_come_in_order_and_no_others(objects: ObjectStore) -> None:
    below = ["raw/a-b", "raw/a/1", "raw/a/2/x", "raw/a0", "raw/媒/b", "raw/.hidden", "raw/Z"]
    for key in (*below, "raw2/a", "ra", "versions/raw/a"):
        objects.put(key, b"", content_type=TEXT)

    assert list(objects.keys("raw")) == sorted(below)
    assert list(objects.keys("raw/a")) == ["raw/a/1", "raw/a/2/x"]


def test_below_a_folder_that_is_none_there_is_no_key(objects: ObjectStore) -> None:
    before = list(objects.keys("raw"))
    objects.put("raw", b"an object of that name", content_type=TEXT)

    assert before == list(objects.keys("raw")) == list(objects.keys("raw/deeper")) == []


@given(st.sets(st.text(st.sampled_from("a-/0"), min_size=1, max_size=6)))
def test_keys_are_sorted_as_whole_texts_whatever_folders_they_stand_in(names: set[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        objects = FolderObjectStore(Path(folder))
        stored = []
        for name in names:
            with suppress(StoreUnavailableError, ValueError):  # `a` beside `a/b`, or no key at all
                objects.put(f"raw/{name}", b"", content_type=TEXT)
                stored.append(f"raw/{name}")

        assert list(objects.keys("raw")) == sorted(stored)


def _put_own_bytes(objects: ObjectStore, meet: Meet, number: int) -> list[bool]:
    answers = []
    for turn in range(ROUNDS):
        meet()
        answers.append(objects.put_new(f"raw/{turn}/body", bytes([number]) * 4096, content_type=TEXT))
    return answers


def test_one_of_many_racing_put_new_stores_and_its_bytes_stay(
    objects: ObjectStore, race_objects: Race[ObjectStore]
) -> None:
    answers = race_objects(_put_own_bytes)

    winners = [[number for number, won in enumerate(turn) if won] for turn in zip(*answers, strict=True)]
    stored = [objects.get(f"raw/{turn}/body") for turn in range(ROUNDS)]
    assert [len(of_turn) for of_turn in winners] == [1] * ROUNDS
    assert stored == [bytes([winner]) * 4096 for (winner,) in winners]


def test_a_reader_never_sees_half_an_object(objects: ObjectStore) -> None:
    versions = [letter * 500_000 for letter in (b"a", b"b")]
    objects.put(KEY, versions[0], content_type=TEXT)

    def write() -> None:
        for turn in range(40):
            objects.put(KEY, versions[turn % 2], content_type=TEXT)

    writer = threading.Thread(target=write)
    writer.start()
    seen = {objects.get(KEY)}
    while writer.is_alive():
        seen.add(objects.get(KEY))
    writer.join()

    assert seen <= set(versions)


def test_after_an_unknown_outcome_a_read_shows_what_happened(objects: WholeObjectStore) -> None:
    faulty = FaultyObjectStore(objects, Faults(first("put_new", ANSWER_LOST)))

    with pytest.raises(OutcomeUnknownError):
        faulty.put_new(KEY, b"first", content_type=TEXT)

    assert faulty.get(KEY) == b"first"
    assert not faulty.put_new(KEY, b"second", content_type=TEXT)
    assert faulty.get(KEY) == b"first"


def test_after_an_unavailable_store_nothing_is_there(objects: WholeObjectStore) -> None:
    faulty = FaultyObjectStore(objects, Faults(first("put", UNAVAILABLE, target=KEY)))

    faulty.put("another", b"unharmed", content_type=TEXT)
    with pytest.raises(StoreUnavailableError):
        faulty.put(KEY, b"body", content_type=TEXT)

    assert not faulty.has(KEY)
    assert faulty.get("another") == b"unharmed"


def test_a_hook_comes_in_between(objects: WholeObjectStore) -> None:
    ahead = Fault(before=lambda: objects.put_new(KEY, b"somebody else's", content_type=TEXT))
    faulty = FaultyObjectStore(objects, Faults(first("put_new", ahead)))

    assert not faulty.put_new(KEY, b"mine", content_type=TEXT)
    assert objects.get(KEY) == b"somebody else's"


@given(st.text(st.sampled_from("a./\\\0媒"), max_size=12))
@example("a/../b")
def test_the_segments_of_a_key_never_lead_up_and_spell_the_key(key: str) -> None:
    try:
        parts = segments(key)
    except ValueError:
        return

    assert "/".join(parts) == key
    assert not Path(key).is_absolute()
    assert not {"", ".", ".."} & set(parts)


# Only a folder.


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_a_folder_holds_the_objects_and_nothing_else(tmp_path: Path) -> None:
    objects = FolderObjectStore(tmp_path)
    for _ in range(2):
        objects.put("a/b", b"put", content_type=TEXT)
        objects.put_new("a/c", b"put new", content_type=TEXT)

    assert _files(tmp_path) == ["a/b", "a/c"]


@pytest.mark.parametrize("key", ["linked/object", "object"])
def test_a_symbolic_link_leads_nowhere(tmp_path: Path, key: str) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (outside / "object").write_bytes(b"secret")
    (root / "linked").symlink_to(outside)
    (root / "object").symlink_to(outside / "object")
    objects = FolderObjectStore(root)

    with pytest.raises(ObjectNotFoundError):
        objects.get(key)
    assert not objects.has(key)
    with pytest.raises(StoreUnavailableError, match=key):
        objects.put_new(key, b"mine", content_type=TEXT)
    assert _files(outside) == ["object"]
    assert (outside / "object").read_bytes() == b"secret"


def test_a_list_of_keys_follows_no_link_and_shows_no_unfinished_write(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "object").write_bytes(b"secret")
    objects = FolderObjectStore(tmp_path / "root")
    objects.put("raw/object", b"mine", content_type=TEXT)
    (tmp_path / "root" / "raw" / "linked").symlink_to(tmp_path / "outside")
    (tmp_path / "root" / "raw" / ".0123456789abcdef.part").write_bytes(b"half")
    Path(os.fsdecode(os.fsencode(tmp_path / "root" / "raw") + b"/no text \xff")).write_bytes(b"")

    assert list(objects.keys("raw")) == ["raw/object"]


def test_putting_over_a_symbolic_link_replaces_the_link(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    root.mkdir()
    outside.write_bytes(b"secret")
    (root / "object").symlink_to(outside)
    objects = FolderObjectStore(root)

    objects.put("object", b"mine", content_type=TEXT)

    assert objects.get("object") == b"mine"
    assert outside.read_bytes() == b"secret"


@pytest.mark.parametrize(
    ("key", "reason"),
    [("a/b", "Not a directory"), ("folder", "directory"), ("x" * 256, "File name too long")],
)
def test_what_a_folder_cannot_hold_names_the_object_and_the_reason(
    tmp_path: Path, key: str, reason: str
) -> None:
    objects = FolderObjectStore(tmp_path)
    objects.put("a", b"a file", content_type=TEXT)
    objects.put("folder/b", b"in a folder", content_type=TEXT)

    with pytest.raises(StoreUnavailableError) as caught:
        objects.put(key, b"body", content_type=TEXT)

    assert caught.value.details["key"] == key
    assert reason in str(caught.value.details["reason"])
    assert _files(tmp_path) == ["a", "folder/b"]


def test_a_folder_that_cannot_be_read_is_no_missing_object(tmp_path: Path) -> None:
    objects = FolderObjectStore(tmp_path)

    for call in (objects.get, objects.has, objects.info, objects.remove):
        with pytest.raises(StoreUnavailableError, match="reason=File name too long"):
            call("x" * 256)


def test_put_new_where_a_folder_stands_is_no_lost_race(tmp_path: Path) -> None:
    objects = FolderObjectStore(tmp_path)
    objects.put("folder/b", b"in a folder", content_type=TEXT)

    with pytest.raises(StoreUnavailableError, match="folder"):
        objects.put_new("folder", b"body", content_type=TEXT)


def _put_without_room(objects: ObjectStore, meet: Meet, number: int) -> str:
    # The kernel refuses to write past this: what a full disk does, for this process alone.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
    try:
        objects.put_new(f"a/{number}", bytes(100_000), content_type=TEXT)
    except StoreUnavailableError as error:
        return str(error)
    return "no error"


def test_without_room_nothing_is_left_behind(tmp_path: Path) -> None:
    told = ProcessRace(partial(folder_object_store, tmp_path))(_put_without_room)

    assert all(f"key=a/{number}, reason=File too large" in text for number, text in enumerate(told))
    assert _files(tmp_path) == []
