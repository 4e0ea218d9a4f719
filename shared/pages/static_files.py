"""What pages load: under names that hold its hash, so that it may be kept for good."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

CONTENT_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
FILES = ("page.css", "lists.css", "job.css", "job.js", "icon.svg")


def static_name(name: str) -> str:
    """Give the name under which a file is served: `page.<12 hex>.css`."""
    stem, _, form = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(_read(name)).hexdigest()[:12]}.{form}"


def static_file(served: str) -> tuple[bytes, str] | None:
    """Give the bytes and content type of what is served under a name; None when nothing is."""
    for name in FILES:
        if static_name(name) == served:
            return _read(name), CONTENT_TYPES[name.rpartition(".")[2]]
    return None


def static_text(name: str) -> str:
    """Give the text of a file of this package: a template, or what a page holds itself."""
    return _read(name).decode()


def policy_hash(text: str) -> str:
    """Name a text that stands in a page, as its content security policy allows it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _read(name: str) -> bytes:
    return files("shared.pages").joinpath(name).read_bytes()
