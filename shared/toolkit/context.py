"""One typed view over the two shapes in which Function Compute hands the context over."""

from __future__ import annotations

import logging
from types import SimpleNamespace

from shared.toolkit.errors import MisconfiguredError

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final, Literal


class Credentials:
    """Temporary keys of the function's role, valid for 36 hours; never shown by `repr`."""

    # By hand: `dataclasses` would take 5 ms to import, and a tuple shows its items where it is logged.
    __slots__ = ("access_key_id", "access_key_secret", "security_token")

    def __init__(self, access_key_id: str, access_key_secret: str, security_token: str | None = None) -> None:
        self.access_key_id: Final = access_key_id
        self.access_key_secret: Final = access_key_secret
        self.security_token: Final = security_token

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Credentials) and self._all() == other._all()

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return f"Credentials(access_key_id={self.access_key_id!r})"

    def _all(self) -> tuple[str, str, str | None]:
        return self.access_key_id, self.access_key_secret, self.security_token


class InvocationContext:
    """What a function may know of its present invocation.

    `started_ms` and everything derived from it are epoch milliseconds, UTC. What the platform left
    out is None, or empty text for what every log line carries. A member is read when it is asked for:
    most invocations ask for two or three.
    """

    __slots__ = ("_environ", "_function", "_raw", "started_ms", "timeout_s")

    def __init__(self, raw: object, started_ms: int, environ: Mapping[str, str]) -> None:
        self._raw = raw
        self._environ = environ
        self._function: object = getattr(raw, "function", None)
        self.started_ms: Final = started_ms
        self.timeout_s: Final = _timeout(self._function)

    @classmethod
    def of(cls, raw: object, *, started_ms: int, environ: Mapping[str, str]) -> InvocationContext:
        """Read the platform's context object, whichever runtime made it.

        Up to Python 3.10 it has `credentials` and `service`; on 3.12 it has neither: log fields stand
        at its top, keys in the environment (function-compute.md 1.4). Raise `MisconfiguredError`
        when it does not tell the timeout: no deadline could be kept then.
        """
        return cls(raw, started_ms, environ)

    @property
    def request_id(self) -> str:
        """Name the invocation; a retry of an asynchronous one has the same name."""
        return _text(self._raw, "request_id") or _text(self._raw, "requestId") or ""

    @property
    def function_name(self) -> str:
        """Name the function."""
        return _text(self._function, "name") or ""

    @property
    def handler(self) -> str:
        """Name the entry point, as the function's configuration does."""
        return _text(self._function, "handler") or ""

    @property
    def memory_mb(self) -> int | None:
        """Tell how much memory the function is given."""
        return _number(self._function, "memory")

    @property
    def region(self) -> str | None:
        """Name the region."""
        return _text(self._raw, "region")

    @property
    def account_id(self) -> str | None:
        """Name the account that owns the function."""
        return _text(self._raw, "account_id")

    @property
    def version(self) -> str | None:
        """Name the published version that runs."""
        return self._of_function_or_service("version_id")

    @property
    def qualifier(self) -> str | None:
        """Name the version or alias that was called."""
        return self._of_function_or_service("qualifier")

    @property
    def log_project(self) -> str | None:
        """Name the project of the function's log."""
        return _text(self._raw, "log_project") or _text(self._service, "log_project")

    @property
    def log_store(self) -> str | None:
        """Name the store of the function's log, in its project."""
        return _text(self._raw, "log_store") or _text(self._service, "log_store")

    @property
    def credentials(self) -> Credentials | None:
        """Give the keys of the function's role; None when it has no role."""
        return _given_keys(getattr(self._raw, "credentials", None)) or _keys_of(self._environ)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Give the values that no log line may show."""
        given = getattr(self._raw, "credentials", None)
        # Without making `Credentials`: this is read in every invocation.
        secret, token = getattr(given, "access_key_secret", None), getattr(given, "security_token", None)
        if not secret:
            keys = self.credentials
            secret, token = (keys.access_key_secret, keys.security_token) if keys else (None, None)
        if not secret:
            return ()
        return (str(secret), str(token)) if token else (str(secret),)

    @property
    def deadline_ms(self) -> int:
        """Tell when the platform ends this invocation."""
        return self.started_ms + self.timeout_s * 1000

    def remaining_ms(self, now_ms: int) -> int:
        """Tell how much time is left; 0 when the deadline has passed."""
        return max(0, self.deadline_ms - now_ms)

    def __repr__(self) -> str:
        return f"<InvocationContext {self.request_id} of {self.function_name}>"

    @property
    def _service(self) -> object:
        return getattr(self._raw, "service", None)

    def _of_function_or_service(self, name: str) -> str | None:
        return _text(self._function, name) or _text(self._service, name)


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


def _given_keys(given: object) -> Credentials | None:
    key = _text(given, "access_key_id")
    secret = _text(given, "access_key_secret") if key else None
    return Credentials(key, secret, _text(given, "security_token")) if key and secret else None


def _keys_of(environ: Mapping[str, str]) -> Credentials | None:
    key = environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID")
    secret = environ.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET") if key else None
    token = environ.get("ALIBABA_CLOUD_SECURITY_TOKEN") if secret else None
    return Credentials(key, secret, token or None) if key and secret else None


def _text(raw: object, name: str) -> str | None:
    value = getattr(raw, name, None)
    if value is None or isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _number(raw: object, name: str) -> int | None:
    text = _text(raw, name)
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 9 else None
