"""Turns anything into JSON values: masked, of bounded size, and never failing.

It is what a log line is made of, so it is given whatever anyone logs.
"""

from __future__ import annotations

import builtins
import json
import math
from collections import deque
from collections.abc import Mapping

from shared.toolkit.errors import FunctionError
from shared.toolkit.masking import MASK, is_secret_name

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from shared.toolkit.masking import Masker

# A log entry may have 32 KB (function-compute.md 1.3); what is left is for keys and punctuation.
ROOM = 24_000
MAX_TEXT = 8_000

_MAX_DEPTH = 6
_MAX_FRAMES = 20
_MAX_CAUSES = 5
_COST_OF_A_MEMBER = 16
_MORE = "..."
_GROUP: Any = getattr(builtins, "BaseExceptionGroup", ())  # since Python 3.11


class Plain:
    """The values of one line. `room` is how many characters of ASCII JSON may still be used."""

    def __init__(self, masker: Masker, *, room: int = ROOM) -> None:
        self._masker = masker
        self._room = room

    def value(self, value: object, *, name: str = "", depth: int = _MAX_DEPTH) -> object:
        """Convert a value; one that is named like a secret is not shown at all."""
        self._room -= _COST_OF_A_MEMBER
        if value is None or isinstance(value, bool):
            return value
        if not isinstance(value, str) and name and is_secret_name(name):
            return MASK
        if isinstance(value, int) and abs(value) < 2**63:
            return int(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, (bytes, bytearray)):
            return f"<{len(value)} bytes>"
        if depth and isinstance(value, Mapping):
            return self._object(value.items(), depth - 1)
        if depth and isinstance(value, (list, tuple, set, frozenset)):
            return self._array(value, name, depth - 1)
        return self.text(shown(value), name=name)

    def text(self, text: str, *, name: str = "") -> str:
        """Mask a text, then cut it to what there is room for."""
        masked = self._masker.value(name, text)
        cut = masked[: max(0, min(MAX_TEXT, self._room))]
        while cut and len(json.dumps(cut)) > self._room:
            cut = cut[: len(cut) // 2]
        self._room -= len(json.dumps(cut))
        return cut if len(cut) == len(masked) else f"{cut}... ({len(masked) - len(cut)} more)"

    def error(self, error: BaseException, *, causes: int = _MAX_CAUSES) -> dict[str, object]:
        """Convert an error: type, message, details, stack without source text, and its cause."""
        told: dict[str, object] = {
            "type": type(error).__name__,
            "message": self.text(shown(error)),
        }
        if isinstance(error, FunctionError) and error.details:
            told["details"] = self.value(error.details)
        frames = _frames(error)
        if frames:
            told["stack"] = [self.text(frame) for frame in frames]
        cause = _cause_of(error)
        if cause is not None and causes:
            told["cause"] = self.error(cause, causes=causes - 1)
        return told

    def _object(self, members: Iterable[tuple[object, object]], depth: int) -> dict[str, object]:
        plain: dict[str, object] = {}
        for key, member in members:
            if self._room <= 0:
                plain[_MORE] = _MORE
                break
            name = shown(key)
            plain[self.text(name)] = self.value(member, name=name, depth=depth)
        return plain

    def _array(self, items: Iterable[object], name: str, depth: int) -> list[object]:
        plain: list[object] = []
        for item in items:
            if self._room <= 0:
                plain.append(_MORE)
                break
            plain.append(self.value(item, name=name, depth=depth))
        return plain


def shown(value: object) -> str:
    """Give a value's text, or what kept it from having one."""
    try:
        # Not `str(value)` for text: a text that is also an Enum shows its member's name then.
        return str.__str__(value) if isinstance(value, str) else str(value)
    except Exception as error:  # anything may be logged, also what cannot be shown
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def told_by(error: BaseException) -> Iterator[str]:
    """Give every text that a traceback shows of an error: its own, and those of notes, members and causes."""
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield shown(one)
        yield from map(shown, getattr(one, "__notes__", ()))
        if isinstance(one, _GROUP):
            pending += one.exceptions
        if (cause := _cause_of(one)) is not None:
            pending.append(cause)


def _cause_of(error: BaseException) -> BaseException | None:
    if error.__suppress_context__ or error.__cause__ is not None:
        return error.__cause__
    return error.__context__


def _frames(error: BaseException) -> list[str]:
    """List file, line and function, innermost last."""
    frames: deque[str] = deque(maxlen=_MAX_FRAMES)
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        frames.append(f"{code.co_filename}:{step.tb_lineno} in {code.co_name}")
        step = step.tb_next
    return list(frames)
