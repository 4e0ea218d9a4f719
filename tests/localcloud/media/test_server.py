"""The socket before the gateway."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from localcloud.media.server import MediaApiServer
from shared.adapters.signing import (
    ACS3_ALGORITHM,
    acs3_canonical_request,
    acs3_signature,
    acs3_string_to_sign,
)
from tests.localcloud.media.worlds import OWN, new_world, vod_request, wire


def test_header_values_arrive_as_the_client_signed_them() -> None:
    sent = wire(vod_request("SubmitAIMediaAuditJob", MediaId="1"))
    headers = {**sent.headers, "user-agent": "é中"}
    signed = sorted(set(headers) - {"authorization"})
    canonical = acs3_canonical_request(
        "POST", "/", query=sent.query, headers=headers, signed=signed, body=b""
    )
    signature = acs3_signature(acs3_string_to_sign(canonical), secret=OWN.access_key_secret)
    headers["authorization"] = (
        f"{ACS3_ALGORITHM} Credential={OWN.access_key_id},"
        f"SignedHeaders={';'.join(signed)},Signature={signature}"
    )

    with MediaApiServer(new_world().gateway) as server:
        address = urlsplit(server.endpoint)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
        connection.request(
            "POST", sent.target, headers={name: text.encode() for name, text in headers.items()}
        )
        with connection.getresponse() as response:
            told = (response.status, response.headers["content-type"], response.read())
        connection.close()

    assert told[:2] == (200, "application/json;charset=utf-8")
    assert b'"MediaId":"1"' in told[2]
