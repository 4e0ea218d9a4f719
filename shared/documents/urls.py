"""URLs without what signs them."""

from __future__ import annotations

import re

# Every URL is consumed whole, with a query or without: a scan never starts over inside one, so it
# stays linear. No look at what stands before `://`: Chinese text runs straight into a URL. `:\/\/` is
# the same in JSON inside a text. A query ends where no URL can go on, not at a quote it may hold.
_URL = re.compile(r"(:\\?/\\?/[^\s\"<>?#]*)([?#][^\s\"<>]*)?")


def without_query(text: str) -> str:
    """Drop query and fragment of every URL in the text.

    The query of a signed URL is a key to the object, and it changes with every signing: neither a
    record nor a log may hold it.
    """
    return _URL.sub(r"\1", text) if "/" in text else text
