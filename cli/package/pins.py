"""Reads which versions are pinned, with their hashes, as `make lock` writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cli.package.errors import PackageError
from cli.package.targets import Target


@dataclass(frozen=True)
class Pin:
    """One version of a distribution, and the hashes of the files that it may come in."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def line(self) -> str:
        """Give it as pip reads it."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash={each}" for each in self.hashes)])


def read_pins(lock_files: Iterable[Path], target: Target) -> dict[str, Pin]:
    """Give what is pinned for the target, by name.

    Conditions are decided here: pip decides them for the Python that runs it, whatever it is told to
    download for. Raise `PackageError` for a distribution that has two versions.
    """
    pins: dict[str, Pin] = {}
    for file in lock_files:
        for pin in _read(file, target):
            if pins.setdefault(pin.name, pin).version != pin.version:
                raise PackageError(f"{file.name} and another file pin two versions of {pin.name}: make lock")
    return pins


def _read(file: Path, target: Target) -> Iterator[Pin]:
    for line in file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if not line or line.lstrip().startswith("#"):
            continue
        text, *hashes = line.split("--hash=")
        requirement = Requirement(text.strip())
        if requirement.marker is None or requirement.marker.evaluate(dict(target.markers)):
            (version,) = requirement.specifier
            name = canonicalize_name(requirement.name)
            yield Pin(name, version.version, tuple(sorted(each.strip() for each in hashes)))
