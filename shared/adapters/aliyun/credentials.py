"""Keys as the vendor's own tools find them, for whoever is not run by Function Compute."""

from __future__ import annotations

import logging
import threading
from typing import Any

from shared.errors import SettingError
from shared.toolkit.context import Credentials

_ADVICE = (
    "no credentials: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET (and"
    " ALIBABA_CLOUD_SECURITY_TOKEN for a temporary key), or run `aliyun configure`; a function needs a role"
)


class ChainCredentials:
    """Gives keys by the vendor's default chain, which renews them before they expire; safe with threads.

    In order: environment, OIDC token, profile of the vendor's command line, `credentials.ini`, role of the
    ECS instance, `ALIBABA_CLOUD_CREDENTIALS_URI` (local-servers.md 6). The first call imports the client
    and takes a fifth of a second; the environment is read then, and never again.
    """

    def __init__(self) -> None:
        self._client: Any = None
        self._opening = threading.Lock()

    def __call__(self) -> Credentials:
        """Give the keys of the moment; raise `SettingError` when nobody has any."""
        client = self._opened()
        # Read outside of a handler: the client's errors hold the OIDC token, and would be the context.
        found = _ask(client)
        if found is None:
            raise SettingError(_ADVICE)
        return Credentials(
            found.get_access_key_id(), found.get_access_key_secret(), found.get_security_token() or None
        )

    def _opened(self) -> Any:
        with self._opening:
            if self._client is None:
                self._client = _new_client()
            return self._client


def _new_client() -> Any:
    try:
        from alibabacloud_credentials.client import Client  # type: ignore[import-untyped]  # no types
    except ImportError:
        raise SettingError(f"{_ADVICE}; other places are looked at with media-ledger[aliyun] alone") from None
    # It has handlers of its own, and writes the OIDC token into them (local-servers.md 6).
    logging.getLogger("credentials").disabled = True
    return Client()


def _ask(client: Any) -> Any:
    from alibabacloud_credentials.exceptions import CredentialException  # type: ignore[import-untyped]  # no types

    try:
        return client.get_credential()
    except CredentialException:
        return None
