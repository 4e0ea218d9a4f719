"""Who can be told: an HTTPS server, a queue or topic of MNS, a function, or a hook in this very code.

A target is one object of the plan, known by its URL:

    https://host/path     a signed POST; `http` is for private addresses alone
    mns://queue/<name>    in the account and region of the ledger, as all that follow
    mns://topic/<name>
    fc:<function>         invoked asynchronously
    python:<module>:<function>
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from shared.delivery.words import flag, members, shown, whole
from shared.documents.urls import without_query
from shared.toolkit.strict_json import Tree, any_text

TargetKind = Literal["https", "queue", "topic", "function", "hook"]

_KIB = 1024
SIZE_LIMITS: Mapping[TargetKind, int] = {
    "https": 1024 * _KIB,  # our own choice: what any server takes
    "queue": 48 * _KIB,  # 64 KB, of which base64 leaves so much (media-jobs.md 2)
    "topic": 48 * _KIB,
    "function": 128 * _KIB,  # of an asynchronous invocation (function-compute.md 1.5)
    "hook": 1024 * _KIB,
}
"""How many bytes an event may have."""

NAME = re.compile(r"[a-z0-9-]{1,32}")
_FORMS = (
    "https://host/path, mns://queue/<name>, mns://topic/<name>, fc:<function>, python:<module>:<function>"
)
OPTIONS = ("url", "record", "timeout_seconds", "private_addresses")
_SECOND = 1_000  # as in `policy`, which holds the plan and so cannot be imported here
_TIMEOUT_SECONDS = 10
_LONGEST_TIMEOUT_SECONDS = 300
_MNS = re.compile(r"mns://(?P<kind>queue|topic)/(?P<name>[A-Za-z0-9][A-Za-z0-9_-]{0,254})")
_FUNCTION = re.compile(r"fc:(?P<name>[A-Za-z_][A-Za-z0-9_-]{0,63})")
_HOOK = re.compile(r"python:(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*)", re.ASCII)
_WEB = re.compile(r"https?://[!-~]{1,2000}")


@dataclass(frozen=True)
class Target:
    """One who is told. What shows a target does not show its URL, which may hold what lets one in."""

    name: str
    url: str = field(repr=False)
    kind: TargetKind
    inline_record: bool = False
    timeout_ms: int = _TIMEOUT_SECONDS * _SECOND
    allows_private: bool = False

    @property
    def address(self) -> str:
        """Give what a sender of its kind needs: the URL, the name, or `module:function` of a hook."""
        return self.url if self.kind == "https" else _named(self.url)[1]

    @property
    def size_limit(self) -> int:
        """Give how many bytes an event to it may have."""
        return SIZE_LIMITS[self.kind]

    @property
    def shown(self) -> str:
        """Give the URL for the person whose plan it is, still without its query."""
        return without_query(self.url)

    @classmethod
    def parse(cls, name: str, tree: Tree) -> Target:
        """Read one target of the plan; raise `ValueError` naming it and what is wrong."""
        where = f"target {shown(name)}"
        if not NAME.fullmatch(name):
            raise ValueError(f"{where}: a name is made of a-z, 0-9 and -, and has at most 32 characters")
        said = members(tree, OPTIONS, where)
        url = any_text(said, "url")
        if url is None:
            raise ValueError(f"{where}: url is missing: {_FORMS}")
        allows_private = flag(said, "private_addresses", where)
        kind = _kind(url, where, allows_private=allows_private)
        inline_record = flag(said, "record", where)
        if kind != "https" and allows_private:
            raise ValueError(f"{where}: private_addresses is for https targets alone")
        if kind == "hook" and inline_record:
            raise ValueError(f"{where}: record is not for hooks, which are given the record anyway")
        longest = _LONGEST_TIMEOUT_SECONDS
        seconds = whole(said, "timeout_seconds", where, default=_TIMEOUT_SECONDS, most=longest)
        return cls(name, url, kind, inline_record, seconds * _SECOND, allows_private)


@dataclass(frozen=True)
class Dispatch:
    """One try to deliver an event. A repeated try has the same delivery id, a redelivery another one."""

    body: bytes
    event_id: str
    delivery_id: str
    attempt: int
    job_key: str
    version: int


def _kind(url: str, where: str, *, allows_private: bool) -> TargetKind:
    if url.startswith(("https://", "http://")):
        _check_web(url, where, allows_private=allows_private)
        return "https"
    return _named(url, where)[0]


def _named(url: str, where: str = "target") -> tuple[TargetKind, str]:
    """Take apart what is not a web address: what kind of target it is, and its name."""
    if found := _MNS.fullmatch(url):
        return ("queue" if found["kind"] == "queue" else "topic"), found["name"]
    if found := _FUNCTION.fullmatch(url):
        return "function", found["name"]
    if found := _HOOK.fullmatch(url):
        return "hook", found["name"]
    raise ValueError(f"{where}: url must look like one of {_FORMS}")


def _check_web(url: str, where: str, *, allows_private: bool) -> None:
    """Refuse an address that cannot be called, or not safely."""
    if not _WEB.fullmatch(url):
        raise ValueError(
            f"{where}: url must be printable ASCII, percent-encoded, of at most 2,000 characters"
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{where}: url has no valid host and port") from None
    if not host or port == 0:
        raise ValueError(f"{where}: url has no valid host and port")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{where}: url holds a user or password; deliveries are signed instead")
    if "#" in url:
        raise ValueError(f"{where}: url has a fragment, which no server sees")
    if parts.scheme == "http" and not allows_private:
        raise ValueError(f"{where}: url must be https, unless private_addresses is true")
