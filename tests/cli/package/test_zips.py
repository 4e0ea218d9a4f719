"""Zips that depend on what is in them alone."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from hypothesis import given, settings
from hypothesis import strategies as st

from cli.package.zips import packed_sizes, write_zip

NAMES = st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3}){0,2}\.py", fullmatch=True)
CONTENTS = st.dictionaries(NAMES, st.binary(max_size=50), min_size=1, max_size=6)


def packed(files: dict[str, bytes], *, reverse: bool, time: int, mode: int) -> bytes:
    """Write files in one order or the other, with a time and permissions, and pack them."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "code"
        for name, content in sorted(files.items(), reverse=reverse):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(mode)
            os.utime(path, (time, time))
        write_zip(folder, Path(scratch) / "one.zip")
        return (Path(scratch) / "one.zip").read_bytes()


@settings(max_examples=30)  # each writes two zips
@given(CONTENTS, st.booleans(), st.integers(0, 2**31), st.sampled_from([0o600, 0o644, 0o755]))
def test_neither_order_nor_time_nor_permission_shows(
    files: dict[str, bytes], reverse: bool, time: int, mode: int
) -> None:
    assert packed(files, reverse=reverse, time=time, mode=mode) == packed(
        files, reverse=False, time=0, mode=0o644
    )


def test_everybody_may_read_what_is_packed(tmp_path: Path) -> None:
    (tmp_path / "code" / "a").mkdir(parents=True)
    (tmp_path / "code" / "a" / "b.py").write_bytes(b"1")
    write_zip(tmp_path / "code", tmp_path / "one.zip")

    with ZipFile(tmp_path / "one.zip") as opened:
        assert [(entry.filename, entry.external_attr >> 16) for entry in opened.infolist()] == [
            ("a/b.py", 0o100644)
        ]
        assert opened.read("a/b.py") == b"1"


def test_a_zip_that_is_there_is_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "b.py").write_bytes(b"1")
    (tmp_path / "one.zip").write_bytes(b"of another day")
    write_zip(tmp_path / "code", tmp_path / "one.zip")

    assert {path.name for path in tmp_path.iterdir()} == {"code", "one.zip"}
    assert packed_sizes(tmp_path / "one.zip").keys() == {"b.py"}


def test_parts_are_told_by_their_top_level_the_largest_first(tmp_path: Path) -> None:
    for name, content in {
        "small/a.py": b"1",
        "large/b.py": os.urandom(500),
        "large/c/d.py": os.urandom(500),
    }.items():
        path = tmp_path / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    write_zip(tmp_path / "code", tmp_path / "one.zip")

    sizes = packed_sizes(tmp_path / "one.zip")
    assert list(sizes) == ["large", "small"]
    assert sizes["large"] > 1000
