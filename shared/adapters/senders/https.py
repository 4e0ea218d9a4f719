"""`EventSender` for web servers: one signed POST over a connection of its own.

A connection is not kept for the next event: instances are frozen between invocations, and one that the
target closed in the meantime would look like a target that is away.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from shared.adapters import public_addresses
from shared.adapters.http_sessions import innermost
from shared.adapters.public_addresses import PrivateAddressError, Resolve
from shared.adapters.retry_after import retry_after_ms
from shared.adapters.senders.limited_runs import LimitedRuns
from shared.delivery import signature
from shared.delivery.event import CONTENT_TYPE
from shared.delivery.targets import Dispatch, Target
from shared.errors import SettingError, TargetRefusedError, TargetUnavailableError
from shared.ports import Clock
from shared.toolkit import tracing
from shared.toolkit.masking import Masker

if TYPE_CHECKING:
    import ssl

    import requests

    from shared.adapters.checked_transport import CheckedAdapter

_GONE = 410
_SAY_WHEN = (429, 503)
_EXCERPT_BYTES = 2_048
_EXCERPT = 200
_SHORTEST_SECRET = 8  # shorter ones are words, and masking them would garble every reason


@dataclass(frozen=True)
class Answer:
    """What a server answered. `excerpt` is what stands at the beginning of a refusal."""

    status: int
    retry_after: str | None = None
    excerpt: str = ""


class HttpsSender:
    """Signs with the keys of the target, as `shared.delivery.signature` does; never follows a redirect.

    `ca_bundle` is a file of certificates to trust instead of those that `requests` brings.
    """

    def __init__(
        self,
        runs: LimitedRuns,
        *,
        clock: Clock,
        keys: Mapping[str, Sequence[str]],
        resolve: Resolve = public_addresses.resolve,
        ca_bundle: Path | None = None,
    ) -> None:
        self._runs = runs
        self._clock = clock
        self._keys = keys
        self._resolve = resolve
        self._ca_bundle = ca_bundle
        self._context: ssl.SSLContext | None = None
        self._opening = threading.Lock()

    def send(self, target: Target, dispatch: Dispatch, *, deadline: int) -> None:
        """See `EventSender.send`. Nothing of the URL but its host is in an error."""
        import requests
        import urllib3

        keys = self._keys.get(target.name)
        if not keys:
            raise SettingError(f"LEDGER_DELIVERY_KEYS: target {target.name!r} has no key to sign with")
        now = self._clock.now()
        limit_ms = min(target.timeout_ms, deadline - now)
        try:
            request = _request(target, dispatch, signature.sign(dispatch.body, keys=keys, now=now))
            answer = self._exchange(target, request, limit_ms=limit_ms)
        except PrivateAddressError as error:
            raise TargetRefusedError(
                f"{error}: only a target with private_addresses may have others", target=target.name
            ) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            reason = f"no answer from {urlsplit(target.url).hostname}: {innermost(error)}"
        else:
            _judge(answer, target, now=now, masker=_masker(target, keys))
            return
        # Raised outside of the handler, without a cause: the messages of requests hold the whole URL.
        raise TargetUnavailableError(reason, target=target.name)

    def _exchange(self, target: Target, request: requests.PreparedRequest, *, limit_ms: int) -> Answer:
        from shared.adapters.checked_transport import CheckedAdapter

        public = partial(public_addresses.public_addresses, resolve=self._resolve)
        adapter = CheckedAdapter(self._tls(), addresses=self._resolve if target.allows_private else public)
        work = partial(_post, adapter, request, limit_ms=limit_ms)
        try:
            return self._runs.run(target.name, work, limit_ms=limit_ms)
        finally:
            # A server that sends a byte now and then would keep the thread for ever.
            adapter.cut()

    def _tls(self) -> ssl.SSLContext:
        """Make the context once: reading the certificates takes 30 ms."""
        import ssl

        from requests.utils import DEFAULT_CA_BUNDLE_PATH

        with self._opening:
            if self._context is None:
                self._context = ssl.create_default_context(cafile=self._ca_bundle or DEFAULT_CA_BUNDLE_PATH)
            return self._context


def _request(target: Target, dispatch: Dispatch, signed: Mapping[str, str]) -> requests.PreparedRequest:
    import requests

    headers = {
        "Content-Type": CONTENT_TYPE,
        "User-Agent": "media-ledger",
        "Accept-Encoding": "identity",  # nobody reads more of an answer than its beginning
        "Media-Ledger-Event-Id": dispatch.event_id,
        "Media-Ledger-Delivery-Id": dispatch.delivery_id,
        "Media-Ledger-Attempt": str(dispatch.attempt),
        "Media-Ledger-Version": str(dispatch.version),
        **tracing.headers(),
        **signed,
    }
    return requests.Request("POST", target.url, data=dispatch.body, headers=headers).prepare()


def _post(adapter: CheckedAdapter, request: requests.PreparedRequest, *, limit_ms: int) -> Answer:
    with closing(adapter):
        # A little more than the limit, which `cut` keeps: it ends whatever waits.
        timeout = limit_ms / 1000 + 1
        with adapter.send(request, stream=True, timeout=timeout) as response:
            if _is_taken(response.status_code) or response.status_code == _GONE:
                return Answer(response.status_code)
            return Answer(response.status_code, response.headers.get("retry-after"), _excerpt(response))


def _excerpt(response: requests.Response) -> str:
    import urllib3

    try:
        return str(response.raw.read1(_EXCERPT_BYTES, decode_content=False), "utf-8", "replace")
    except (urllib3.exceptions.HTTPError, OSError):
        return ""


def _judge(answer: Answer, target: Target, *, now: int, masker: Masker) -> None:
    """Return when the server has taken the event; raise what its answer means otherwise."""
    if _is_taken(answer.status):
        return
    if answer.status == _GONE:
        raise TargetRefusedError("the server wants no more events: 410 Gone", target=target.name)
    wait_ms = None
    if answer.status in _SAY_WHEN and answer.retry_after is not None:
        wait_ms = retry_after_ms(answer.retry_after, now=now)
    said = " ".join("".join(c if c.isprintable() else " " for c in answer.excerpt).split())
    raise TargetUnavailableError(
        f"answered {answer.status}: {masker.text(said)[:_EXCERPT] or 'nothing'}",
        retry_after_ms=wait_ms,
        target=target.name,
    )


def _is_taken(status: int) -> bool:
    return 200 <= status < 300


def _masker(target: Target, keys: Sequence[str]) -> Masker:
    """Know by value what an answer may quote of our request."""
    query = urlsplit(target.url).query
    values = (value for _, value in parse_qsl(query) if len(value) >= _SHORTEST_SECRET)
    return Masker(frozenset({*keys, query, *values}))
