"""Small values as JSON text, fast: `json` sets its encoder up anew for every text, and that takes longer."""

from __future__ import annotations

import json
import json.encoder

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def members_of(text: str) -> dict[str, object]:
    """Decode members of an object, each of which has a comma before it."""
    members: dict[str, object] = json.loads(f"{{{text[2:]}}}")
    return members


def encoder(*, sort_keys: bool = False, compact: bool = False) -> Callable[[object], str]:
    """Make an encoder: ASCII, no NaN, `ValueError` and `TypeError` as `json.dumps` raises them.

    A value within itself is a `RecursionError`.
    """
    comma, colon = (",", ":") if compact else (", ", ": ")
    standard = json.JSONEncoder(sort_keys=sort_keys, separators=(comma, colon), allow_nan=False)
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # not CPython
        return standard.encode
    quoted = json.encoder.encode_basestring_ascii
    chunks = make(None, standard.default, quoted, None, colon, comma, sort_keys, False, False)
    return lambda value: "".join(chunks(value, 0))


encode = encoder()
"""As `json.dumps` writes it."""
