"""What the checks say: one finding for each mistake, with its place and the nearest right word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from localcloud.lint.document import Path, Position


class Severity(Enum):
    """An error is a mistake; a note says what was not checked, and fails nothing."""

    ERROR = "error"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or was not checked; `nearest` is the right word, where one is near."""

    at: Position
    path: str
    problem: str
    nearest: str | None = None
    severity: Severity = Severity.ERROR


def error(at: Position, path: Path, problem: str, nearest: str | None = None) -> Finding:
    """Make the finding of a mistake."""
    return Finding(at, written(path), problem, nearest)


def note(at: Position, path: Path, problem: str) -> Finding:
    """Make a finding that fails nothing."""
    return Finding(at, written(path), problem, severity=Severity.NOTE)


def written(path: Path) -> str:
    """Write a path as people do: `Resources.Queue.Properties.Tags[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Give the known word that a wrong one most resembles, whatever the case of its letters."""
    folded = {one.casefold(): one for one in sorted(words)}
    found = difflib.get_close_matches(word.casefold(), folded, n=1)
    return folded[found[0]] if found else None


def nearest_of_kind(name: str, names: Iterable[str]) -> str | None:
    """Give the nearest of the names that differ in their last part alone, as in `ALIYUN::MNS::Topic`.

    The other parts are long and common: with them, any two names would be near.
    """
    kind = name.rpartition("::")[0].casefold()
    same = {one.rpartition("::")[2]: one for one in names if one.rpartition("::")[0].casefold() == kind}
    near = nearest(name.rpartition("::")[2], same)
    return same[near] if near else None
