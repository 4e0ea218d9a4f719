"""Licences of the pins, as packages declare them."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from importlib.metadata import PackageNotFoundError

import pytest

from audit.licences import EXCEPTIONS, is_allowed, judge, licence_of

OSI = "License :: OSI Approved :: "


@dataclass(frozen=True)
class Pin:
    name: str
    version: str = "1.0"


def declared(*fields: tuple[str, str], version: str = "1.0") -> Message:
    """Write the core metadata of a package."""
    message = Message()
    for name, value in (("Version", version), *fields):
        message[name] = value
    return message


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ([("License-Expression", "MIT"), ("License", "x")], "MIT"),
        ([("License", "Apache License 2.0")], "Apache-2.0"),
        ([("License", "PSFL")], "PSF-2.0"),
        ([("License", "something of their own")], "something of their own"),
        ([("Classifier", f"{OSI}MIT License"), ("Classifier", "Topic :: Text")], "MIT"),
        (
            [("Classifier", f"{OSI}MIT License"), ("Classifier", f"{OSI}GNU General Public License (GPL)")],
            "MIT AND GNU General Public License (GPL)",
        ),
        ([("License", "the whole text " * 20), ("Classifier", f"{OSI}MIT License")], "MIT"),
        ([], ""),
    ],
)
def test_a_licence_is_read_wherever_a_package_declares_it(
    fields: list[tuple[str, str]], licence: str
) -> None:
    assert licence_of(declared(*fields)) == licence


@pytest.mark.parametrize(
    ("expression", "allowed"),
    {
        "MIT": True,
        "BSD-3-Clause AND 0BSD AND Zlib": True,
        "Apache-2.0 OR GPL-3.0-only": True,
        "MIT AND GPL-3.0-only": False,
        "GPL-3.0-only OR LGPL-3.0-only": False,
        "MIT AND (Apache-2.0 OR MIT)": False,
        "MIT OR Apache-2.0 AND GPL-3.0-only": False,
        "": False,
    }.items(),
)
def test_what_has_to_be_kept_must_be_allowed_and_of_alternatives_one(expression: str, allowed: bool) -> None:
    assert is_allowed(expression) is allowed


def test_a_pin_is_refused_with_the_reason() -> None:
    known = {
        "good": declared(("License-Expression", "MIT")),
        "copyleft": declared(("License-Expression", "AGPL-3.0-only")),
        "silent": declared(),
        "other": declared(("License-Expression", "MIT"), version="2.0"),
        "crc32c": declared(("License", EXCEPTIONS["crc32c"][0])),
    }

    def metadata(name: str) -> Message:
        if name not in known:
            raise PackageNotFoundError(name)
        return known[name]

    found = judge([*map(Pin, known), Pin("absent")], metadata)

    assert {one.name: one.refused for one in found if one.refused} == {
        "copyleft": "comes under AGPL-3.0-only",
        "silent": "declares no licence",
        "other": "is installed as 2.0, not as pinned",
        "absent": "is not installed here",
    }


def test_an_exception_is_for_the_licence_that_was_read_alone() -> None:
    (found,) = judge([Pin("crc32c")], lambda name: declared(("License-Expression", "GPL-3.0-only")))

    assert found.refused == "comes under GPL-3.0-only"
