"""Zips whose bytes depend on what is in them alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_OLDEST = (1980, 1, 1, 0, 0, 0)  # that a zip can tell
_UNIX = 3
_READABLE_FILE = 0o100644 << 16


def write_zip(folder: Path, file: Path) -> None:
    """Pack the files of a folder: in the order of their names, all of one time and one permission."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    beside = file.with_name(f".{file.name}")
    with ZipFile(beside, "w") as written:
        for name in names:
            entry = ZipInfo(name, _OLDEST)
            entry.create_system, entry.external_attr = _UNIX, _READABLE_FILE
            written.writestr(entry, (folder / name).read_bytes(), ZIP_DEFLATED)
    beside.replace(file)


def packed_sizes(file: Path) -> dict[str, int]:
    """Tell how many bytes of a zip are which top-level folder's or file's, the largest first."""
    sizes: Counter[str] = Counter()
    with ZipFile(file) as opened:
        for entry in opened.infolist():
            sizes[entry.filename.partition("/")[0]] += entry.compress_size
    return dict(sizes.most_common())
