"""Which Pythons a package is made for: the runtimes of Function Compute, and the one that runs here."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

_OLDEST_GLIBC = 5  # of which there are tags


class TargetName(str, Enum):
    """What a target is called: a runtime as Function Compute calls it, or `here`."""

    PYTHON_3_10 = "python3.10"
    PYTHON_3_12 = "python3.12"
    HERE = "here"


@dataclass(frozen=True)
class Target:
    """A Python on a system: Linux on x86-64 with glibc 2.`glibc`, or with None the system here."""

    name: TargetName
    python: str
    """Its version without the last part, as `3.10`."""
    glibc: int | None

    @property
    def markers(self) -> Mapping[str, str]:
        """Give what differs from here for requirements that are wanted on some systems only."""
        if self.glibc is None:
            return {}
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": "x86_64",
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }

    @property
    def pip_options(self) -> list[str]:
        """Tell pip which wheels fit; a system takes those made for any older glibc too."""
        if self.glibc is None:
            return []
        tags = [f"manylinux_2_{minor}_x86_64" for minor in range(self.glibc, _OLDEST_GLIBC - 1, -1)]
        platforms = [f"--platform={tag}" for tag in (*tags, "manylinux2014_x86_64")]
        return ["--implementation=cp", f"--python-version={self.python}", *platforms]

    @property
    def extension(self) -> str:
        """Give the ending of extension modules that were compiled for it alone."""
        if self.glibc is None:
            return str(sysconfig.get_config_var("EXT_SUFFIX"))
        return f".cpython-{self.python.replace('.', '')}-x86_64-linux-gnu.so"


# Debian 10 and 11 (function-compute.md 1.1).
PYTHON_3_10 = Target(TargetName.PYTHON_3_10, "3.10", glibc=28)
PYTHON_3_12 = Target(TargetName.PYTHON_3_12, "3.12", glibc=31)
HERE = Target(TargetName.HERE, f"{sys.version_info.major}.{sys.version_info.minor}", glibc=None)
TARGETS = {target.name: target for target in (PYTHON_3_10, PYTHON_3_12, HERE)}
