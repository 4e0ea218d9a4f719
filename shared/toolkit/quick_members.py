"""Plain members of a log line as JSON: the short way of `shared.toolkit.logger`, which most lines take.

Whatever it writes, `shared.toolkit.plain` would have written alike; for the rest it gives None.
"""

from __future__ import annotations

import math
from json.encoder import encode_basestring_ascii as _quoted

from shared.toolkit.masking import is_harmless_name

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

OF_THE_LINE = frozenset({"timestamp", "level", "logger", "message", "exception"})
"""What every line has: no other member is called like these."""

_TOO_LARGE = 2**63
_CONSTANTS = {True: "true", False: "false", None: "null"}


def members_text(mapping: Mapping[str, Any], texts: list[str]) -> str | None:
    """Encode the members, a comma before each; None when they are not plain.

    What of them may hold a secret is added to `texts`: a fraction of the line.
    """
    parts = []
    for name, value in mapping.items():
        # By hand, as setting the standard encoder up would take longer than the whole line.
        kind = type(value)
        text: str | None
        if kind is str:
            text = _quoted(value)
            texts.append(text)
        elif kind is int and -_TOO_LARGE < value < _TOO_LARGE:
            text = repr(value)
        else:
            text = encoded(value)
        head = _heads.get(name) or _head_of(name)
        if text is None or head is None:
            return None
        parts.append(head + text)
    return "".join(parts)


# A plain dictionary, as it is asked for every member of every line.
_heads: dict[str, str] = {}
_MOST_HEADS = 256


def _head_of(name: object) -> str | None:
    """Give the beginning of a member; None for a name that is taken, no text, or a reason to mask."""
    if not isinstance(name, str) or name in OF_THE_LINE or not is_harmless_name(name):
        return None
    head = f", {_quoted(name)}: "
    if len(_heads) < _MOST_HEADS:
        _heads[name] = head
    return head


def encoded(value: Any) -> str | None:
    """Encode what `Plain` would leave as it is, but for secrets in its texts; None for anything else."""
    kind = type(value)
    if kind is str:
        return _quoted(value)
    if kind is bool or value is None:
        return _CONSTANTS[value]
    if kind is int:
        return repr(value) if -_TOO_LARGE < value < _TOO_LARGE else None
    if kind is float:
        return repr(value) if math.isfinite(value) else None
    return None
