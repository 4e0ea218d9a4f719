"""The vendor's client for OSS with our own patience: within the time that is left, never longer.

The client's retries know no deadline, so each of its calls is one try, and trying again is done here.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from shared.adapters.aliyun.oss_errors import Failure, damaged, read_answer, refused, unanswered
from shared.errors import (
    FunctionError,
    OutcomeUnknownError,
    SettingError,
    StoreUnavailableError,
    TemporaryError,
)
from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    import requests

    from shared.ports import Clock

T = TypeVar("T")


@dataclass(frozen=True)
class OssPatience:
    """How long a connection and the next bytes may take, how often a call is tried, and the waits between."""

    connect_ms: int = 5_000
    read_ms: int = 10_000
    tries: int = 4
    first_wait_ms: int = 100
    longest_wait_ms: int = 2_000


@dataclass(frozen=True)
class OssPlace:
    """A region, and how it is reached. `endpoint` stands instead of the region's own addresses."""

    region: str
    endpoint: str | None = None
    is_internal: bool = False
    """Whether we are inside that region: traffic is free there."""


class OssClient:
    """Calls OSS in one region, with the credentials of the moment; safe with threads.

    `deadline` tells until when, in epoch milliseconds, a call may take. `open_session` opens the
    connections, for the life of this object, when the first call is made.
    """

    def __init__(
        self,
        place: OssPlace,
        *,
        credentials: Callable[[], Credentials],
        clock: Clock,
        random: random.Random,
        deadline: Callable[[], int],
        open_session: Callable[[], requests.Session],
        patience: OssPatience | None = None,
    ) -> None:
        self._place = place
        self._credentials = credentials
        self._clock = clock
        self._random = random
        self._deadline = deadline
        self._open_session = open_session
        self._patience = patience or OssPatience()
        self._opened: tuple[Any, requests.Session] | None = None
        self._opening = threading.Lock()

    def run(self, once: Callable[[Any], T], *, key: str, writes: bool = False) -> T:
        """Give the vendor's client to `once`, again on what is temporary as long as there is time.

        With `writes` a failure after which the write may be done is an `OutcomeUnknownError`.
        """
        may_have_happened, tries = False, 1
        while isinstance(ended := self._try(once, key), Failure):
            may_have_happened |= ended.may_have_happened
            wait = self._wait_after(tries)
            may_pass = isinstance(ended.error, TemporaryError) and tries < self._patience.tries
            if not may_pass or self.left_ms() <= wait:
                raise _unknown(ended.error) if writes and may_have_happened else ended.error
            self._clock.sleep(wait)
            tries += 1
        return ended

    def new_id(self) -> str:
        """Draw an id for one write, by which it can be recognised."""
        return f"{self._random.getrandbits(64):016x}"

    def left_ms(self) -> int:
        """Tell how much time is left."""
        return self._deadline() - self._clock.now()

    def close(self) -> None:
        """Close the kept connections; a later call opens new ones."""
        with self._opening:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened[1].close()

    def _try(self, once: Callable[[Any], T], key: str) -> T | Failure:
        if self.left_ms() <= 0:
            return Failure(StoreUnavailableError("no time left to ask OSS", key=key))
        client = self._client()
        from alibabacloud_oss_v2.exceptions import OperationError

        try:
            return once(client)
        except FunctionError as error:
            return Failure(error)
        except OperationError as error:
            failed = error.unwrap()
        # Read outside of the handler: the client's messages hold whole URLs, and would be the context
        # of whatever is raised.
        return _read(failed, key)

    def _wait_after(self, tries: int) -> int:
        """Double the wait with every try, at random between half and whole."""
        longest = min(self._patience.first_wait_ms * 2 ** (tries - 1), self._patience.longest_wait_ms)
        return int(longest * self._random.uniform(0.5, 1.0))

    def _client(self) -> Any:
        with self._opening:
            if self._opened is None:
                session = self._open_session()
                self._opened = self._new_client(session), session
            return self._opened[0]

    def _new_client(self, session: requests.Session) -> Any:
        import alibabacloud_oss_v2 as oss
        from alibabacloud_oss_v2.credentials import CredentialsProviderFunc
        from alibabacloud_oss_v2.transport import RequestsHttpClient

        def credentials() -> oss.Credentials:
            held = self._credentials()
            return oss.Credentials(held.access_key_id, held.access_key_secret, held.security_token)

        return oss.Client(
            oss.Config(
                region=self._place.region,
                endpoint=self._place.endpoint,
                use_internal_endpoint=self._place.is_internal,
                signature_version="v4",
                credentials_provider=CredentialsProviderFunc(credentials),
                http_client=_TimedTransport(
                    RequestsHttpClient(session=session), self.left_ms, self._patience
                ),
                retry_max_attempts=1,
                # Whoever puts compares for itself, without making a table for every object (oss_checksums).
                disable_upload_crc64_check=True,
                user_agent="media-ledger",
            )
        )


class _TimedTransport:
    """The transport of the vendor's client, with no more time for a request than is left."""

    def __init__(self, inner: Any, left_ms: Callable[[], int], patience: OssPatience) -> None:
        self._inner = inner
        self._left_ms = left_ms
        self._patience = patience

    def send(self, request: object, **options: Any) -> Any:
        """Send a request with time limits of its own; raise `SettingError` when no OSS answers."""
        left = max(1, self._left_ms())
        answer = self._inner.send(
            request,
            **options,
            connect_timeout=min(self._patience.connect_ms, left) / 1000,
            readwrite_timeout=min(self._patience.read_ms, left) / 1000,
        )
        # OSS names every request that it answers. Whatever stands before it may fail without; but a success
        # without would be taken for an object, or for one that was stored.
        if "x-oss-request-id" not in answer.headers and answer.status_code < 500:
            answer.close()
            raise SettingError("what answers there is not OSS: check the endpoint", status=answer.status_code)
        return answer


def _unknown(error: FunctionError) -> FunctionError:
    """Turn an error that says nothing was written into one that leaves it open."""
    if not isinstance(error, StoreUnavailableError):
        return error
    return OutcomeUnknownError(error.message, retry_after_ms=error.retry_after_ms, **error.details)


def _read(failed: Exception, key: str) -> Failure:
    """Tell what a failure of the vendor's client means; raise what is none of them."""
    from alibabacloud_oss_v2 import exceptions

    if isinstance(failed, FunctionError):
        return Failure(failed)
    if isinstance(failed, exceptions.ServiceError):
        in_header = failed.headers.get("x-oss-err", "")
        return refused(read_answer(failed.status_code, failed.snapshot, in_header=in_header), key=key)
    if isinstance(failed, exceptions.RequestError | exceptions.ResponseError):
        cause = failed.unwrap()
        return unanswered(type(cause).__name__, key=key, was_sent=not _never_connected(cause))
    if isinstance(failed, exceptions.InconsistentError):
        return Failure(damaged("the checksum of what was written differs", key=key), may_have_happened=True)
    if isinstance(failed, exceptions.CredentialsFetchError):
        cause = failed.kwargs["error"]
        if isinstance(cause, FunctionError):
            return Failure(cause)
        return unanswered(f"credentials: {type(cause).__name__}", key=key, was_sent=False)
    if isinstance(failed, exceptions.BaseError):
        # The client refuses by itself: no bucket has such a name, no region such an endpoint.
        return Failure(SettingError(f"OSS cannot be asked: {failed}", key=key))
    raise failed


def _never_connected(error: object) -> bool:
    """Tell whether nothing of a request can have arrived."""
    import requests
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    inner = error.args[0] if isinstance(error, requests.RequestException) and error.args else None
    reason = getattr(inner, "reason", inner)
    return isinstance(error, requests.ConnectTimeout) or isinstance(
        reason, NewConnectionError | ConnectTimeoutError
    )
