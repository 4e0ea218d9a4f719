"""`Queues` on MNS, through the vendor's SDK within the time that is left.

The SDK makes, signs and reads the messages; what sends them is ours: its own connections have no timeout
over HTTPS, serve one thread, and send a request again when the connection breaks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.adapters.aliyun import mns_errors
from shared.adapters.aliyun.mns_sdk import load_sdk
from shared.adapters.http_sessions import never_connected
from shared.errors import PermanentError
from shared.queues import QueueMessage
from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    import requests

    from shared.ports import Clock

_CONNECT_MS = 3_000
_MOST_BYTES = 4 * 1024 * 1024  # sixteen messages of 64 KB, each of their characters escaped in XML
_SECOND = 1_000


class MnsQueues:
    """Queues and topics of the account and region at `endpoint`, `https://<account>.mns.<region>.aliyuncs.com`.

    Every call is one try, with the credentials of the moment; safe with threads. `open_session` opens the
    connections, for the life of this object, when the first call is made.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        credentials: Callable[[], Credentials],
        clock: Clock,
        open_session: Callable[[], requests.Session],
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._credentials = credentials
        self._clock = clock
        self._open_session = open_session
        self._session: requests.Session | None = None
        self._opening = threading.Lock()

    def send(self, queue: str, body: str, *, deadline: int) -> None:
        """See `Queues.send`."""
        message = load_sdk().queue.Message(body)
        self._call(partial(self._queue(queue, deadline).send_message, message), queue=queue)

    def publish(self, topic: str, body: str, *, deadline: int) -> None:
        """See `Queues.publish`."""
        sdk = load_sdk()
        message = sdk.topic.TopicMessage(body)
        found = sdk.topic.Topic(topic, self._client(deadline))
        self._call(partial(found.publish_message, message), topic=topic)

    def receive(self, queue: str, *, limit: int, deadline: int, wait_seconds: int = 0) -> list[QueueMessage]:
        """See `Queues.receive`."""
        left = max(0, deadline - self._clock.now()) // _SECOND
        receive = partial(self._queue(queue, deadline).batch_receive_message, limit, min(wait_seconds, left))
        found = self._call(receive, queue=queue, none=[])
        return [_read(message) for message in found]

    def hide(self, queue: str, receipt: str, *, seconds: int, deadline: int) -> bool:
        """See `Queues.hide`."""
        change = partial(self._queue(queue, deadline).change_message_visibility, receipt, seconds)
        return self._call(change, queue=queue, none=False) is not False

    def delete(self, queue: str, receipt: str, *, deadline: int) -> bool:
        """See `Queues.delete`."""
        delete = partial(self._queue(queue, deadline).delete_message, receipt)
        return self._call(delete, queue=queue, none=False) is not False

    def close(self) -> None:
        """Close the kept connections; a later call opens new ones."""
        with self._opening:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _call(self, call: Callable[[], object], *, none: object = None, **where: str) -> Any:
        """Call the SDK; give `none` where there is no such message, if the caller has a word for that."""
        import requests
        import urllib3

        errors = load_sdk().mns_exception
        try:
            return call()
        except errors.MNSServerException as error:
            if none is not None and mns_errors.says_not_held(error.type):
                return none
            failed = mns_errors.refused(error.type, error.message, error.req_id, **where)
        except errors.MNSClientNetworkException:
            failed = mns_errors.unanswered("what came is no answer of MNS", **where)
        except errors.MNSClientParameterException as error:
            failed = PermanentError(f"MNS takes no such message: {error.type}", **where)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            lost = mns_errors.unsent if never_connected(error) else mns_errors.unanswered
            failed = lost(type(error).__name__, **where)
        # Raised outside of the handler: what the SDK and the session raise holds answers and addresses.
        raise failed

    def _queue(self, name: str, deadline: int) -> Any:
        queue = load_sdk().queue.Queue(name, self._client(deadline))
        queue.set_encoding(False)  # who sends knows whether a body is base64
        return queue

    def _client(self, deadline: int) -> Any:
        """Make a client for one call: it has nothing of its own but the deadline."""
        sdk = load_sdk()
        host = self._endpoint.partition("://")[2]
        # With https it would build a context for TLS that nobody uses.
        client = sdk.mns_client.MNSClient(f"http://{host}", credentials_provider=_Provider(self._credentials))
        client.http = _Exchange(self._opened(), self._endpoint, deadline - self._clock.now())
        return client

    def _opened(self) -> requests.Session:
        with self._opening:
            if self._session is None:
                self._session = self._open_session()
            return self._session


class _Exchange:
    """Sends what the SDK made and signed; stands in the place of the SDK's own connection."""

    def __init__(self, session: requests.Session, endpoint: str, left_ms: int) -> None:
        self._session = session
        self._endpoint = endpoint
        self._left_ms = left_ms

    def is_keep_alive(self) -> bool:
        """Tell the SDK to ask for nothing: kept connections are the usual way of HTTP 1.1."""
        return False

    def send_request(self, request: Any) -> Any:
        """Send once, within the time that is left."""
        if self._left_ms <= 0:
            raise mns_errors.unsent("no time left")
        response = self._session.request(
            request.method,
            f"{self._endpoint}{request.uri}",
            data=request.data or None,
            headers=request.header,
            timeout=(min(_CONNECT_MS, self._left_ms) / _SECOND, self._left_ms / _SECOND),
            allow_redirects=False,
            stream=True,
        )
        with response:
            body = response.raw.read(_MOST_BYTES, decode_content=True)
        if "x-mns-request-id" not in response.headers:
            # The SDK would take a proxy's redirect for success.
            raise mns_errors.unanswered("what came is no answer of MNS")
        text = body.decode(errors="replace")
        return load_sdk().mns_http.ResponseInternal(response.status_code, dict(response.headers), text)


class _Provider:
    """Credentials as the SDK asks for them: anew for every request, so that none is too old."""

    def __init__(self, credentials: Callable[[], Credentials]) -> None:
        self._credentials = credentials

    def get_credentials(self) -> Any:
        now = self._credentials()
        return load_sdk().auth.Credentials(now.access_key_id, now.access_key_secret, now.security_token or "")


def _read(message: Any) -> QueueMessage:
    # Of messages that died elsewhere, as the SDK names them.
    source = message.get_system_properties().get("DLQSourceArn")
    return QueueMessage(
        message_id=message.message_id,
        body=message.message_body,
        receipt=message.receipt_handle,
        enqueued_at=message.enqueue_time,
        received=message.dequeue_count,
        source=source.get_raw_value() if source is not None else None,
    )
