"""Plain members of a log line as JSON: the short way of `shared.toolkit.logger`, which most lines take.

Whatever it writes, `shared.toolkit.plain` would have written alike; for the rest it gives None.
"""

from __future__ import annotations

import math
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted

from shared.toolkit.json_text import JsonText
from shared.toolkit.masking import is_harmless_name

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

OF_THE_LINE = frozenset({"timestamp", "level", "logger", "message", "exception"})
"""What every line has: no other member is called like these."""

_CONSTANTS = {True: "true", False: "false", None: "null"}


def members_text(mapping: Mapping[str, object], texts: list[str]) -> str | None:
    """Encode the members, a comma before each; None when they are not plain.

    What of them may hold a secret is added to `texts`: a fraction of the line.
    """
    parts = []
    for name, value in mapping.items():
        # By hand, as setting the standard encoder up would take longer than the whole line.
        if type(value) is str:
            texts.append(_quoted(value))
            text: str | None = texts[-1]
        else:
            text = encoded(value)
            if type(value) is JsonText:
                texts.append(value.texts)
        head = _head_of(name)
        if text is None or head is None:
            return None
        parts.append(head + text)
    return "".join(parts)


@lru_cache(maxsize=256)
def _head_of(name: object) -> str | None:
    """Give the beginning of a member; None for a name that is taken, no text, or a reason to mask."""
    if not isinstance(name, str) or name in OF_THE_LINE or not is_harmless_name(name):
        return None
    return f", {_quoted(name)}: "


def encoded(value: Any) -> str | None:
    """Encode what `Plain` would leave as it is, but for secrets in its texts; None for anything else."""
    kind = type(value)
    if kind is str:
        return _quoted(value)
    if kind is bool or value is None:
        return _CONSTANTS[value]
    if kind is int:
        return repr(value) if abs(value) < 2**63 else None
    if kind is float:
        return repr(value) if math.isfinite(value) else None
    return value if kind is JsonText else None
