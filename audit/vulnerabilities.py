"""Which pins have known vulnerabilities: pip-audit asks the OSV database, where it can be reached."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

import requests

SERVICE = "https://api.osv.dev"
_PATIENCE_SECONDS = 10


class Verdict(Enum):
    """How asking ended."""

    NONE_KNOWN = "none is known"
    FOUND = "found"
    NOT_RUN = "not run"


def is_reachable(service: str = SERVICE) -> bool:
    """Tell whether the service answers anything at all."""
    try:
        requests.head(service, timeout=_PATIENCE_SECONDS)
    except requests.RequestException:
        return False
    return True


def ask(lock: Path, *, pip_audit: Sequence[str]) -> tuple[Verdict, str]:
    """Ask about the pins of a file, without looking any package up; give what was told, too.

    `pip_audit` is the command that starts it.
    """
    command = [*pip_audit, "--vulnerability-service=osv", "--disable-pip", "--require-hashes"]
    ended = subprocess.run(
        [*command, "--progress-spinner=off", f"--requirement={lock}"],
        capture_output=True,
        text=True,
        check=False,
    )
    told = ended.stdout + ended.stderr
    if ended.returncode == 0:
        return Verdict.NONE_KNOWN, told
    # It ends with 1 for its own errors, too; only what it found makes a table.
    return (Verdict.FOUND if ended.stdout.strip() else Verdict.NOT_RUN), told
