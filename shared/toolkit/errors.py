"""The three families of failure that a function can meet, and nothing else.

FunctionError
├── TemporaryError       let it out, or reschedule: the platform or a timer tries again
├── PermanentError       about the input: record it, answer success, never retry
└── MisconfiguredError   about us: key, permission, region, setting, clock
"""

from __future__ import annotations


class FunctionError(Exception):
    """Root of the families. `details` is what a person needs; it is logged, so never a secret."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, object] = {k: v for k, v in details.items() if v is not None}

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.details.items())
        return f"{self.message} ({told})" if told else self.message


class TemporaryError(FunctionError):
    """It may work later. `retry_after_ms` is the other side's own wish, where it told one."""

    def __init__(self, message: str, *, retry_after_ms: int | None = None, **details: object) -> None:
        super().__init__(message, **details)
        self.retry_after_ms = retry_after_ms


class PermanentError(FunctionError):
    """It is about this input and will not change by trying again."""


class MisconfiguredError(FunctionError):
    """It is about our own setup: no input is to blame, and every further try will fail alike."""
