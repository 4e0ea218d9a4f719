"""One typed view over the two shapes in which Function Compute hands the context over."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Literal

from shared.toolkit.errors import MisconfiguredError


@dataclass(frozen=True)
class Credentials:
    """Temporary keys of the function's role, valid for 36 hours; never shown by `repr`."""

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class InvocationContext:
    """What a function may know of its present invocation.

    `started_ms` and everything derived from it are epoch milliseconds, UTC. What the platform left
    out is None, or empty text for what every log line carries.
    """

    request_id: str
    function_name: str
    handler: str
    timeout_s: int
    started_ms: int
    memory_mb: int | None = None
    region: str | None = None
    account_id: str | None = None
    version: str | None = None
    qualifier: str | None = None
    log_project: str | None = None
    log_store: str | None = None
    credentials: Credentials | None = field(default=None, repr=False)

    @classmethod
    def of(cls, raw: object, *, started_ms: int, environ: Mapping[str, str]) -> InvocationContext:
        """Read the platform's context object, whichever runtime made it.

        Up to Python 3.10 it has `credentials` and `service`; on 3.12 it has neither: log fields stand
        at its top, keys in the environment (function-compute.md 1.4). Raise `MisconfiguredError`
        when it does not tell the timeout: no deadline could be kept then.
        """
        function, service = _member(raw, "function"), _member(raw, "service")
        return cls(
            request_id=_text(raw, "request_id") or _text(raw, "requestId") or "",
            function_name=_text(function, "name") or "",
            handler=_text(function, "handler") or "",
            timeout_s=_timeout(function),
            started_ms=started_ms,
            memory_mb=_number(function, "memory"),
            region=_text(raw, "region"),
            account_id=_text(raw, "account_id"),
            version=_text(function, "version_id") or _text(service, "version_id"),
            qualifier=_text(function, "qualifier") or _text(service, "qualifier"),
            log_project=_text(raw, "log_project") or _text(service, "log_project"),
            log_store=_text(raw, "log_store") or _text(service, "log_store"),
            credentials=_credentials(raw, environ),
        )

    @property
    def deadline_ms(self) -> int:
        """Tell when the platform ends this invocation."""
        return self.started_ms + self.timeout_s * 1000

    @property
    def secrets(self) -> tuple[str, ...]:
        """Give the values that no log line may show."""
        keys = self.credentials
        return tuple(filter(None, (keys.access_key_secret, keys.security_token))) if keys else ()

    def remaining_ms(self, now_ms: int) -> int:
        """Tell how much time is left; 0 when the deadline has passed."""
        return max(0, self.deadline_ms - now_ms)


def fake_context(
    *,
    shape: Literal["3.10", "3.12"] = "3.10",
    request_id: str = "1-00000000-fake-context",
    function_name: str = "local",
    handler: str = "index.handler",
    memory_mb: int = 512,
    timeout_s: int = 60,
    region: str = "cn-shanghai",
    account_id: str = "1000000000000001",
    credentials: Credentials | None = None,
) -> object:
    """Make the object that a runtime of that version would pass, for tests and local runners.

    The shape of 3.10 carries `credentials`, or empty ones; the shape of 3.12 has no place for them.
    """
    logs = {"log_project": "", "log_store": ""}
    version = {"version_id": "", "qualifier": "LATEST"}
    function = {"name": function_name, "handler": handler, "memory": memory_mb}
    fields = {
        "request_id": request_id,
        "region": region,
        "account_id": account_id,
        "getLogger": logging.getLogger,
    }
    if shape == "3.12":
        meta = SimpleNamespace(**function, **version, timeout=timeout_s)
        return SimpleNamespace(**fields, **logs, function=meta, logger=None)
    keys = credentials or Credentials("", "", "")
    return SimpleNamespace(
        **fields,
        # The timeout arrives as the text of a header (function-compute.md 1.4).
        function=SimpleNamespace(**function, timeout=str(timeout_s)),
        service=SimpleNamespace(**logs, **version),
        credentials=SimpleNamespace(
            access_key_id=keys.access_key_id,
            access_key_secret=keys.access_key_secret,
            security_token=keys.security_token,
        ),
    )


def _timeout(function: object) -> int:
    timeout = _number(function, "timeout")
    if timeout is None or timeout <= 0:
        raise MisconfiguredError("the context does not tell the function's timeout in seconds")
    return timeout


def _credentials(raw: object, environ: Mapping[str, str]) -> Credentials | None:
    given = _member(raw, "credentials")
    key, secret = _text(given, "access_key_id"), _text(given, "access_key_secret")
    if key and secret:
        return Credentials(key, secret, _text(given, "security_token"))
    key = environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID")
    secret = environ.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    if key and secret:
        return Credentials(key, secret, environ.get("ALIBABA_CLOUD_SECURITY_TOKEN") or None)
    return None


def _member(raw: object, name: str) -> object:
    return getattr(raw, name, None)


def _text(raw: object, name: str) -> str | None:
    value = getattr(raw, name, None)
    if value is None or isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _number(raw: object, name: str) -> int | None:
    text = _text(raw, name)
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 9 else None
