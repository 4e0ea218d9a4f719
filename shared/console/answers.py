"""Answers of the console: every one of them has the same headers, whatever it says.

The content security policy lets a page load its own style sheet, script and pictures, and nothing else: text
of a stranger that got past the escaping would find nothing to run and nowhere to send.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

HTML = "text/html; charset=utf-8"

_OF_ALL = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_PRIVATE = "no-store"
_FOR_GOOD = "private, max-age=31536000, immutable"
_FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


@dataclass(frozen=True)
class Answer:
    """What goes back; `body` is bytes, and names of headers are in lower case."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def without_body(self) -> Answer:
        """Give the answer to a HEAD request."""
        return Answer(self.status, b"", {**self.headers, "content-length": str(len(self.body))})

    def event(self) -> dict[str, object]:
        """Write the answer of an HTTP trigger (function-compute.md 1.6)."""
        is_text = self.headers.get("content-type", "").startswith("text/")
        return {
            "statusCode": self.status,
            "headers": dict(self.headers),
            "isBase64Encoded": not is_text,
            "body": self.body.decode() if is_text else base64.b64encode(self.body).decode(),
        }


def page(html: str, *, status: int = 200, pictures: str | None = None, **more: str) -> Answer:
    """Answer with a page; `pictures` is the origin that its pictures are redirected to."""
    images = " ".join(filter(None, ("'self'", pictures)))
    policy = (
        f"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src {images};"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return _answer(status, html.encode(), HTML, _PRIVATE, policy, **more)


def text(status: int, message: str) -> Answer:
    """Answer with a line of text, where there is nothing yet to make a page of."""
    return _answer(status, message.encode(), "text/plain; charset=utf-8", _PRIVATE, _FILE_POLICY)


def static(body: bytes, content_type: str) -> Answer:
    """Answer with what its name holds the hash of."""
    return _answer(200, body, content_type, _FOR_GOOD, _FILE_POLICY)


def file(body: bytes, content_type: str, *, name: str, is_shown: bool) -> Answer:
    """Answer with a stranger's bytes: to be shown, or to be saved under a name."""
    how = "inline" if is_shown else "attachment"
    disposition = {"content-disposition": f'{how}; filename="{name}"'}
    return _answer(200, body, content_type, _PRIVATE, _FILE_POLICY, **disposition)


def redirect(location: str, **more: str) -> Answer:
    """Send the browser to a link, which stands in this header and nowhere else."""
    return _answer(303, b"", "text/plain", _PRIVATE, _FILE_POLICY, location=location, **more)


def _answer(status: int, body: bytes, content_type: str, cache: str, policy: str, **more: str) -> Answer:
    named = {"content-type": content_type, "cache-control": cache, "content-security-policy": policy}
    return Answer(status, body, {**_OF_ALL, **named, **more})
