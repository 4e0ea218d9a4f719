"""URLs without what signs them."""

from __future__ import annotations

import re

# Without any of these a text has nothing that would be dropped.
_MARKS = re.compile("[?#@%]")
# Every URL is consumed whole, with a query or without: a scan never starts over inside one, so it
# stays linear. No look at what stands before `://`: Chinese text runs straight into a URL. `:\/\/` is
# the same in JSON inside a text. A query ends where no URL can go on, not at a quote it may hold.
_URL = re.compile(r"(:\\?/\\?/)(?:[^\s\"<>?#/\\@]*@)*([^\s\"<>?#]*)([?#][^\s\"<>]*)?")
# The same inside another URL or a form, percent-encoded once or more often. It ends where the field does.
_ENCODED_URL = re.compile(r"%(?:25)*3A%(?:25)*2F%(?:25)*2F[^\s\"<>&?#]*", re.IGNORECASE)
_ENCODED_QUERY = re.compile(r"%(?:25)*(?:3F|23)", re.IGNORECASE)
_ENCODED_SLASH = re.compile(r"%(?:25)*2F", re.IGNORECASE)
_ENCODED_AT = re.compile(r"%(?:25)*40|@")
# What stands behind a question mark, and what in it makes it the query of a signed URL, though nothing
# before it looks like one: both signatures of OSS, `auth_key` of the CDN, tokens of STS.
_QUERY = re.compile(r"(?:\?|%(?:25)*3F)[^\s\"<>]*", re.IGNORECASE)
_SIGNED = re.compile(
    r"(?:signature|credential|security-?token|accesskeyid|auth_?key)(?:=|%(?:25)*3D|\\u003d)", re.IGNORECASE
)


def without_query(text: str) -> str:
    """Drop query, fragment and user information of every URL in the text.

    The query of a signed URL is a key to the object, and it changes with every signing: neither a
    record nor a log may hold it. Without a scheme, a query is told by what signs it.
    """
    if not _MARKS.search(text):
        return text
    if "/" in text:
        text = _URL.sub(r"\1\2", text)
    if "%" in text:
        text = _ENCODED_URL.sub(_bare, text)
    return _QUERY.sub(_unless_signed, text) if "?" in text or "%" in text else text


def _bare(found: re.Match[str]) -> str:
    """Cut an encoded URL down to scheme, host and path."""
    url = _ENCODED_QUERY.split(found.group(), maxsplit=1)[0]
    host = [slash.end() for slash in _ENCODED_SLASH.finditer(url)][1]
    path = _ENCODED_SLASH.search(url, host)
    at = [sign.end() for sign in _ENCODED_AT.finditer(url, host, path.start() if path else len(url))]
    return url[:host] + url[at[-1] if at else host :]


def _unless_signed(found: re.Match[str]) -> str:
    return "" if _SIGNED.search(found.group()) else found.group()
