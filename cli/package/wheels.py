"""Fetches the wheels of pinned versions; what exists as source only is built here, if it is pure Python."""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.package.errors import IndexUnreachableError, PackageError
from cli.package.pins import Pin
from cli.package.targets import Target

SOURCE_ONLY = frozenset({"aliyun-fc2"})


def fetch(pins: Iterable[Pin], target: Target, *, builders: Mapping[str, Pin], cache: Path) -> list[Path]:
    """Give a wheel for each pin, out of `cache` or else from the package index.

    `builders` is what must be installed here, in these versions, for a wheel to be the same wherever it is
    built. Raise `IndexUnreachableError`, or `PackageError` for what has no wheel that fits.
    """
    pins = sorted(pins, key=lambda pin: pin.name)
    folder = cache / f"{target.name.value}-{_key(pins, target, builders)}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache) as scratch:
            filled = Path(scratch) / "wheels"
            _download([pin for pin in pins if pin.name not in SOURCE_ONLY], target, filled)
            _build([pin for pin in pins if pin.name in SOURCE_ONLY], builders, filled)
            _keep(filled, folder)
    return sorted(folder.glob("*.whl"))


def _key(pins: list[Pin], target: Target, builders: Mapping[str, Pin]) -> str:
    system = target.pip_options or [platform.python_version(), platform.platform()]
    lines = [pin.line for pin in (*pins, *builders.values())]
    return hashlib.sha256("\n".join([*system, *lines]).encode()).hexdigest()[:16]


def _keep(filled: Path, folder: Path) -> None:
    try:
        filled.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another build was faster
            raise


def _download(pins: list[Pin], target: Target, folder: Path) -> None:
    options = ["--only-binary=:all:", f"--dest={folder}", *target.pip_options]
    _pip("download", pins, *options)


def _build(pins: list[Pin], builders: Mapping[str, Pin], folder: Path) -> None:
    if not pins:
        return
    for builder in builders.values():
        if _installed(builder.name) != builder.version:
            raise PackageError(
                f"{builder.name} {builder.version} builds {pins[0].name}, and is not what is installed here:"
                " use the environment that make sets up"
            )
    built = folder / "built"
    _pip("wheel", pins, "--no-build-isolation", f"--wheel-dir={built}")
    for wheel in sorted(built.iterdir()):
        if not wheel.stem.endswith("-none-any"):
            raise PackageError(
                f"{wheel.name} was compiled on this machine, and would not run on every runtime of Function"
                " Compute: pin a version that has wheels"
            )
        wheel.rename(folder / wheel.name)
    built.rmdir()


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _pip(command: str, pins: list[Pin], *options: str) -> None:
    """Run pip on pins alone: nothing else is fetched, and nothing whose hash is another."""
    with TemporaryDirectory() as scratch:
        wanted = Path(scratch) / "pins.txt"
        wanted.write_text("".join(f"{pin.line}\n" for pin in pins), encoding="utf-8")
        fixed = ["--quiet", "--no-input", "--no-deps", "--require-hashes", f"--requirement={wanted}"]
        ended = subprocess.run(
            [sys.executable, "-m", "pip", command, *fixed, *options],
            capture_output=True,
            text=True,
            check=False,
        )
    if ended.returncode == 0:
        return
    told = [line for line in ended.stderr.splitlines() if line.startswith("ERROR")]
    found_nothing = any("(from versions: none)" in line or "ConnectionPool(" in line for line in told)
    if found_nothing and "Retrying (" in ended.stderr:
        raise IndexUnreachableError("the package index does not answer")
    raise PackageError("pip: " + "; ".join(told or ended.stderr.splitlines()[-1:]))
