"""The decorator around every entry point, and the one place where error families meet the platform.

What becomes of an error:

    TemporaryError, unknown   logged at ERROR, let out: the platform tries an asynchronous call again
    PermanentError            logged at WARNING, answered {"error": ...}: trying again cannot help
    MisconfiguredError        logged at CRITICAL as `misconfigured`, let out: nothing may be dropped

Every invocation ends with one line, which is also that of its metrics: `outcome` (ok, refused, failed,
misconfigured, or aborted: ended from outside), duration, cold start. Only a process that is killed
outright writes none.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, overload

from shared.toolkit import tracing
from shared.toolkit.context import InvocationContext
from shared.toolkit.debug_lines import DebugLines, current_kept
from shared.toolkit.errors import MisconfiguredError, PermanentError, TemporaryError
from shared.toolkit.log_output import configure_logging, configured_formatter, lines_to_keep, write_kept_lines
from shared.toolkit.logger import bind_invocation, log_failure
from shared.toolkit.masking import Masker
from shared.toolkit.metrics import Collected

E = TypeVar("E")

Handle = Callable[[bytes, InvocationContext], object]
Entry = Callable[[bytes, object], object]

_log = logging.getLogger("toolkit.handler")


@overload
def function_handler(
    *,
    parse: None = None,
    level: int | str = ...,
    masker: Masker | None = ...,
    debug: DebugLines | None = ...,
    clock: Callable[[], int] | None = ...,
    draw: Callable[[int], int] | None = ...,
    environ: Mapping[str, str] | None = ...,
) -> Callable[[Handle], Entry]: ...


@overload
def function_handler(
    *,
    parse: Callable[[bytes], E],
    level: int | str = ...,
    masker: Masker | None = ...,
    debug: DebugLines | None = ...,
    clock: Callable[[], int] | None = ...,
    draw: Callable[[int], int] | None = ...,
    environ: Mapping[str, str] | None = ...,
) -> Callable[[Callable[[E, InvocationContext], object]], Entry]: ...


def function_handler(
    *,
    parse: Callable[[bytes], Any] | None = None,
    level: int | str = logging.INFO,
    masker: Masker | None = None,
    debug: DebugLines | None = None,
    clock: Callable[[], int] | None = None,
    draw: Callable[[int], int] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Callable[[Callable[[Any, InvocationContext], object]], Entry]:
    """Turn `handle(event, context)` into an entry point of Function Compute.

    With `parse`, a layer of `shared.toolkit.parser` or any function, `handle` gets what that makes of the
    event's bytes; its `ParseError` is a `PermanentError`. Logging is configured by the first call, with
    `level`, `masker` and `debug`, unless `configure_logging` was called before; the keys of the function's
    role become secrets of the log. `clock` gives epoch milliseconds, `draw` that many random bits. What
    `handle` answers is passed on as it is and never logged.
    """
    now, bits = clock or _now, draw or _random_bits
    variables = os.environ if environ is None else environ

    def decorate(handle: Callable[[Any, InvocationContext], object]) -> Entry:
        # Taken once and never given back: by the first call of this instance, also among threads.
        first_call = threading.Lock()

        @functools.wraps(handle)
        def entry(event: bytes, raw_context: object) -> object:
            started = now()
            formatter = configured_formatter() or configure_logging(level=level, masker=masker, debug=debug)
            cold = first_call.acquire(blocking=False)
            with _wired(event, raw_context, cold_start=cold, draw=bits) as collected:
                ending = {"outcome": "ok"}
                try:
                    context = InvocationContext.of(raw_context, started_ms=started, environ=variables)
                    formatter.mask_also(context.secrets)
                    return handle(parse(event) if parse else event, context)
                except BaseException as error:
                    ending = {"outcome": _outcome_of(error), "error_type": type(error).__name__}
                    _tell_of(error, formatter.masker)
                    if isinstance(error, PermanentError):
                        return _refusal(error, formatter.masker)
                    raise
                finally:
                    # A clock may be set back.
                    took = max(0, now() - started)
                    collected.write("invocation finished", **ending, duration_ms=took, event_bytes=len(event))

        return entry

    return decorate


@contextmanager
def _wired(
    event: bytes, raw_context: object, *, cold_start: bool, draw: Callable[[int], int]
) -> Iterator[Collected]:
    """Set everything up that belongs to this invocation alone, before anything can fail."""
    names = _names(raw_context)
    kept = lines_to_keep(draw)
    outer = current_kept.set(kept)
    try:
        with tracing.invocation(tracing.carrier_of(event), function=names["function"], draw=draw) as trace:
            keys: dict[str, object] = {**names, "cold_start": cold_start, "trace_id": trace.trace_id}
            if kept and kept.sampled:
                keys["sampled"] = True
            with bind_invocation(**keys), Collected() as collected:
                yield collected
    finally:
        current_kept.reset(outer)


def _names(raw_context: object) -> dict[str, str]:
    """Read what identifies the call before anything else: a broken context is to be logged, too."""
    function = getattr(raw_context, "function", None)
    return {
        "request_id": str(getattr(raw_context, "request_id", "")),
        "function": str(getattr(function, "name", "")),
    }


def _outcome_of(error: BaseException) -> str:
    if isinstance(error, PermanentError):
        return "refused"
    if isinstance(error, MisconfiguredError):
        return "misconfigured"
    return "failed" if isinstance(error, Exception) else "aborted"


def _tell_of(error: BaseException, masker: Masker) -> None:
    """Log a failure, with what was kept for this case; raise another error in place of one that leaks."""
    write_kept_lines()
    if isinstance(error, Exception):
        log_failure(_log, "invocation failed", error)
        if not isinstance(error, PermanentError):
            _refuse_to_leak(error, masker)


def _refusal(error: PermanentError, masker: Masker) -> dict[str, object]:
    return {"error": {"type": type(error).__name__, "message": masker.text(str(error))}}


def _refuse_to_leak(error: Exception, masker: Masker) -> None:
    """Raise another error in place of one whose text holds a secret.

    The platform copies that text into its answer and hands it to the failure destination
    (function-compute.md 1.3).
    """
    masked = masker.text(str(error))
    if masked != str(error):
        family = MisconfiguredError if isinstance(error, MisconfiguredError) else TemporaryError
        raise family(masked, type=type(error).__name__) from None


def _now() -> int:
    return time.time_ns() // 1_000_000


def _random_bits(count: int) -> int:
    """Draw from the system. The module `random`, or what needs it, takes milliseconds to import."""
    return int.from_bytes(os.urandom((count + 7) // 8), "big") >> -count % 8
