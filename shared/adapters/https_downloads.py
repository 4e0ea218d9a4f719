"""`Downloads` over HTTP. The addresses come from somebody else, and may lead anywhere.

Which host is connected to is decided where the connection is made, for the first address and for every
redirect alike: by its name, then by the addresses that its name has at that moment, one of which is used.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from shared.adapters import file_types
from shared.adapters.http_sessions import HttpSessions, innermost
from shared.adapters.public_addresses import PrivateAddressError, Resolve, public_addresses, resolve
from shared.adapters.retry_after import retry_after_ms
from shared.adapters.senders.limited_runs import LimitedRuns
from shared.downloads import Download, Origins
from shared.errors import (
    DownloadFailedError,
    DownloadRefusedError,
    GoneError,
    StoreUnavailableError,
    TargetUnavailableError,
)
from shared.policy import SECOND
from shared.ports import Clock

if TYPE_CHECKING:
    import requests

    from shared.adapters.checked_transport import CheckedAdapter

_CHUNK = 64 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
_GONE = (403, 404, 410)
_SAY_WHEN = (429, 503)


@dataclass(frozen=True)
class Limits:
    """How much one download may take of disk and time. `idle_ms` is the longest wait for the next bytes."""

    max_bytes: int = 64 * 1024 * 1024
    total_ms: int = 60 * SECOND
    idle_ms: int = 10 * SECOND
    redirects: int = 3


class HttpsDownloads:
    """Fetches from `origins` alone, each file over connections of its own, onto the temporary disk.

    In memory there is never more of a file than one chunk.
    """

    def __init__(
        self,
        runs: LimitedRuns,
        *,
        clock: Clock,
        sessions: HttpSessions,
        origins: Origins,
        limits: Limits | None = None,
        resolve: Resolve = resolve,
        folder: Path | None = None,
    ) -> None:
        self._runs = runs
        self._clock = clock
        self._sessions = sessions
        self._origins = origins
        self._limits = limits or Limits()
        self._resolve = resolve
        self._folder = folder

    @contextmanager
    def download(self, url: str, *, deadline: int) -> Iterator[Download]:
        """See `Downloads.download`. Nothing of the address but its host is in an error."""
        request = _request(url)
        with _spool(self._folder) as spool:
            yield self._fetch(request, spool, limit_ms=deadline - self._clock.now())

    def _fetch(self, request: requests.PreparedRequest, spool: IO[bytes], *, limit_ms: int) -> Download:
        import requests
        import urllib3

        from shared.adapters.checked_transport import CheckedAdapter

        host = _host(request)
        adapter = CheckedAdapter(self._sessions.tls(), addresses=self._addresses)
        work = partial(self._follow, adapter, request, spool)
        try:
            return self._runs.run(host, work, limit_ms=min(limit_ms, self._limits.total_ms))
        except TargetUnavailableError as error:
            reason = error.message
        except PrivateAddressError as error:
            raise DownloadRefusedError(str(error), host=host) from None
        # A `ValueError` is what libraries make of redirects to nowhere and of chunks of less than nothing.
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            reason = f"no whole file came: {innermost(error)}"
        finally:
            # A server that sends a byte now and then would keep the thread for ever.
            adapter.cut()
        # Raised outside of the handler, without a cause: the messages of requests hold the whole address.
        raise DownloadFailedError(reason, host=host)

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        if not self._origins.admit(host, port):
            raise DownloadRefusedError(
                "nothing is fetched from this host: LEDGER_EVIDENCE_HOSTS does not name it",
                host=host,
                port=port,
            )
        return public_addresses(host, port, self._resolve, excepted=self._origins.networks)

    def _follow(
        self, adapter: CheckedAdapter, request: requests.PreparedRequest, spool: IO[bytes]
    ) -> Download:
        with closing(adapter):
            for _ in range(self._limits.redirects + 1):
                with adapter.send(request, stream=True, timeout=self._limits.idle_ms / SECOND) as response:
                    location = response.headers.get("location")
                    if response.status_code not in _REDIRECTS or location is None:
                        self._judge(response, _host(request))
                        return self._kept(response, spool, _host(request))
                request = _request(urljoin(str(request.url), location))
        raise DownloadFailedError(f"more than {self._limits.redirects} redirects", host=_host(request))

    def _judge(self, response: requests.Response, host: str) -> None:
        """Raise what the head of an answer means, unless a file follows that can be taken."""
        status, headers = response.status_code, response.headers
        if status in _GONE:
            raise GoneError(f"answered {status}", host=host)
        if status != 200:
            wait = headers.get("retry-after") if status in _SAY_WHEN else None
            wait_ms = retry_after_ms(wait, now=self._clock.now()) if wait else None
            raise DownloadFailedError(f"answered {status}", retry_after_ms=wait_ms, host=host)
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise DownloadRefusedError("it comes compressed, which nobody asked for", host=host)
        if (response.raw.length_remaining or 0) > self._limits.max_bytes:
            raise self._too_large(host)

    def _kept(self, response: requests.Response, spool: IO[bytes], host: str) -> Download:
        hashed, head, size = hashlib.sha256(), b"", 0
        for chunk in _body(response.raw, host):
            size += len(chunk)
            if size > self._limits.max_bytes:
                raise self._too_large(host)
            head += chunk[: file_types.HEAD - len(head)]
            hashed.update(chunk)
            _write(spool, chunk)
        _write(spool, b"")
        kind = file_types.told_by(head)
        if kind is None:
            # Not refused for ever: it may be the page of a server that is being repaired.
            raise DownloadFailedError(
                "it begins like no picture, video or sound" if size else "it is empty", host=host
            )
        file = Path(spool.name)
        return Download(lambda: file.open("rb"), size, hashed.hexdigest(), kind.content_type, kind.extension)

    def _too_large(self, host: str) -> DownloadRefusedError:
        return DownloadRefusedError(f"it is larger than {self._limits.max_bytes} bytes", host=host)


def _request(url: str) -> requests.PreparedRequest:
    import requests

    # Ended by the server: what comes after the announced length is then seen.
    headers = {"User-Agent": "media-ledger", "Accept-Encoding": "identity", "Connection": "close"}
    try:
        request = requests.Request("GET", url, headers=headers).prepare()
        parts = urlsplit(str(request.url))
    except ValueError:
        raise DownloadRefusedError("this is no address on the web") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DownloadRefusedError("this is no address on the web", scheme=parts.scheme)
    if parts.username is not None:
        raise DownloadRefusedError("an address with a name or password in it", host=parts.hostname)
    return request


def _host(request: requests.PreparedRequest) -> str:
    return urlsplit(str(request.url)).hostname or ""


def _body(raw: Any, host: str) -> Iterator[bytes]:
    """Read a body to its end; raise `DownloadFailedError` when that is not where it was announced."""
    from urllib3.exceptions import ReadTimeoutError

    left = raw.length_remaining
    # Python would stop at the announced length, and what follows would never be seen.
    raw._original_response.length = None
    raw.enforce_content_length = False
    try:
        while left is None or left > 0:
            chunk = raw.read(_CHUNK if left is None else min(_CHUNK, left), decode_content=False)
            if not chunk:
                break
            left = None if left is None else left - len(chunk)
            yield chunk
        if left:
            raise DownloadFailedError("less came than its length said", host=host)
        if raw.read(1, decode_content=False):
            raise DownloadFailedError("more came than its length said", host=host)
    except ReadTimeoutError:
        if left != 0:  # else all has come, and the server leaves the connection open
            raise


def _write(spool: IO[bytes], chunk: bytes) -> None:
    try:
        spool.write(chunk)
        spool.flush()
    except OSError as error:
        raise _no_room(error) from error


@contextmanager
def _spool(folder: Path | None) -> Iterator[IO[bytes]]:
    """Open a file of ours, under no name of anybody else, and remove it in the end."""
    try:
        spool = tempfile.NamedTemporaryFile(prefix="media-ledger-", dir=folder)  # noqa: SIM115  # see below
    except OSError as error:
        raise _no_room(error) from error
    try:
        yield spool
    finally:
        # It removes the file, but first writes what is left to write: a full disk fails once more.
        with suppress(OSError):
            spool.close()


def _no_room(error: OSError) -> StoreUnavailableError:
    return StoreUnavailableError(f"the temporary disk cannot be written to: {error.strerror}")
