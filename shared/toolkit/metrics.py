"""Counters, gauges and durations: one JSON line per invocation that Simple Log Service can chart.

The line is written when the invocation ends, however it ends, and looks like this within:

    "outcome": "ok", "duration_ms": 93, "cold_start": false, "metrics": [
        {"metric": "lost_callbacks", "type": "counter", "value": 2, "dimensions": {"kind": "ice.production"}},
        {"metric": "vendor_call", "type": "duration", "count": 2, "sum": 61.2, "max": 40.1,
         "values": [21.1, 40.1]}]

A metric of no invocation (while an instance starts, in a tool, in a thread that outlives its invocation)
is a line of its own, at once, in the same form. Measuring never fails what is measured: only a name that
can never be charted raises; what is too much or no number is left out and counted as `metrics_dropped`.
"""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted

from shared.toolkit.json_text import encode
from shared.toolkit.log_output import configured_formatter, write_line
from shared.toolkit.masking import Masker
from shared.toolkit.plain import shown

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextvars import Token
    from typing import Any

    _Labels = tuple[tuple[str, str], ...]
    _Key = tuple[str, str, _Labels]

_NAME = r"[a-z][a-z0-9_]{0,63}"
_LOGGER = "toolkit.metrics"
_TOO_LARGE = 10**15
_MAX_DIMENSIONS = 8
_MAX_LABEL = 128
_MAX_VALUES_OF_ONE = 50
# Together they keep the line below the size of a log entry, as `shared.toolkit.plain` counts it.
_MAX_VALUES = 300
_ROOM = 12_000
_COST_OF_A_SERIES = 250
_COST_OF_A_DIMENSION = 40


def count(name: str, value: float = 1, /, **dimensions: object) -> None:
    """Add to a counter. Raise `ValueError` for a name that is not lower_snake_case."""
    collected = _collecting.get()
    if collected is None or not collected.add("counter", name, value, dimensions):
        _write_alone("counter", name, value, dimensions)


def gauge(name: str, value: float, /, **dimensions: object) -> None:
    """Set a gauge: of several values the last one stays. Raise `ValueError` as `count` does."""
    collected = _collecting.get()
    if collected is None or not collected.add("gauge", name, value, dimensions):
        _write_alone("gauge", name, value, dimensions)


def record_duration(name: str, milliseconds: float, /, **dimensions: object) -> None:
    """Add one duration. Raise `ValueError` as `count` does."""
    collected = _collecting.get()
    if collected is None or not collected.add("duration", name, milliseconds, dimensions):
        _write_alone("duration", name, milliseconds, dimensions)


@contextmanager
def duration(
    name: str, /, *, clock: Callable[[], float] | None = None, **dimensions: object
) -> Iterator[None]:
    """Measure how long the block takes, also when it fails; `clock` gives milliseconds."""
    now = clock or _steady_ms
    started = now()
    try:
        yield
    finally:
        # A clock may be set back.
        record_duration(name, max(0, now() - started), **dimensions)


class _Durations:
    """A series of which count, sum, maximum and values are told."""

    __slots__ = ("_count", "_max", "_sum", "_values")

    def __init__(self) -> None:
        self._count = 0
        self._sum = self._max = 0.0
        self._values: list[float] = []

    def add(self, milliseconds: float, keep: bool) -> bool:
        """Take a value in; tell whether it is kept as such. With `keep` it may be."""
        milliseconds = round(float(milliseconds), 3)
        self._count += 1
        self._sum += milliseconds
        self._max = max(self._max, milliseconds)
        # The values are there for percentiles; a part of very many serves as well.
        kept = keep and len(self._values) < _MAX_VALUES_OF_ONE
        if kept:
            self._values.append(milliseconds)
        return kept

    def text(self) -> str:
        """Give what is told, as members in JSON."""
        told = f'"count": {self._count}, "sum": {round(self._sum, 3)!r}, "max": {self._max!r}'
        return f'{told}, "values": {self._values!r}'


class Collected:
    """The metrics of one invocation; its threads may add to them beside each other."""

    __slots__ = ("_dropped", "_lock", "_open", "_room", "_series", "_token", "_values_left")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # The sum of a counter, the last value of a gauge, or `_Durations`.
        self._series: dict[_Key, Any] = {}
        self._room = _ROOM
        self._values_left = _MAX_VALUES
        self._dropped = 0
        self._open = True
        self._token: Token[Collected | None] | None = None

    def __enter__(self) -> Collected:
        self._token = _collecting.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            _collecting.reset(self._token)

    def add(self, kind: str, name: str, value: Any, dimensions: Mapping[str, object]) -> bool:
        """Take a measurement in, or count it as dropped; False when the line is written already."""
        key = (kind, name, _labels_of(dimensions) if dimensions else ())
        with self._lock:
            if not self._open:
                return False
            # Not if it is NaN, endless or absurd, or less than nothing of what only grows.
            least = -_TOO_LARGE if kind == "gauge" else 0
            usable = isinstance(value, (int, float)) and least <= value < _TOO_LARGE
            if not usable or (key not in self._series and not self._begin(key)):
                self._dropped += 1
            elif kind == "counter":
                self._series[key] += value
            elif kind == "gauge":
                self._series[key] = value + 0  # a number, where it was True
            else:
                self._values_left -= self._series[key].add(value, self._values_left > 0)
            return True

    def write(self, message: str, members: str = "", texts: str = "") -> None:
        """Write the line, which begins with `members`; nothing more is taken in.

        These and `texts` are as `JsonFormatter.data_line` has them.
        """
        with self._lock:
            self._open = False
            told = []
            for key, value in self._series.items():
                head, labels, _ = _head_of(key)
                told.append(f"{head}{_values(value)}}}")
                texts += labels
        dropped = f', "metrics_dropped": {self._dropped}' if self._dropped else ""
        write_line(_LOGGER, message, f'{members}, "metrics": [{", ".join(told)}]{dropped}', texts)

    def _begin(self, key: _Key) -> bool:
        """Begin a series, if there is room for it."""
        _, _, cost = _head_of(key)
        if cost > self._room or len(key[2]) > _MAX_DIMENSIONS:
            return False
        self._room -= cost
        self._series[key] = _Durations() if key[0] == "duration" else 0
        return True


_collecting: ContextVar[Collected | None] = ContextVar("collected_metrics", default=None)


def _labels_of(dimensions: Mapping[str, object]) -> _Labels:
    return tuple(sorted((label, _shortened(shown(value))) for label, value in dimensions.items()))


def _shortened(text: str) -> str:
    if len(text) <= _MAX_LABEL:
        return text
    # Masked first: a cut may leave part of a secret that no rule knows.
    formatter = configured_formatter()
    return (formatter.masker if formatter else Masker()).text(text)[:_MAX_LABEL]


@lru_cache(maxsize=256)
def _head_of(key: _Key) -> tuple[str, str, int]:
    """Give a series as JSON up to its values, what of that may hold a secret, and the room that it takes.

    The series' own name cannot: its form leaves no place for one.
    """
    kind, name, labels = key
    for each in (name, *(label for label, _ in labels)):
        if not re.fullmatch(_NAME, each):
            raise ValueError(f"metrics and dimensions are named like_this, not {each[:_MAX_LABEL]!r}")
    dimensions = ", ".join([f'"{label}": {_quoted(text)}' for label, text in labels])
    head = f'{{"metric": "{name}", "type": "{kind}", '
    cost = _COST_OF_A_SERIES + len(name) + _COST_OF_A_DIMENSION * len(labels) + len(dimensions)
    return (f'{head}"dimensions": {{{dimensions}}}, ' if labels else head), dimensions, cost


def _values(value: Any) -> str:
    if type(value) is _Durations:
        return value.text()
    return f'"value": {value if type(value) is int else encode(value)}'


def _write_alone(kind: str, name: str, value: float, dimensions: Mapping[str, object]) -> None:
    alone = Collected()
    alone.add(kind, name, value, dimensions)
    alone.write("metric outside an invocation")


def _steady_ms() -> float:
    return time.monotonic_ns() / 1_000_000
