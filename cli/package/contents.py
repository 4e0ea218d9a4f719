"""What goes into a package, and what stays out of it, each with its reason.

What is left out is never imported by a deployed function: tests/cli/package settles a job out of the
unpacked zip alone, and loads every client in it.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from zipfile import ZipFile

from cli.package.errors import PackageError
from cli.package.targets import Target

OWN = ("functions", "shared")
OWN_FORMS = (".py", ".html", ".css", ".js", ".svg")
"""Modules, and what pages are made of; nothing that explains or caches them."""

_AIOHTTP = "of aiohttp"
_CREDENTIALS = "of alibabacloud-credentials"
_TABLESTORE = "for calls of tablestore that are none of ours: `tablestore_sdk` does without"
LEFT_OUT = {
    "aiohttp": _TABLESTORE,
    "crc32c": _TABLESTORE,
    "flatbuffers": _TABLESTORE,
    "future": _TABLESTORE,
    "numpy": _TABLESTORE,
    "charset-normalizer": "guesses the encoding of text: what our clients read is bytes, JSON or XML",
    "aiohappyeyeballs": _AIOHTTP,
    "aiosignal": _AIOHTTP,
    "async-timeout": _AIOHTTP,
    "attrs": _AIOHTTP,
    "frozenlist": _AIOHTTP,
    "multidict": _AIOHTTP,
    "propcache": _AIOHTTP,
    "yarl": _AIOHTTP,
    "alibabacloud-credentials": "finds keys on a laptop; Function Compute hands a function those of its role",
    "aiofiles": _CREDENTIALS,
    "alibabacloud-credentials-api": _CREDENTIALS,
    "alibabacloud-tea": _CREDENTIALS,
    "apscheduler": _CREDENTIALS,
    "tzdata": _CREDENTIALS,
    "tzlocal": _CREDENTIALS,
    "pycryptodome": "encrypts on this side of OSS and MNS, whose clients do without",
}
"""Distributions that are pinned and not deployed."""

PARTS_LEFT_OUT = {
    r"tablestore/(native|ots_sdk)/.*": _TABLESTORE,
    r"google/protobuf/text_format\.py": _TABLESTORE,
    r"(.*/)?tests?/.*": "tests of what is deployed",
    r".*\.(c|h|pyi|pyx|pxd)": "for compilers and type checkers",
    r"[^/]+\.data/.*": "programs and headers, which nobody looks for in a function",
    # What is left there tells a package's version, terms and plug-ins.
    r"[^/]+\.dist-info/(?!METADATA$|entry_points\.txt$|(.*/)?(LICEN[CS]E|NOTICE|COPYING)).*": "of pip",
}
"""Files of distributions that are deployed, as patterns of their whole names."""

_COMPILED = re.compile(r".*(\.cpython-[^/]+\.so)")


def is_deployed(name: str, target: Target) -> bool:
    """Tell whether a wheel's file goes into a package for the target."""
    if any(re.fullmatch(pattern, name) for pattern in PARTS_LEFT_OUT):
        return False
    compiled = _COMPILED.fullmatch(name)
    return compiled is None or compiled[1] == target.extension


def unpack(wheel: Path, folder: Path, target: Target) -> None:
    """Put a wheel's files into a folder; raise `PackageError` where another has put one of them."""
    with ZipFile(wheel) as opened:
        for entry in opened.infolist():
            if entry.is_dir() or not is_deployed(entry.filename, target):
                continue
            if (folder / entry.filename).exists():
                raise PackageError(f"{entry.filename} is in two wheels, one of which is {wheel.name}")
            opened.extract(entry, folder)


def copy_own(root: Path, folder: Path) -> None:
    """Copy what is ours into a folder."""
    for package in OWN:
        for file in sorted((root / package).rglob("*")):
            if file.suffix not in OWN_FORMS:
                continue
            copy = folder / file.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
