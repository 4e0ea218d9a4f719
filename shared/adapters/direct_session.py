"""A session of `requests` that sends what it is given as it is: our callers sign their requests themselves.

The stock session merges cookies, hooks, passwords and proxies into every request and writes its address
anew; that takes the processor as long as sending it.

Loaded by the first call that needs it: `requests` is half of a cold start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests


class DirectSession(requests.Session):
    """Keeps no cookie, follows no redirect, asks no environment; its adapters do the rest."""

    def request(  # type: ignore[override]  # what it leaves out is never sent
        self,
        method: str,
        url: str,
        *,
        params: object = None,
        data: Any = None,
        json: object = None,
        headers: Mapping[str, str | None] | None = None,
        timeout: float | tuple[float, float] | None = None,
        stream: bool = False,
        allow_redirects: bool = False,
        verify: bool = True,
        proxies: object = None,
    ) -> requests.Response:
        """Send a request to an absolute address that is encoded; a header of None is left out.

        Raise `ValueError` for what it does not do.
        """
        if params or json or allow_redirects or not verify or proxies:
            raise ValueError("a direct session sends an address and a body, to whoever proves to be there")
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = method, url
        given = (headers or {}).items()
        # Of the length, which is told here, somebody else may have a wrong idea.
        sent = {n: v for n, v in given if v is not None and n.lower() != "content-length"}
        prepared.headers = sent  # type: ignore[assignment]  # any mapping does, and this one is quick
        if isinstance(data, bytes):
            prepared.body, sent["Content-Length"] = data, str(len(data))
        else:
            prepared.prepare_body(data, None)
        response = self.get_adapter(url).send(prepared, stream=stream, timeout=timeout)
        if not stream:
            _ = response.content  # read here, where the caller expects an error
        return response
