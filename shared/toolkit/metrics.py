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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any

from shared.toolkit.log_output import write_line
from shared.toolkit.logger import PlainList
from shared.toolkit.plain import shown

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
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

_Labels = tuple[tuple[str, str], ...]


def count(name: str, value: float = 1, /, **dimensions: object) -> None:
    """Add to a counter. Raise `ValueError` for a name that is not lower_snake_case."""
    _measure("counter", name, value, dimensions)


def gauge(name: str, value: float, /, **dimensions: object) -> None:
    """Set a gauge: of several values the last one stays. Raise `ValueError` as `count` does."""
    _measure("gauge", name, value, dimensions)


def record_duration(name: str, milliseconds: float, /, **dimensions: object) -> None:
    """Add one duration. Raise `ValueError` as `count` does."""
    _measure("duration", name, milliseconds, dimensions)


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


class Collected:
    """The metrics of one invocation; its threads may add to them beside each other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[tuple[str, str, _Labels], dict[str, Any]] = {}
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
            usable = isinstance(value, (int, float)) and abs(value) < _TOO_LARGE
            if usable and kind != "gauge":
                usable = value >= 0
            series = (self._series.get(key) or self._new(key)) if usable else None
            if series is None:
                self._dropped += 1
            elif kind == "duration":
                self._add_duration(series, round(float(value), 3))
            else:
                series["value"] = value + (series.get("value", 0) if kind == "counter" else 0)
            return True

    def write(self, message: str, **keys: object) -> None:
        """Write the line; nothing more is taken in."""
        with self._lock:
            self._open = False
            keys["metrics"] = PlainList(self._series.values())
            if self._dropped:
                keys["metrics_dropped"] = self._dropped
        write_line(_LOGGER, message, keys)

    def _new(self, key: tuple[str, str, _Labels]) -> dict[str, Any] | None:
        kind, name, labels = key
        cost = _COST_OF_A_SERIES + len(name)
        _check_name(name)
        series: dict[str, Any] = {"metric": name, "type": kind}
        for label, text in labels:
            _check_name(label)
            cost += _COST_OF_A_DIMENSION + len(label) + len(encode_basestring_ascii(text[:_MAX_LABEL]))
        if cost > self._room or len(labels) > _MAX_DIMENSIONS:
            return None
        self._room -= cost
        if labels:
            series["dimensions"] = {label: text[:_MAX_LABEL] for label, text in labels}
        if kind == "duration":
            series.update(count=0, sum=0.0, max=0.0, values=[])
        self._series[key] = series
        return series

    def _add_duration(self, series: dict[str, Any], milliseconds: float) -> None:
        series["count"] += 1
        series["sum"] = round(series["sum"] + milliseconds, 3)
        series["max"] = max(series["max"], milliseconds)
        # The values are there for percentiles; a part of very many serves as well.
        if self._values_left and len(series["values"]) < _MAX_VALUES_OF_ONE:
            self._values_left -= 1
            series["values"].append(milliseconds)


_collecting: ContextVar[Collected | None] = ContextVar("collected_metrics", default=None)


def _labels_of(dimensions: Mapping[str, object]) -> _Labels:
    return tuple(sorted((label, shown(value)) for label, value in dimensions.items()))


@lru_cache(maxsize=256)
def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"metrics and dimensions are named like_this, not {name[:_MAX_LABEL]!r}")


def _measure(kind: str, name: str, value: float, dimensions: Mapping[str, object]) -> None:
    collected = _collecting.get()
    if collected is None or not collected.add(kind, name, value, dimensions):
        alone = Collected()
        alone.add(kind, name, value, dimensions)
        alone.write("metric outside an invocation")


def _steady_ms() -> float:
    return time.monotonic_ns() / 1_000_000
