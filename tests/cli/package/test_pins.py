"""What is pinned, read for one Python and one system."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.package.contents import LEFT_OUT
from cli.package.errors import PackageError
from cli.package.pins import Pin, read_pins
from cli.package.targets import HERE, PYTHON_3_10, PYTHON_3_12, TARGETS, Target
from cli.package.wheels import SOURCE_ONLY

REQUIREMENTS = Path(__file__).parents[3] / "requirements"
LOCK = """\
old-or-new==1.0 ; python_full_version < '3.11' \\
    --hash=sha256:bb \\
    --hash=sha256:aa
    # via something
old-or-new==2.0 ; python_full_version >= '3.11' \\
    --hash=sha256:cc
tzdata==2026.6 ; sys_platform == 'win32' \\
    --hash=sha256:dd
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """Write a lock file."""
    lock = tmp_path / "one.txt"
    lock.write_text(LOCK, encoding="utf-8")
    return lock


@pytest.mark.parametrize(
    ("target", "pin"),
    [
        (PYTHON_3_10, Pin("old-or-new", "1.0", ("sha256:aa", "sha256:bb"))),
        (PYTHON_3_12, Pin("old-or-new", "2.0", ("sha256:cc",))),
    ],
)
def test_conditions_are_those_of_the_target_whatever_runs_here(lock: Path, target: Target, pin: Pin) -> None:
    assert read_pins([lock], target) == {"old-or-new": pin}


def test_a_pin_is_written_as_pip_reads_it(lock: Path) -> None:
    pin = read_pins([lock], PYTHON_3_10)["old-or-new"]

    assert pin.line == "old-or-new==1.0 --hash=sha256:aa --hash=sha256:bb"


def test_two_versions_of_one_distribution_are_refused(lock: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("old-or-new==1.1 --hash=sha256:ee\n", encoding="utf-8")

    with pytest.raises(PackageError, match="two versions of old-or-new"):
        read_pins([lock, other], PYTHON_3_10)


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name.value)
def test_what_is_deployed_is_pinned_with_hashes(target: Target) -> None:
    pins = read_pins([REQUIREMENTS / "function.txt", REQUIREMENTS / "aliyun.txt"], target)

    assert {"pydantic", "requests", "tablestore", "aliyun-fc2"} <= pins.keys() - LEFT_OUT.keys()
    assert pins.keys() >= SOURCE_ONLY
    assert [pin.name for pin in pins.values() if not pin.hashes] == []


def test_whatever_is_left_out_is_pinned_for_some_python() -> None:
    pinned = (REQUIREMENTS / "aliyun.txt").read_text(encoding="utf-8")

    assert [name for name in LEFT_OUT if f"\n{name}==" not in f"\n{pinned}"] == []


def test_wheels_for_a_runtime_are_those_for_its_glibc_and_older_ones() -> None:
    options = PYTHON_3_10.pip_options

    assert "--platform=manylinux_2_28_x86_64" in options
    assert "--platform=manylinux_2_17_x86_64" in options
    assert "--platform=manylinux_2_31_x86_64" not in options
    assert "--platform=manylinux_2_31_x86_64" in PYTHON_3_12.pip_options
    assert HERE.pip_options == []
