"""The vendor's client library, as the judges use it; runs in the environments of requirements/vendor*.in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from alibabacloud_tea_openapi.client import Client as OpenApiClient  # type: ignore[import-not-found]
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params  # type: ignore[import-not-found]
from darabonba.runtime import RuntimeOptions  # type: ignore[import-not-found]

SCHEMES = {"acs3": None, "rpc1": "v2"}
"""Our names of the signature schemes, and the client's setting for each."""


def report(judge: Callable[[Config], dict[str, Any]], endpoint: str, **more: object) -> None:
    """Let `judge` play with either signature scheme, and print what it saw as JSON."""
    seen = {name: judge(configured(endpoint, algorithm)) for name, algorithm in SCHEMES.items()}
    json.dump({**seen, **more}, sys.stdout)


def configured(
    endpoint: str,
    algorithm: str | None,
    *,
    key: str = "own-key",
    secret: str = "own-secret",
    token: str | None = None,
) -> Config:
    """Point a client at the local media API."""
    return Config(
        access_key_id=key,
        access_key_secret=secret,
        security_token=token,
        endpoint=endpoint,
        protocol="http",
        signature_algorithm=algorithm,
    )


def call(
    client: OpenApiClient,
    action: str,
    params: dict[str, str],
    *,
    version: str,
    method: str = "POST",
    in_body: bool = False,
) -> dict[str, Any]:
    """Use the client that knows no operation, as for those that the SDKs have dropped."""
    answer = client.call_api(
        Params(
            action=action,
            version=version,
            protocol="HTTP",
            pathname="/",
            method=method,
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        ),
        OpenApiRequest(body=params) if in_body else OpenApiRequest(query=params),
        RuntimeOptions(),
    )
    body: dict[str, Any] = answer["body"]
    return body


def failure(attempt: Callable[[], object]) -> dict[str, Any]:
    """Tell how the client understood a refusal."""
    try:
        attempt()
    except Exception as error:  # what the client raises is what is reported
        return {
            "type": type(error).__name__,
            "code": getattr(error, "code", None),
            "status": getattr(error, "status_code", None),
            "retry_after": getattr(error, "retry_after", None),
            "body_keys": sorted(getattr(error, "data", None) or {}),
        }
    return {"type": None}
