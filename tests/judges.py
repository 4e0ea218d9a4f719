"""How a judge is asked: a client of the vendor, in a process and an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PATIENCE_S = 120


def python_of(environment: str) -> str:
    """Give the interpreter of one of the Makefile's environments with clients of the vendor."""
    variable = f"{environment.upper().replace('-', '_')}_PYTHON"
    named = os.environ.get(variable)
    python = Path(named) if named else ROOT / f".venv-{environment}" / "bin" / "python"
    if not python.exists():
        pytest.fail(
            f"no Python with the vendor's client at {python}: run `make test`, which makes it, or set"
            f" {variable} to one with requirements/{environment}.in installed",
            pytrace=False,
        )
    return str(python)


def node_with(package: str) -> str:
    """Give Node.js, where a client of the vendor is installed for it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("not run: no Node.js")
    if not (ROOT / "tests/node/node_modules" / package).exists():
        pytest.fail(f"no {package} in tests/node: run `make test`, which installs it", pytrace=False)
    return node


def report_of(command: Sequence[str]) -> dict[str, Any]:
    """Run a judge to its end, and give what it reports."""
    # Clients go to a proxy of the environment whatever no_proxy says (query-apis.md 7.1).
    variables = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    ran = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ran.returncode == 0, ran.stderr
    report: dict[str, Any] = json.loads(ran.stdout)
    return report
