"""Under which licences the pins come: read from what is installed, held against what is allowed. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from typing import Any, Protocol

ALLOWED: Mapping[str, str] = {
    "0BSD": "asks for nothing",
    "Apache-2.0": "keep notices; the licence of this project",
    "BSD-2-Clause": "keep the notice",
    "BSD-3-Clause": "keep the notice",
    "CC0-1.0": "asks for nothing",
    "ISC": "keep the notice",
    "MIT": "keep the notice",
    "MPL-2.0": "publish changes to its own files; we make none",
    "PSF-2.0": "keep the notice",
    "Unlicense": "asks for nothing",
    "Zlib": "keep the notice",
}
"""Licences by SPDX identifier, and what each asks of whoever passes the package on."""

EXCEPTIONS: Mapping[str, tuple[str, str]] = {
    "crc32c": (
        "LGPL-2.1-or-later",
        "the client of OSS loads it as a library of its own, unchanged; in the zip it can be replaced",
    ),
}
"""Packages under another licence, with the reason why that is no obstacle."""

# As packages spell what SPDX calls otherwise.
_SPELT: Mapping[str, str] = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd 2-clause license": "BSD-2-Clause",
    "isc license": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "psfl": "PSF-2.0",
}
_CLASSIFIER = "License :: OSI Approved :: "
_LONGEST_NAME = 100  # some put the whole text of the licence there


class Pinned(Protocol):
    """A version of a package."""

    @property
    def name(self) -> str:
        """Its name in lower case."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...


class Metadata(Protocol):
    """What a package tells of itself, field by field."""

    def __getitem__(self, name: str, /) -> Any:
        """Give a field; None where it is not there."""
        ...

    def get_all(self, name: str, /) -> list[Any] | None:
        """Give a field that may be there more than once."""
        ...


@dataclass(frozen=True)
class Licensed:
    """What a pin's licence is, as an SPDX expression, and why it is refused, if it is."""

    name: str
    licence: str
    refused: str | None = None


def judge(pins: Iterable[Pinned], metadata: Callable[[str], Metadata]) -> list[Licensed]:
    """Judge every pin; `metadata` gives what a package tells of itself, as `importlib.metadata` does."""
    return [_judged(pin, metadata) for pin in pins]


def licence_of(metadata: Metadata) -> str:
    """Give the licence that a package declares, in SPDX's words where they are known; empty for none."""
    expression = metadata["License-Expression"]
    if expression:
        return str(expression)
    declared = (metadata["License"] or "").strip()
    if declared and len(declared) <= _LONGEST_NAME:
        return _SPELT.get(declared.lower(), declared)
    told = [one for one in metadata.get_all("Classifier") or [] if one.startswith(_CLASSIFIER)]
    names = [one.removeprefix(_CLASSIFIER) for one in told]
    return " AND ".join(_SPELT.get(name.lower(), name) for name in names)


def is_allowed(expression: str) -> bool:
    """Tell whether each licence of an expression is allowed, or of alternatives one."""
    if "(" in expression:
        return False  # none of ours mixes the two: for a person to read
    if re.search(r"\sOR\s", expression):
        return " AND " not in expression and any(map(is_allowed, re.split(r"\s+OR\s+", expression)))
    return all(name in ALLOWED for name in re.split(r"\s+AND\s+", expression))


def _judged(pin: Pinned, metadata: Callable[[str], Metadata]) -> Licensed:
    try:
        installed = metadata(pin.name)
    except PackageNotFoundError:
        return Licensed(pin.name, "", "is not installed here")
    if installed["Version"] != pin.version:
        return Licensed(pin.name, "", f"is installed as {installed['Version']}, not as pinned")
    licence = licence_of(installed)
    if is_allowed(licence) or EXCEPTIONS.get(pin.name, ("",))[0] == licence != "":
        return Licensed(pin.name, licence)
    return Licensed(pin.name, licence, f"comes under {licence}" if licence else "declares no licence")
