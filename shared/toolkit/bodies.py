"""Plain or base64: a body is looked at, because nobody tells.

Some clients of MNS encode by default, some do not, and the setting that undoes it can be off
(media-jobs.md 2, "Base64").
"""

from __future__ import annotations

_BOM = "\ufeff"
_BLANK = b"\xef\xbb\xbf \t\r\n"
_DOCUMENT_STARTS = (b"{", b"[", b"<")


def plain(text: str) -> bytes:
    """Give the body as bytes, decoded when it is base64 of a JSON object, JSON array or XML document.

    A word such as `TEST` is base64 too; so only what turns into the beginning of a document is taken
    for encoded, and nothing is decoded twice.
    """
    body = text.encode()
    if _begins_a_document(body):
        return body
    import base64  # here, as most bodies are plain and the import takes a millisecond

    try:
        decoded = base64.b64decode("".join(text.removeprefix(_BOM).split()), validate=True)
    except ValueError:
        return body
    return decoded if _begins_a_document(decoded) else body


def _begins_a_document(body: bytes) -> bool:
    return body.startswith(_DOCUMENT_STARTS) or body.lstrip(_BLANK).startswith(_DOCUMENT_STARTS)
