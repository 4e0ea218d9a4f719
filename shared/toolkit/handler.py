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
from contextvars import copy_context
from json.encoder import encode_basestring_ascii as _quoted

from shared.toolkit import tracing
from shared.toolkit.bound_keys import bind_invocation
from shared.toolkit.context import InvocationContext
from shared.toolkit.debug_lines import current_kept
from shared.toolkit.errors import MisconfiguredError, PermanentError, TemporaryError
from shared.toolkit.log_output import configure_logging, configured_formatter, lines_to_keep, write_kept_lines
from shared.toolkit.logger import log_failure
from shared.toolkit.metrics import Collected
from shared.toolkit.plain import shown, told_by

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias, TypeVar, overload

    from shared.toolkit.debug_lines import DebugLines, KeptLines
    from shared.toolkit.masking import Masker
    from shared.toolkit.trace_context import Trace

    E = TypeVar("E")


Handle: TypeAlias = "Callable[[bytes, InvocationContext], object]"
Entry: TypeAlias = "Callable[[bytes, object], object]"

_log = logging.getLogger("toolkit.handler")

if TYPE_CHECKING:

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
            # In a context of its own: what is bound for an invocation, or by it, ends with it.
            return copy_context().run(invoke, event, raw_context, now())

        def invoke(event: Any, raw_context: object, started: int) -> object:
            formatter = configured_formatter() or configure_logging(level=level, masker=masker, debug=debug)
            keys = _own_keys(raw_context, cold_start=first_call.acquire(blocking=False))
            # Who calls the function by other means may hand in anything: that is to be logged, too.
            carrier = tracing.carrier_of(event) if isinstance(event, bytes) else None
            # First the trace: OpenTelemetry may fail, what follows cannot.
            traced = tracing.invocation(carrier, function=str(keys["function"]), draw=bits)
            with traced as trace, Collected() as collected:
                _bind(keys, trace.known, lines_to_keep(bits))
                outcome, error_type = "ok", ""
                try:
                    context = InvocationContext.of(raw_context, started_ms=started, environ=variables)
                    formatter.mask_also(context.secrets)
                    return handle(parse(event) if parse else event, context)
                except BaseException as error:
                    outcome, error_type = _outcome_of(error), type(error).__name__
                    _tell_of(error, formatter.masker)
                    if isinstance(error, PermanentError):
                        return _refusal(error, formatter.masker)
                    raise
                finally:
                    took_ms = max(0, now() - started)  # a clock may be set back
                    begun = None if "trace_id" in keys else trace.known
                    members, texts = _ending(outcome, error_type, took_ms, event, begun)
                    collected.write("invocation finished", members, texts)

        return entry

    return decorate


def _own_keys(raw_context: object, *, cold_start: bool) -> dict[str, object]:
    # Before the context is looked at more closely: a broken one is to be logged, too.
    return {
        "request_id": str(getattr(raw_context, "request_id", "")),
        "function": str(getattr(getattr(raw_context, "function", None), "name", "")),
        "cold_start": cold_start,
    }


def _bind(keys: dict[str, object], trace: Trace | None, kept: KeptLines | None) -> None:
    if trace:
        keys["trace_id"] = trace.trace_id
    if kept and kept.sampled:
        keys["sampled"] = True
    current_kept.set(kept)
    bind_invocation(keys)


def _ending(
    outcome: str, error_type: str, took_ms: int, event: object, begun: Trace | None
) -> tuple[str, str]:
    """Tell how it ended, with the trace that was begun on the way: members of a line, and texts in them."""
    kind = _quoted(error_type) if error_type else ""
    members = f', "outcome": "{outcome}"' + (f', "error_type": {kind}' if kind else "")
    size = len(event) if isinstance(event, bytes) else 0
    members += f', "duration_ms": {took_ms}, "event_bytes": {size}'
    return (f'{members}, "trace_id": "{begun.trace_id}"' if begun else members), kind


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
    return {"error": {"type": type(error).__name__, "message": masker.text(shown(error))}}


def _refuse_to_leak(error: Exception, masker: Masker) -> None:
    """Cut off causes that hold a secret; raise another error in place of one that holds it itself.

    The platform copies an error's text into its answer and hands it to the failure destination
    (function-compute.md 1.3), and whatever prints a traceback prints those of its causes.
    """
    if not _leaks(error, masker):
        return
    error.__cause__ = None  # which hides the context, too; the log has told of both
    if _leaks(error, masker):
        family = MisconfiguredError if isinstance(error, MisconfiguredError) else TemporaryError
        raise family(masker.text(shown(error)), type=type(error).__name__) from None


def _leaks(error: Exception, masker: Masker) -> bool:
    return any(masker.text(text) != text for text in told_by(error))


def _now() -> int:
    return time.time_ns() // 1_000_000


def _random_bits(count: int) -> int:
    """Draw from the system. The module `random`, or what needs it, takes milliseconds to import."""
    return int.from_bytes(os.urandom((count + 7) // 8), "big") >> -count % 8
