"""Compiles a package's modules by an interpreter of the version that will run them.

Without byte code every cold start compiles anew, which makes imports three to four times as long: the
folder is read-only there. Python checks the time of a file against that in its byte code, which a zip
does not keep; an unchecked hash holds whatever the times are (cold-start.md).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cli.package.errors import PackageError
from cli.package.targets import Target

_WHO_ARE_YOU = "import platform; print(platform.python_implementation(), platform.python_version())"
_DEPLOYED_TO = "/code"  # where a traceback finds it: function-compute.md 1.3


@dataclass(frozen=True)
class Interpreter:
    """A Python that is installed here, and its whole version."""

    program: str
    version: str


def find_interpreter(target: Target) -> Interpreter | None:
    """Find the Python that compiles for the target: the one that runs this, or else one on the path."""
    if target.glibc is None:
        return _interpreter(sys.executable, target)
    found = shutil.which(f"python{target.python}")
    return _interpreter(found, target) if found else None


def _interpreter(program: str, target: Target) -> Interpreter | None:
    """Ask a program what it is: a version manager leaves names on the path that start nothing."""
    asked = subprocess.run(
        [program, "-I", "-S", "-c", _WHO_ARE_YOU], capture_output=True, text=True, check=False
    )
    kind, _, version = asked.stdout.strip().partition(" ")
    fits = asked.returncode == 0 and kind == "CPython" and version.startswith(f"{target.python}.")
    return Interpreter(program, version) if fits else None


def compile_modules(folder: Path, interpreter: Interpreter) -> None:
    """Write byte code beside every module of a folder; raise `PackageError` for one that is no Python."""
    compiling = ["-m", "compileall", "-q", "--invalidation-mode=unchecked-hash", "-s", str(folder)]
    ended = subprocess.run(
        [interpreter.program, "-s", "-S", *compiling, "-p", _DEPLOYED_TO, str(folder)],
        # Constant sets are written in the order of their hashes.
        env={"PATH": os.defpath, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise PackageError(f"Python {interpreter.version} cannot compile: {ended.stdout.strip()}")
