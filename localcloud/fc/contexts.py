"""The context object that a handler gets, in the shapes of both generations of the runtime
(function-compute.md 1.4).

Only what is documented is in it: a handler that uses more fails here sooner than there. It is made in the
processes of functions, where the deployed code may bring a toolkit of its own: this imports nothing of the
project.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import SimpleNamespace


def new_context(
    *,
    request_id: str,
    runtime: str,
    name: str,
    handler: str,
    memory: int,
    timeout: int,
    region: str,
    account_id: str,
    environ: Mapping[str, str],
    get_logger: Callable[[], object] = logging.getLogger,
) -> object:
    """Make the context of one request; timeout in seconds, memory in MB.

    Up to Python 3.10 it carries the keys that `environ` has; on 3.12 they are in the environment alone.
    """
    logs = {"log_project": "", "log_store": ""}
    version = {"version_id": "", "qualifier": "LATEST"}
    function = {"name": name, "handler": handler, "memory": memory}
    fields = {
        "request_id": request_id,
        "region": region,
        "account_id": account_id,
        "getLogger": get_logger,
    }
    if runtime == "python3.12":
        meta = SimpleNamespace(**function, **version, timeout=timeout)
        return SimpleNamespace(**fields, **logs, function=meta, logger=None)
    keys = ("access_key_id", "access_key_secret", "security_token")
    return SimpleNamespace(
        **fields,
        # The timeout arrives as the text of a header.
        function=SimpleNamespace(**function, timeout=str(timeout)),
        service=SimpleNamespace(**logs, **version),
        credentials=SimpleNamespace(**{key: environ.get(f"ALIBABA_CLOUD_{key.upper()}", "") for key in keys}),
    )
