"""One instance of Tablestore, called through the vendor's SDK within the time that is left.

The SDK's own ways are not ours: it tries again 20 times, for half a minute, with the signature of the
first try, and has one timeout for its whole life (local-servers.md 2.4).
"""

from __future__ import annotations

import random
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from shared.adapters.aliyun import tablestore_errors
from shared.adapters.aliyun.tablestore_errors import Failure, Fate
from shared.adapters.aliyun.tablestore_sdk import load_sdk
from shared.errors import FunctionError, StoreUnavailableError
from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    from shared.ports import Clock

T = TypeVar("T")

_FIRST_WAIT_MS = 50
_LONGEST_WAIT_MS = 2_000
# As many as LEDGER_WORKERS threads can use, of which each puts two rows beside each other.
_KEPT_CONNECTIONS = 128


@dataclass(frozen=True)
class Patience:
    """How long a connection, the next bytes, and a call with all its tries may take."""

    connect_ms: int = 2_000
    read_ms: int = 5_000
    call_ms: int = 15_000


class TablestoreInstance:
    """Calls an instance at `endpoint` (`https://host`) with signature V4 and the credentials of the moment.

    `remaining_ms` tells how much time the present invocation has left; it bounds every call, whatever
    `patience` says. `prefix` stands before the name of every table and index. `random` draws the waits
    between tries, `tls` gives the context of its connections. Nothing is loaded or opened before the first
    call.
    """

    def __init__(
        self,
        name: str,
        *,
        endpoint: str,
        region: str,
        credentials: Callable[[], Credentials],
        clock: Clock,
        random: random.Random,
        remaining_ms: Callable[[], int],
        prefix: str = "",
        patience: Patience | None = None,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self.name = name
        self.prefix = prefix
        self._endpoint = endpoint.rstrip("/")
        self._region = region
        self._credentials = credentials
        self._clock = clock
        self._random = random
        self._remaining_ms = remaining_ms
        self._patience = patience or Patience()
        self._tls = tls
        self._opening = threading.Lock()
        self._client: Any = None

    def read(self, send: Callable[[Any], T], *, table: str | None = None) -> T:
        """Give what `send` gets from the SDK's client, trying again as long as there is time."""
        tries = self.tries()
        while True:
            try:
                return send(self.client())
            except Exception as error:
                failure = failure_of(error)
            if failure.fate is Fate.NEVER or not tries.wait():
                raise failure.error(instance=self.name, table=table)

    def write(self, send: Callable[[Any], object], *, table: str, happens_once: bool) -> bool:
        """Have `send` write one row on a condition; tell whether the condition held.

        A write in doubt is tried again when it `happens_once`: when its condition fails as soon as it has
        happened. If the condition fails then, the row may have been written by the first try or by
        somebody else: that stays in doubt.
        """
        tries, in_doubt = self.tries(), False
        while True:
            try:
                send(self.client())
                return True
            except Exception as error:
                failure = failure_of(error)
            if failure.fate is Fate.LOST and not in_doubt:
                return False
            in_doubt = in_doubt or failure.fate is Fate.DOUBT
            may_try = failure.fate is Fate.AGAIN or (failure.fate is Fate.DOUBT and happens_once)
            if not may_try or not tries.wait():
                raise failure.error(instance=self.name, table=table, in_doubt=in_doubt)

    def tries(self) -> Tries:
        """Begin a call; raise `StoreUnavailableError` when the invocation is over."""
        left = min(self._patience.call_ms, self._remaining_ms())
        if left <= 0:
            raise StoreUnavailableError("no time left to ask Tablestore", instance=self.name)
        return Tries(self._clock, self._random, deadline=self._clock.now() + left)

    def client(self) -> Any:
        """Give the SDK's client, which is made by the first call."""
        with self._opening:
            if self._client is None:
                self._client = self._new_client()
            return self._client

    def close(self) -> None:
        """Close the kept connections; a later call opens new ones."""
        with self._opening:
            client, self._client = self._client, None
        if client is not None:
            client.connection.close()

    def _new_client(self) -> Any:
        sdk = load_sdk()
        client = sdk.OTSClient(
            self._endpoint,
            instance_name=self.name,
            region=self._region,
            credentials_provider=_Provider(self._credentials),
            retry_policy=sdk.retry.NoRetryPolicy(),
        )
        # Making a context takes 16 ms and more (cold-start.md): none where nobody needs it.
        context = self._tls() if self._endpoint.startswith("https:") else None
        client.connection = _Connections(self._endpoint, self._patience, self._remaining_ms, context=context)
        return client


class Tries:
    """The tries of one call, until its deadline."""

    def __init__(self, clock: Clock, random: random.Random, *, deadline: int) -> None:
        self._clock = clock
        self._random = random
        self._deadline = deadline
        self._longest_ms = _FIRST_WAIT_MS

    def wait(self) -> bool:
        """Wait, at random between half and whole of a doubling time; False at once when none is left."""
        wait = int(self._longest_ms * self._random.uniform(0.5, 1.0))
        if self._clock.now() + wait >= self._deadline:
            return False
        self._longest_ms = min(2 * self._longest_ms, _LONGEST_WAIT_MS)
        self._clock.sleep(wait)
        return True


def failure_of(error: Exception) -> Failure:
    """Read what the SDK or its connection raised; any other error is raised as it is."""
    import urllib3.exceptions as http
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # no types

    sdk = load_sdk()
    if isinstance(error, FunctionError):
        raise error
    if isinstance(error, sdk.OTSServiceError):
        return tablestore_errors.refused(error.http_status, error.code, error.message, error.request_id)
    if isinstance(error, sdk.OTSClientError):
        return tablestore_errors.unreadable(error.http_status, error.message)
    if isinstance(error, (http.NewConnectionError, http.ConnectTimeoutError, http.SSLError)):
        return tablestore_errors.unsent(type(error).__name__)
    if isinstance(error, (http.HTTPError, DecodeError)):
        return tablestore_errors.unanswered(type(error).__name__)
    raise error


class _Provider:
    """Credentials as the SDK asks for them: anew for every request, so that none is too old."""

    def __init__(self, credentials: Callable[[], Credentials]) -> None:
        self._credentials = credentials

    def get_credentials(self) -> Any:
        now = self._credentials()
        return load_sdk().credentials.Credentials(
            now.access_key_id, now.access_key_secret, now.security_token
        )


class _Connections:
    """Sends what the SDK made and signed; stands in the place of the SDK's own pool."""

    def __init__(
        self,
        endpoint: str,
        patience: Patience,
        remaining_ms: Callable[[], int],
        *,
        context: ssl.SSLContext | None,
    ) -> None:
        import urllib3

        self._patience = patience
        self._remaining_ms = remaining_ms
        secure = {"ssl_context": context} if context else {}
        self._pool = urllib3.connection_from_url(endpoint, maxsize=_KEPT_CONNECTIONS, **secure)

    def send_receive(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str | None, dict[str, str], bytes]:
        import urllib3

        left = max(1, self._remaining_ms())
        answer = self._pool.urlopen(
            "POST",
            path,
            body=body,
            headers=headers,
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(
                connect=min(self._patience.connect_ms, left) / 1000,
                read=min(self._patience.read_ms, left) / 1000,
            ),
        )
        return answer.status, answer.reason, dict(answer.headers), answer.data

    def close(self) -> None:
        self._pool.close()
