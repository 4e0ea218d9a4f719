"""One execution of a function, and what came of it: the same for every way to invoke one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from localcloud.runner import InvocationError, TooManyInstancesError

Function = Callable[[bytes], object]
Resolve = Callable[[str], Function]
"""Gives the function of a name; raises `LookupError` for one that does not exist."""

UNHANDLED = "UnhandledInvocationError"


@dataclass(frozen=True)
class Outcome:
    """What an execution ended with. `error_type` is None for success; `reason` is for people."""

    body: bytes
    error_type: str | None = None
    reason: str = ""


def execute(function: Function, event: bytes) -> Outcome:
    """Execute once; raise `TooManyInstancesError` when the function takes no more calls now.

    Whatever else it raises is its failure, and a success of the invocation (function-compute.md 1.3).
    """
    try:
        result = function(event)
    except TooManyInstancesError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return Outcome(_envelope(error), UNHANDLED, reason)
    return Outcome(result if isinstance(result, bytes) else json.dumps(result).encode())


def new_request_id(draw: random.Random) -> str:
    """Draw an id in the form of FC 3.0 (function-compute.md 2.2)."""
    return f"1-{draw.getrandbits(32):08x}-{draw.getrandbits(96):024x}"


def _envelope(error: Exception) -> bytes:
    if isinstance(error, InvocationError):
        return error.body
    told = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
    return json.dumps(told, indent=4, sort_keys=True).encode()
