"""That a body came from here, unchanged and just now: HMAC-SHA256 over time and body.

    Media-Ledger-Timestamp: 1763640000                epoch seconds
    Media-Ledger-Signature: v1=<64 hex>,v1=<64 hex>   one for each key, of `<timestamp>.<body>`

Two keys are for changing one without a gap: the sender signs with the new and the old one, and the
receiver accepts whichever it has. `v1` names the scheme, so that another can come beside it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from shared.errors import SignatureError
from shared.policy import SECOND

TIMESTAMP = "Media-Ledger-Timestamp"
SIGNATURE = "Media-Ledger-Signature"
MOST_KEYS = 2
KEY_FORM = "16 to 128 printable ASCII characters without blanks"
WINDOW = 300 * SECOND
"""How far the sender's clock and time on the way may be off: what is older was kept by somebody."""

_KEY = re.compile(r"[!-~]{16,128}")
_SECONDS = re.compile(r"[0-9]{1,11}")


def is_strong(key: str) -> bool:
    """Tell whether a key has the form that `KEY_FORM` asks for."""
    return _KEY.fullmatch(key) is not None


def sign(body: bytes, *, keys: Sequence[str], now: int) -> dict[str, str]:
    """Give the headers that sign a body at a time (epoch milliseconds), one signature for each key."""
    timestamp = str(now // SECOND)
    signatures = [f"v1={_digest(key, timestamp, body)}" for key in keys]
    return {TIMESTAMP: timestamp, SIGNATURE: ",".join(signatures)}


def verify(body: bytes, headers: Mapping[str, str], *, keys: Sequence[str], now: int) -> None:
    """Raise `SignatureError` unless one of the keys signed this very body within the window around `now`.

    The names of `headers` may be in any casing. Neither keys nor signatures are in the error.
    """
    given = {name.lower(): value for name, value in headers.items()}
    timestamp, listed = given.get(TIMESTAMP.lower()), given.get(SIGNATURE.lower())
    if timestamp is None or listed is None:
        raise SignatureError("not signed", header=TIMESTAMP if timestamp is None else SIGNATURE)
    if not _SECONDS.fullmatch(timestamp):
        raise SignatureError("not a time in epoch seconds", header=TIMESTAMP)
    if abs(now - int(timestamp) * SECOND) > WINDOW:
        raise SignatureError("signed too long ago, or in the future", header=TIMESTAMP)
    signatures = [each.strip().encode() for each in listed.split(",")]
    # An empty key is one that nobody set, and that everybody knows.
    expected = [f"v1={_digest(key, timestamp, body)}".encode() for key in keys if key]
    if not any(hmac.compare_digest(mine, theirs) for mine in expected for theirs in signatures):
        raise SignatureError("signed by no known key, or changed on its way", header=SIGNATURE)


def _digest(key: str, timestamp: str, body: bytes) -> str:
    return hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
