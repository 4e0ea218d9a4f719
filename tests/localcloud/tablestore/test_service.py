"""What is refused before any operation, and what may go wrong for the sake of a test."""

from __future__ import annotations

import pytest

from localcloud.loopback import HttpReply, HttpRequest
from localcloud.tablestore import messages
from localcloud.tablestore.service import MAX_BODY_BYTES, THROTTLED, Service, Trouble
from localcloud.tablestore.signatures import TIME_WINDOW_MS, content_md5
from shared.adapters.aliyun.tablestore_sdk import load_sdk
from shared.adapters.clocks import ManualClock
from shared.toolkit.context import Credentials
from tests.localcloud.tablestore.worlds import NAME, OWN, REGION, TEMPORARY, new_service, present

AUTH_FAILED = (403, "OTSAuthFailed")
INVALID = (400, "OTSParameterInvalid")


def signed(
    operation: str = "ListTable",
    body: bytes = b"",
    *,
    credentials: Credentials = OWN,
    region: str | None = REGION,
) -> HttpRequest:
    """Sign a request with the vendor's own code."""
    sdk = load_sdk()
    client = sdk.OTSClient(
        "http://127.0.0.1:1",
        credentials.access_key_id,
        credentials.access_key_secret,
        NAME,
        region=region,
        sts_token=credentials.security_token,
    )
    context = sdk.auth.RequestContext(client.credentials_provider.get_credentials())
    headers = client.protocol._make_request_headers(body, f"/{operation}", client._signer, context)
    return HttpRequest("POST", f"/{operation}", {**headers, "host": "127.0.0.1"}, body)


def refusal(reply: HttpReply | None) -> tuple[int, str]:
    assert reply is not None
    return reply.status, messages.ERROR.decode(reply.body)["code"]


def changed(request: HttpRequest, **headers: str | None) -> HttpRequest:
    merged = {**request.headers, **{f"x-ots-{name}": value for name, value in headers.items()}}
    kept = {name: value for name, value in merged.items() if value is not None}
    return HttpRequest(request.method, request.target, kept, request.body)


@pytest.mark.parametrize("region", [None, REGION], ids=["V2", "V4"])
@pytest.mark.parametrize("credentials", [OWN, TEMPORARY], ids=["lasting", "temporary"])
def test_a_signed_request_is_answered_and_the_answer_is_signed(
    region: str | None, credentials: Credentials
) -> None:
    reply = new_service().answer(signed(credentials=credentials, region=region))

    assert reply is not None
    assert reply.status == 200
    assert reply.headers["authorization"].startswith(f"OTS {credentials.access_key_id}:")
    assert reply.headers["x-ots-contentmd5"] == content_md5(reply.body)


@pytest.mark.parametrize("region", [None, REGION], ids=["V2", "V4"])
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"accesskeyid": None}, INVALID),
        ({"date": "yesterday"}, INVALID),
        ({"contentmd5": "AAAA"}, AUTH_FAILED),
        ({"accesskeyid": "nobody"}, AUTH_FAILED),
        ({"accesskeyid": "STS.key"}, AUTH_FAILED),
        ({"instancename": "another"}, AUTH_FAILED),
        ({"added": "unsigned"}, AUTH_FAILED),
        ({"signature": "", "signaturev4": None}, AUTH_FAILED),
        ({"signaturev4": "é"}, AUTH_FAILED),
    ],
)
def test_what_was_changed_after_signing_is_refused(
    region: str | None, headers: dict[str, str | None], expected: tuple[int, str]
) -> None:
    reply = new_service().answer(changed(signed(region=region), **headers))

    assert refusal(reply) == expected
    assert reply is not None
    assert "authorization" not in reply.headers


@pytest.mark.parametrize(("off_by", "status"), [(-1_000, 200), (1_000, 403)])
@pytest.mark.parametrize("direction", [-1, 1])
def test_a_clock_may_be_off_by_a_quarter_of_an_hour(off_by: int, status: int, direction: int) -> None:
    clock = ManualClock(present() + direction * (TIME_WINDOW_MS + off_by))

    reply = new_service(clock).answer(signed())

    assert reply is not None
    assert reply.status == status


def test_a_request_of_another_time_or_version_or_method_is_refused() -> None:
    service = new_service()
    got = HttpRequest("GET", "/ListTable", signed().headers)

    assert refusal(service.answer(got)) == (405, "OTSMethodNotAllowed")
    assert refusal(service.answer(signed("Unheard"))) == INVALID
    assert refusal(service.answer(signed("CreateTable", b"\x0f"))) == INVALID
    assert refusal(service.answer(signed("PutRow", bytes(MAX_BODY_BYTES + 1)))) == (
        413,
        "OTSRequestBodyTooLarge",
    )


def test_what_is_planned_happens_to_the_calls_it_is_planned_for() -> None:
    service: Service = new_service()
    service.plan(Trouble(refused=THROTTLED), operation="ListTable", times=2)
    service.plan(Trouble(answer="lost"))

    seen = [service.answer(signed(name)) for name in ("ListTable", "DescribeTable", "ListTable", "ListTable")]

    assert [reply and reply.status for reply in seen] == [503, None, 503, 200]


def test_a_call_with_a_lost_answer_was_done() -> None:
    service = new_service()
    service.plan(Trouble(answer="lost"))
    table = {"table_name": "t", "primary_key": [{"name": "k", "type": 2}]}

    assert service.answer(signed("CreateTable", messages.CREATE_TABLE.encode({"table_meta": table}))) is None
    listed = service.answer(signed())
    assert listed is not None
    assert messages.TABLES_LISTED.decode(listed.body) == {"table_names": ["t"]}
