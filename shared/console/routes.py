"""Which page a path names. Pure.

    /                               overview
    /jobs                           list, filtered by its form
    /jobs/<job key>                 page of a job
    /jobs/<job key>/evidence/<id>   a picture or file
    /jobs/<job key>/raw/<part>      a raw part as it was received
    /static/<name>                  style sheet and script

Links on a page are relative: a gateway may serve the console below any path that it takes away again.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from shared.errors import RefusedRequestError

_LONGEST_NAME = 1024  # bytes, as a key of the ledger has at most (tablestore-oss.md 1.3)


@dataclass(frozen=True)
class OverviewPage:
    """The first page."""


@dataclass(frozen=True)
class ListPage:
    """Jobs, as the query of the request says."""


@dataclass(frozen=True)
class JobPage:
    """One job."""

    key: str


@dataclass(frozen=True)
class EvidenceFile:
    """What a finding points at."""

    key: str
    name: str


@dataclass(frozen=True)
class RawFile:
    """A part of the vendor's answer."""

    key: str
    part: str


@dataclass(frozen=True)
class StaticFile:
    """What pages are drawn with."""

    name: str


Route = OverviewPage | ListPage | JobPage | EvidenceFile | RawFile | StaticFile


def route(raw_path: str) -> Route:
    """Read a path as it was sent; raise `RefusedRequestError` with 404 for one that names nothing."""
    match [unquote(one, errors="replace") for one in raw_path.split("/")]:
        case ["", ""] | [""]:
            return OverviewPage()
        case ["", "jobs"]:
            return ListPage()
        case ["", "jobs", key] if _is_name(key):
            return JobPage(key)
        case ["", "jobs", key, "evidence", name] if _is_name(key) and _is_name(name):
            return EvidenceFile(key, name)
        case ["", "jobs", key, "raw", part] if _is_name(key) and _is_name(part):
            return RawFile(key, part)
        case ["", "static", name]:
            return StaticFile(name)
    raise RefusedRequestError("there is no such page", why="no_page", status=404)


def base_of(raw_path: str) -> str:
    """Give the way from a page to the console's own address, without a slash at its end."""
    depth = max(raw_path.count("/") - 1, 0)
    return "/".join([".."] * depth) or "."


def _is_name(segment: str) -> bool:
    return 0 < len(segment.encode()) <= _LONGEST_NAME and segment.isprintable()
