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
from json.encoder import encode_basestring_ascii as _quoted

from shared.toolkit import tracing
from shared.toolkit.context import InvocationContext
from shared.toolkit.debug_lines import current_kept
from shared.toolkit.errors import MisconfiguredError, PermanentError, TemporaryError
from shared.toolkit.json_text import JsonText
from shared.toolkit.log_output import configure_logging, configured_formatter, lines_to_keep, write_kept_lines
from shared.toolkit.logger import bind_invocation, log_failure
from shared.toolkit.metrics import Collected

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Token
    from typing import Any, TypeAlias, TypeVar, overload

    from shared.toolkit.debug_lines import DebugLines, KeptLines
    from shared.toolkit.masking import Masker

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
            started = now()
            formatter = configured_formatter() or configure_logging(level=level, masker=masker, debug=debug)
            cold = first_call.acquire(blocking=False)
            with _Wiring(event, raw_context, cold_start=cold, draw=bits) as wiring:
                outcome, failure = "ok", None
                try:
                    context = InvocationContext.of(raw_context, started_ms=started, environ=variables)
                    formatter.mask_also(context.secrets)
                    return handle(parse(event) if parse else event, context)
                except BaseException as error:
                    outcome, failure = _outcome_of(error), error
                    _tell_of(error, formatter.masker)
                    if isinstance(error, PermanentError):
                        return _refusal(error, formatter.masker)
                    raise
                finally:
                    # A clock may be set back.
                    wiring.write_last_line(outcome, failure, max(0, now() - started))

        return entry

    return decorate


class _Wiring:
    """What belongs to one invocation alone, set up before anything can fail.

    A class, as every invocation pays for it: a generator would cost twice.
    """

    __slots__ = (
        *("_binding", "_collected", "_event_bytes", "_kept", "_keys", "_outer_kept"),
        *("_trace", "_tracing"),
    )

    def __init__(
        self, event: object, raw_context: object, *, cold_start: bool, draw: Callable[[int], int]
    ) -> None:
        # Before anything is looked at more closely: a broken context is to be logged, too.
        function = str(getattr(getattr(raw_context, "function", None), "name", ""))
        self._keys: dict[str, object] = {
            "request_id": str(getattr(raw_context, "request_id", "")),
            "function": function,
            "cold_start": cold_start,
        }
        # Who calls the function by other means may hand in anything: that is to be logged, too.
        carrier = tracing.carrier_of(event) if isinstance(event, bytes) else None
        self._tracing = tracing.invocation(carrier, function=function, draw=draw)
        self._kept: KeptLines | None = lines_to_keep(draw)
        self._collected = Collected()
        self._event_bytes = len(event) if isinstance(event, bytes) else 0

    def __enter__(self) -> _Wiring:
        # First the trace: OpenTelemetry may fail, what follows cannot.
        self._trace = self._tracing.__enter__()
        if self._trace.known:
            self._keys["trace_id"] = self._trace.known.trace_id
        if self._kept and self._kept.sampled:
            self._keys["sampled"] = True
        self._outer_kept: Token[KeptLines | None] = current_kept.set(self._kept)
        self._binding = bind_invocation(self._keys)
        self._binding.__enter__()
        self._collected.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._collected.__exit__()
        self._binding.__exit__(*error)
        current_kept.reset(self._outer_kept)
        self._tracing.__exit__(*error)

    def write_last_line(self, outcome: str, error: BaseException | None, took_ms: int) -> None:
        """Write how it ended, with the metrics, and the trace if one was begun on the way."""
        kind = _quoted(type(error).__name__) if error else ""
        ending = f', "outcome": "{outcome}"' + (f', "error_type": {kind}' if kind else "")
        ending += f', "duration_ms": {took_ms}, "event_bytes": {self._event_bytes}'
        if self._trace.known and "trace_id" not in self._keys:
            ending += f', "trace_id": "{self._trace.known.trace_id}"'
        self._collected.write("invocation finished", JsonText(ending, kind))


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
