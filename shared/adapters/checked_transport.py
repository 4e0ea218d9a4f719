"""The transport of `requests` for addresses that somebody else chose: no way into our own network.

The connection goes to the very address that was checked: names are resolved once, so one that changes its
mind in between leads nowhere. TLS and the `Host` header keep the name. Used without a session, it
follows no redirect, keeps no cookie and asks no environment for proxies or passwords.

Loaded by the first call that needs it: `requests` is half of a cold start.
"""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

from shared.adapters.public_addresses import Resolve

_CONNECT_S = 5.0  # for one address, so that the next one of the host gets its turn


class CheckedAdapter(HTTPAdapter):
    """Connects to what `addresses` gives for a host, and nowhere else; any thread may `cut` it off.

    Made for one piece of work and closed after it. What `addresses` raises for a host that is not to be
    connected to, `send` raises.
    """

    def __init__(self, context: ssl.SSLContext, *, addresses: Resolve) -> None:
        self._context = context
        self._addresses = addresses
        self._lock = threading.Lock()
        self._is_cut = False
        self._lines: list[socket.socket] = []
        # urllib3 writes the whole URL of a request at DEBUG, and at WARNING when an answer has a bad header.
        talkative = logging.getLogger("urllib3")
        talkative.setLevel(max(talkative.level, logging.ERROR))
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Share one TLS context, which the stock adapter makes anew for every connection."""
        super().init_poolmanager(*args, ssl_context=self._context, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._dial)

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Do nothing: the context demands a valid certificate for the host by itself."""

    def cut(self) -> None:
        """End every connection at once, whatever waits on it, and let no other begin."""
        with self._lock:
            self._is_cut = True
            for line in self._lines:
                with suppress(OSError):  # it may have ended by itself
                    line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close every connection."""
        super().close()
        with self._lock:
            while self._lines:
                self._lines.pop().close()

    def _dial(self, connection: HTTPConnection) -> socket.socket:
        failed = OSError("the host has no address")
        for address in self._addresses(connection.host.strip("[]"), connection.port):
            try:
                opened = create_connection(
                    (address, connection.port),
                    min(connection.timeout or _CONNECT_S, _CONNECT_S),
                    socket_options=connection.socket_options,
                )
            except OSError as error:
                failed = error
            else:
                opened.settimeout(connection.timeout)
                return self._held(opened)
        raise failed

    def _held(self, opened: socket.socket) -> socket.socket:
        """Keep a second handle: TLS takes the first one away, and is not to be touched by another thread."""
        with self._lock:
            if not self._is_cut:
                self._lines.append(opened.dup())
                return opened
        opened.close()
        raise ConnectionAbortedError(errno.ECONNABORTED, "cut off")


def _pools(dial: Callable[[HTTPConnection], socket.socket]) -> dict[str, type[HTTPConnectionPool]]:
    """Make pools by scheme, as a pool manager of urllib3 takes them, of connections that `dial` opens."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return dial(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return dial(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
