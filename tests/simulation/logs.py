"""What the product logs during a run: nothing but defects is looked at."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import FunctionError


class _Collector(logging.Handler):
    def __init__(self, defects: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._defects = defects

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the error of a record that none of the three families foresees."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, FunctionError):
            self._defects.append(f"{record.name}: {type(error).__name__}: {error}")


@contextmanager
def collected(defects: list[str]) -> Iterator[None]:
    """Write no log, and add to a list what was logged with an error of none of the three families."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    root.handlers[:] = [_Collector(defects)]
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
