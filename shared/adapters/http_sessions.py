"""Opens sessions of `requests`, the one HTTP client of all that is deployed."""

from __future__ import annotations

import logging
import threading
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    import requests
    from urllib3.connectionpool import ConnectionPool

# As many connections as LEDGER_WORKERS threads can use, of which each puts two objects beside each other.
_KEPT_CONNECTIONS = 128


class HttpSessions:
    """Opens sessions that share one TLS context: making one takes 16 ms and more (cold-start.md).

    `ca_bundle` is a file of certificates to trust instead of those that `requests` brings. With
    `trust_env` the environment decides on proxies and certificates; without, it has no say.
    """

    def __init__(self, *, ca_bundle: Path | None = None, trust_env: bool = False) -> None:
        self._ca_bundle = ca_bundle
        self._trust_env = trust_env
        self._context: ssl.SSLContext | None = None
        self._making = threading.Lock()

    def open(self) -> requests.Session:
        """Open a session. `requests` is loaded here: half of a cold start, and not every event asks."""
        with warnings.catch_warnings():
            # It warns where it cannot guess encodings, which nobody here asks it to: the deployed package
            # has no guesser, which would take 10 ms to load (cold-start.md).
            warnings.simplefilter("ignore")
            import requests

        # At DEBUG, urllib3 writes every URL that it asks for, the signed query with it.
        talkative = logging.getLogger("urllib3")
        talkative.setLevel(max(talkative.level, logging.INFO))
        session = self._trusting() if self._trust_env else self._direct()
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=_KEPT_CONNECTIONS))
        return session

    def tls(self) -> ssl.SSLContext:
        """Give the context, for clients that open connections of their own; the first call makes it."""
        import ssl

        from requests.utils import DEFAULT_CA_BUNDLE_PATH

        with self._making:
            if self._context is None:
                self._context = ssl.create_default_context(cafile=self._ca_bundle or DEFAULT_CA_BUNDLE_PATH)
            return self._context

    def _trusting(self) -> requests.Session:
        """Follow the environment's bundles and proxies, which need the stock session and adapter."""
        import requests

        session = requests.Session()
        # Said, or ~/.netrc would replace our Authorization header.
        session.auth = lambda prepared: prepared
        session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=_KEPT_CONNECTIONS))
        return session

    def _direct(self) -> requests.Session:
        from shared.adapters.direct_session import DirectSession

        session = DirectSession()
        session.mount("https://", self._one_context_adapter()(pool_maxsize=_KEPT_CONNECTIONS))
        return session

    def _one_context_adapter(self) -> type[requests.adapters.HTTPAdapter]:
        from requests.adapters import HTTPAdapter

        sessions = self

        class OneContextAdapter(HTTPAdapter):
            """Share one TLS context: the stock adapter reads the certificates for every connection."""

            def get_connection_with_tls_context(self, *args: Any, **options: Any) -> ConnectionPool:
                # Not before there is a connection to make: plain HTTP needs no context.
                self.poolmanager.connection_pool_kw["ssl_context"] = sessions.tls()
                return super().get_connection_with_tls_context(*args, **options)

            def cert_verify(self, conn: object, url: str, verify: object, cert: object) -> None:
                """Do nothing: the context demands a valid certificate for the host by itself."""

        return OneContextAdapter


def never_connected(error: Exception) -> bool:
    """Tell of an error of `requests` whether nothing of the request can have arrived."""
    import requests
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    inner = error.args[0] if isinstance(error, requests.RequestException) and error.args else None
    reason = getattr(inner, "reason", inner)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def innermost(error: BaseException) -> str:
    """Say why there is no answer, in the system's words: those of the libraries quote the URL."""
    while error.__context__ is not None:
        error = error.__context__
    return getattr(error, "strerror", None) or type(error).__name__
