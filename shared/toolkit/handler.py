"""The decorator around every entry point, and the one place where error families meet the platform.

What becomes of an error:

    TemporaryError, unknown   logged at ERROR, let out: the platform tries an asynchronous call again
    PermanentError            logged at WARNING, answered {"error": ...}: trying again cannot help
    MisconfiguredError        logged at CRITICAL as `misconfigured`, let out: nothing may be dropped
"""

from __future__ import annotations

import functools
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping

from shared.toolkit.context import InvocationContext
from shared.toolkit.errors import MisconfiguredError, PermanentError, TemporaryError
from shared.toolkit.logger import bind_invocation, configure_logging, configured_formatter, log_failure
from shared.toolkit.masking import Masker

Handle = Callable[[bytes, InvocationContext], object]
Entry = Callable[[bytes, object], object]

_log = logging.getLogger("toolkit.handler")


def function_handler(
    *,
    level: int | str = logging.INFO,
    masker: Masker | None = None,
    clock: Callable[[], int] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Callable[[Handle], Entry]:
    """Turn `handle(event, context)` into an entry point of Function Compute.

    Logging is configured by the first call, unless `configure_logging` was called before; the keys
    of the function's role become secrets of the log. `clock` gives epoch milliseconds. What
    `handle` answers is passed on as it is and never logged.
    """
    now = clock or _now

    def decorate(handle: Handle) -> Entry:
        # Taken once and never given back: by the first call of this instance, also among threads.
        first_call = threading.Lock()

        @functools.wraps(handle)
        def entry(event: bytes, raw_context: object) -> object:
            started = now()
            formatter = configured_formatter() or configure_logging(level=level, masker=masker)
            cold = first_call.acquire(blocking=False)
            with bind_invocation(**_names(raw_context), cold_start=cold):
                try:
                    context = InvocationContext.of(
                        raw_context, started_ms=started, environ=os.environ if environ is None else environ
                    )
                    formatter.mask_also(context.secrets)
                    _log.info("invocation started", extra={"event_bytes": len(event)})
                    answer = handle(event, context)
                except PermanentError as error:
                    log_failure(_log, "invocation failed", error, duration_ms=now() - started)
                    return _refusal(error, formatter.masker)
                except Exception as error:
                    log_failure(_log, "invocation failed", error, duration_ms=now() - started)
                    _refuse_to_leak(error, formatter.masker)
                    raise
                _log.info("invocation finished", extra={"duration_ms": now() - started})
                return answer

        return entry

    return decorate


def _names(raw_context: object) -> dict[str, str]:
    """Read what identifies the call before anything else: a broken context is to be logged, too."""
    function = getattr(raw_context, "function", None)
    return {
        "request_id": str(getattr(raw_context, "request_id", "")),
        "function": str(getattr(function, "name", "")),
    }


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
