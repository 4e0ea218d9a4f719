"""An object, read as a file from anywhere in it."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ObjectNotFoundError
from shared.object_files import ObjectFile
from tests.memory_stores import MemoryObjectStore


class OneByteAtATime(MemoryObjectStore):
    """An archive whose bodies arrive in the smallest pieces."""

    def chunks(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `ObjectStreams.chunks`."""
        return (bytes([byte]) for byte in self.get(key)[start:end])


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(-1, 40)),
        st.tuples(st.just("seek"), st.integers(0, 60)),
        st.tuples(st.just("back"), st.integers(-50, 0)),
        st.tuples(st.just("on"), st.integers(0, 10)),
    ),
    max_size=12,
)


@given(st.binary(max_size=50), STEPS, st.sampled_from([MemoryObjectStore, OneByteAtATime]))
def test_it_reads_like_any_other_file(
    body: bytes, steps: list[tuple[str, int]], kind: type[MemoryObjectStore]
) -> None:
    objects = kind()
    objects.put("key", body, content_type="text/plain")
    ours, theirs = io.BufferedReader(ObjectFile(objects, "key"), 8), io.BytesIO(body)

    for what, number in steps:
        for file in (ours, theirs):
            if what == "back":
                file.seek(max(number, -len(body)), io.SEEK_END)
            elif what != "read":
                file.seek(number, io.SEEK_SET if what == "seek" else io.SEEK_CUR)
        if what == "read":
            assert ours.read(number) == theirs.read(number)
        assert ours.tell() == theirs.tell()


def test_an_object_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(ObjectNotFoundError):
        ObjectFile(MemoryObjectStore(), "none")
