"""Makes a package: pinned wheels and our own modules, in one zip."""

from __future__ import annotations

import hashlib
import platform
import zlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.package.byte_code import compile_modules, find_interpreter
from cli.package.contents import LEFT_OUT, copy_own, unpack
from cli.package.pins import Pin, read_pins
from cli.package.targets import HERE, Target
from cli.package.wheels import fetch
from cli.package.zips import packed_sizes, write_zip

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "build" / "package"


@dataclass(frozen=True)
class Package:
    """A zip that was made, and all that its bytes depend on beside the files of this repository."""

    target: str
    file: Path
    sha256: str
    size: int
    parts: dict[str, int]
    """Bytes of the zip by top-level name, the largest first."""
    packed_by: str
    compiled_by: str | None
    """The Python that made the byte code; without one there is none."""


def build(target: Target, folder: Path, *, root: Path = ROOT, cache: Path = CACHE) -> Package:
    """Write the package of the repository at `root` into a folder; the same input gives the same bytes.

    Needs the package index, unless `cache` has the wheels of these pins.
    """
    interpreter = find_interpreter(target)
    wheels = fetch(_deployed(root, target), target, builders=_builders(root), cache=cache)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"media-ledger-{target.name.value}.zip"
    with TemporaryDirectory() as scratch:
        code = Path(scratch)
        for wheel in wheels:
            unpack(wheel, code, target)
        copy_own(root, code)
        if interpreter:
            compile_modules(code, interpreter)
        write_zip(code, file)
    content = file.read_bytes()
    return Package(
        target=target.name.value,
        file=file,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        parts=packed_sizes(file),
        packed_by=f"Python {platform.python_version()}, zlib {zlib.ZLIB_RUNTIME_VERSION}",
        compiled_by=f"Python {interpreter.version}" if interpreter else None,
    )


def _deployed(root: Path, target: Target) -> list[Pin]:
    locks = (root / "requirements" / name for name in ("function.txt", "aliyun.txt"))
    return [pin for pin in read_pins(locks, target).values() if pin.name not in LEFT_OUT]


def _builders(root: Path) -> dict[str, Pin]:
    return read_pins([root / "requirements" / "build.txt"], HERE)
