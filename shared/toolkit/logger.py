"""Structured logging through the standard `logging`: one JSON object per line.

Keys are bound in context variables: they end with the block that bound them and never show up in
the log lines of another invocation, thread or task.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone
from types import MappingProxyType
from typing import TextIO

from shared.toolkit.errors import MisconfiguredError, PermanentError
from shared.toolkit.masking import Masker
from shared.toolkit.plain import Plain

_OF_THE_LINE = frozenset({"timestamp", "level", "logger", "message", "exception"})
_OF_THE_INVOCATION = frozenset({"request_id", "function", "cold_start"})
_OF_THE_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Old keys must stay masked while their lines are still written; a role's keys change within 36 hours.
_REMEMBERED_SECRETS = 16
_NO_KEYS: Mapping[str, object] = MappingProxyType({})

_bound: ContextVar[Mapping[str, object]] = ContextVar("bound_log_keys", default=_NO_KEYS)


@contextmanager
def bind(**keys: object) -> Iterator[None]:
    """Add keys to every log line of this block, and of what it calls.

    A thread inherits them only with a copied context (`contextvars.copy_context`). Raise
    `ValueError` for a name that log lines use already.
    """
    taken = sorted((_OF_THE_LINE | _OF_THE_INVOCATION).intersection(keys))
    if taken:
        raise ValueError(f"log lines use these names already: {', '.join(taken)}")
    token = _bound.set({**_bound.get(), **keys})
    try:
        yield
    finally:
        _bound.reset(token)


@contextmanager
def bind_invocation(*, request_id: str, function: str, cold_start: bool) -> Iterator[None]:
    """Bind an invocation's own keys, and nothing that was bound before it."""
    token = _bound.set({"request_id": request_id, "function": function, "cold_start": cold_start})
    try:
        yield
    finally:
        _bound.reset(token)


def configure_logging(
    *, level: int | str = logging.INFO, stream: TextIO | None = None, masker: Masker | None = None
) -> JsonFormatter:
    """Make the root logger write JSON lines and nothing else; a second call replaces the first.

    The platform's own handlers are removed: they would write every line again, unmasked. Without a
    `stream`, lines go to the `sys.stdout` of the moment, which the platform collects.
    """
    formatter = JsonFormatter(masker or Masker())
    handler = _LineHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    return formatter


def configured_formatter() -> JsonFormatter | None:
    """Find the formatter of `configure_logging`; None before it, or after something replaced it.

    Further handlers are somebody's wish (a test, a tracer) and stay.
    """
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, JsonFormatter):
            return handler.formatter
    return None


def log_failure(logger: logging.Logger, event: str, error: Exception, **keys: object) -> None:
    """Log an error, as loud as its family asks for: about us, about now, or about this input."""
    level = logging.ERROR
    if isinstance(error, MisconfiguredError):
        level, event = logging.CRITICAL, f"misconfigured: {event}"
    elif isinstance(error, PermanentError):
        level = logging.WARNING
    logger.log(level, event, exc_info=error, extra=keys)


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object: masked, bounded, in ASCII, which every stream can encode.

    Messages are masked after their arguments were put in; so are keys, extras and exceptions.
    """

    def __init__(self, masker: Masker) -> None:
        super().__init__()
        self.masker = masker
        self._configured = masker
        self._secrets: deque[str] = deque(maxlen=_REMEMBERED_SECRETS)
        self._changing = threading.Lock()

    def mask_also(self, secrets: Iterable[str | None]) -> None:
        """Mask these values too from now on; the oldest are forgotten when there are many."""
        with self._changing:
            new = [secret for secret in secrets if secret and secret not in self._secrets]
            if new:
                self._secrets.extend(new)
                self.masker = self._configured.also(self._secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Give the line, without its end."""
        plain = Plain(self.masker)
        line: dict[str, object] = {
            "timestamp": _timestamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": plain.text(_message(record)),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = plain.error(record.exc_info[1])
        extra = ((n, value) for n, value in vars(record).items() if n not in _OF_THE_RECORD)
        for name, value in (*_bound.get().items(), *extra):
            # What is there already stays: an `extra` of some library may have any name.
            key = f"{name}_" if name in _OF_THE_LINE or name in line else name
            line[key] = plain.value(value, name=name)
        return json.dumps(line, allow_nan=False)


class _LineHandler(logging.Handler):
    """Writes each record as a line and flushes it: an instance is frozen after its answer."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        try:
            stream = self._stream or sys.stdout
            stream.write(f"{self.format(record)}\n")
            stream.flush()
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's own name
        """Tell that a line is lost. The standard's report would show its arguments unmasked."""
        kind = getattr(sys.exc_info()[0], "__name__", "unknown")
        sys.stderr.write(f"a log line of {record.name} is lost: {kind}\n")


def _timestamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # a log call with wrong arguments must not end the work it tells of
        return f"{record.msg} (its arguments do not fit: {type(error).__name__})"
