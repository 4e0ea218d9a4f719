"""Where log lines go: to one stream, from one handler, which this module puts in the platform's place."""

from __future__ import annotations

import logging
import sys
import time

from shared.toolkit.debug_lines import DebugLines, KeptLines, current_kept
from shared.toolkit.json_text import members_of
from shared.toolkit.logger import JsonFormatter
from shared.toolkit.masking import Masker

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO


def configure_logging(
    *,
    level: int | str = logging.INFO,
    stream: TextIO | None = None,
    masker: Masker | None = None,
    debug: DebugLines | None = None,
) -> JsonFormatter:
    """Make the root logger write JSON lines and nothing else; a second call replaces the first.

    The platform's own handlers are removed: they would write every line again, unmasked. Without a
    `stream`, lines go to the `sys.stdout` of the moment, which the platform collects.
    """
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler, LineHandler):
            handler.give_levels_back()
    root.setLevel(level)
    formatter = JsonFormatter(masker or Masker())
    root.handlers[:] = [LineHandler(formatter, stream, level=root.level, debug=debug)]
    return formatter


def configured_formatter() -> JsonFormatter | None:
    """Find the formatter of `configure_logging`; None before it, or after something replaced it.

    Further handlers are somebody's wish (a test, a tracer) and stay.
    """
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, JsonFormatter):
            return handler.formatter
    return None


def lines_to_keep(draw: Callable[[int], int]) -> KeptLines | None:
    """Decide what an invocation does with lines below the level; None when they are not let through."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LineHandler) and handler.debug:
            return handler.debug.of_invocation(draw)
    return None


def write_line(name: str, message: str, members: str, texts: str) -> None:
    """Write a line of data, which no level holds back; as an INFO record where lines are not ours.

    `members` and `texts` are as `JsonFormatter.data_line` has them.
    """
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LineHandler):
            handler.write_line(name, message, members, texts)
            return
    logging.getLogger(name).info(message, extra=members_of(members))


def write_kept_lines() -> None:
    """Write what the present invocation kept, as it has failed."""
    kept = current_kept.get()
    for handler in logging.getLogger().handlers:
        if kept and isinstance(handler, LineHandler):
            handler.write_kept(kept)


class LineHandler(logging.Handler):
    """Writes each record as a line and flushes it: an instance is frozen after its answer."""

    def __init__(
        self, formatter: JsonFormatter, stream: TextIO | None, *, level: int, debug: DebugLines | None
    ) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._formatter = formatter
        self.debug = debug
        self._stream = stream
        # Without `debug`, a logger that was given a lower level by hand writes what that level lets through.
        self._written_from = level if debug else logging.NOTSET
        loggers = map(logging.getLogger, debug.loggers if debug else ())
        self._levels = [(logger, logger.level) for logger in loggers]
        for logger, _ in self._levels:
            logger.setLevel(logging.DEBUG)

    def give_levels_back(self) -> None:
        """Set the loggers that `debug` names to the levels they had."""
        for logger, level in reversed(self._levels):
            logger.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            kept = current_kept.get()
            if record.levelno < self._written_from:
                if kept is None:
                    return
                if not kept.sampled:
                    kept.keep(record, self.format)
                    return
            lines = kept.take(self.format) if kept and record.levelno >= logging.ERROR else []
            lines.append(self._formatter.format(record))
            self._write(lines)
        except Exception:
            self.handleError(record)

    def write_line(self, name: str, message: str, members: str, texts: str) -> None:
        """Write a line that is no record's."""
        try:
            self._write([self._formatter.data_line(time.time(), name, message, members, texts)])
        except Exception as error:
            _tell_of_loss(name, error)

    def write_kept(self, kept: KeptLines) -> None:
        """Write what a failed invocation kept."""
        self.acquire()  # as `kept` is used under this handler's lock
        try:
            self._write(kept.take(self.format))
        except Exception as error:
            _tell_of_loss("below the level", error)
        finally:
            self.release()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's own name
        _tell_of_loss(record.name, sys.exc_info()[1])

    def _write(self, lines: list[str]) -> None:
        if lines:
            stream = self._stream or sys.stdout
            # One write for all: those of other handlers and threads cannot come between.
            stream.write("\n".join(lines) + "\n")
            stream.flush()


def _tell_of_loss(name: str, error: BaseException | None) -> None:
    """Tell that a line is lost. The standard's report would show its arguments unmasked."""
    sys.stderr.write(f"a log line of {name} is lost: {type(error).__name__}\n")
