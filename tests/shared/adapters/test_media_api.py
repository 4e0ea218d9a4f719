"""The signed client over real sockets: against the local media API, and against servers that misbehave."""

from __future__ import annotations

import logging
import random
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from localcloud.media.server import MediaApiServer
from shared.adapters.clocks import ManualClock
from shared.adapters.endpoints import endpoint
from shared.adapters.http_sessions import HttpSessions
from shared.adapters.media_api import SignedMediaApi, Timeouts
from shared.adapters.paced_media_api import PacedMediaApi
from shared.adapters.signing import AnswerFormat, Scheme
from shared.errors import (
    JobNotFoundError,
    OversizedAnswerError,
    PermanentError,
    SettingError,
    ThrottledError,
    VendorRefusedError,
    VendorUnavailableError,
)
from shared.ports import MediaApi
from shared.toolkit.context import Credentials
from shared.vendor import ApiAnswer
from tests.localcloud.media.worlds import OWN, START, TEMPORARY, World, new_world, vod_request

MINUTE = 60_000
SECRETS = ("own-key", "own-secret", "Signature", "AccessKeyId", "a-secret-job")
QUERY = vod_request("GetAIMediaAuditJob", JobId="a-secret-job")

Serve = Callable[[socket.socket], object]


@pytest.fixture
def world() -> World:
    return new_world()


@pytest.fixture
def server(world: World) -> Iterator[MediaApiServer]:
    server = MediaApiServer(world.gateway)
    with server:
        yield server


@contextmanager
def client(
    url: str, clock: ManualClock, *, key: Credentials = OWN, **options: Any
) -> Iterator[PacedMediaApi]:
    api = SignedMediaApi(
        credentials=lambda: key, clock=clock, random=random.Random(7), endpoints={"vod": url}, **options
    )
    try:
        yield PacedMediaApi(api, clock, random.Random(7))
    finally:
        api.close()


@contextmanager
def listening(serve: Serve, *, tls: Path | None = None) -> Iterator[str]:
    """Serve each connection with `serve`, one after the other, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, serve, tls))
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, serve: Serve, tls: Path | None) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        # A client that leaves in the middle is what some of these tests are about.
        with plain, suppress(OSError):
            if tls is None:
                serve(plain)
                continue
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            with context.wrap_socket(plain, server_side=True) as secured:
                serve(secured)


def answering(*answers: bytes) -> Serve:
    """Answer the first requests, over any number of connections, and hang up on all others."""
    left = list(answers)

    def serve(connection: socket.socket) -> None:
        while left and _request(connection):
            connection.sendall(left.pop(0))

    return serve


def _request(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        received += chunk
    return received


def ok(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def ask(url: str, clock: ManualClock, *, within: int = MINUTE, **options: Any) -> ApiAnswer:
    with client(url, clock, **options) as api:
        port: MediaApi = api
        return port.call(QUERY, deadline=clock.now() + within)


@pytest.mark.parametrize("answer_format", ["json", "xml"])
@pytest.mark.parametrize("scheme", ["acs3", "rpc1"])
@pytest.mark.parametrize("key", [OWN, TEMPORARY], ids=["own", "temporary"])
def test_a_job_is_submitted_and_asked_for(
    world: World, server: MediaApiServer, scheme: Scheme, answer_format: AnswerFormat, key: Credentials
) -> None:
    job_id = world.submit("media-7")

    with client(server.endpoint, world.clock, scheme=scheme, answer_format=answer_format, key=key) as api:
        submitted = api.call(
            vod_request("SubmitAIMediaAuditJob", MediaId="a b*c~d+e/中&=%\"'<"), deadline=START + MINUTE
        )
        asked = api.call(vod_request("GetAIMediaAuditJob", JobId=job_id), deadline=START + MINUTE)

    assert (submitted.part.name, submitted.part.format) == ("answer", answer_format)
    assert (asked.part.name, asked.part.format) == ("answer", answer_format)
    assert b"media-7" in asked.part.body
    assert asked.request_id is not None
    assert asked.request_id.encode() in asked.part.body


def test_an_unknown_job_is_not_found(world: World, server: MediaApiServer) -> None:
    with pytest.raises(JobNotFoundError) as raised:
        ask(server.endpoint, world.clock)

    assert raised.value.details["vendor_code"] == "InvalidJobId.NotFound"
    assert raised.value.details["action"] == "GetAIMediaAuditJob"
    assert raised.value.details["request_id"]


def test_a_parameter_that_is_missing_is_about_the_job(world: World, server: MediaApiServer) -> None:
    with client(server.endpoint, world.clock) as api, pytest.raises(PermanentError) as raised:
        api.call(vod_request("GetAIMediaAuditJob"), deadline=START + MINUTE)

    assert raised.value.details["vendor_code"] == "MissingJobId"


@pytest.mark.parametrize("scheme", ["acs3", "rpc1"])
@pytest.mark.parametrize("answer_format", ["json", "xml"])
def test_a_wrong_secret_is_our_fault_and_the_echo_of_the_query_is_dropped(
    world: World, server: MediaApiServer, scheme: Scheme, answer_format: AnswerFormat
) -> None:
    wrong = Credentials("own-key", "not-the-secret")

    with pytest.raises(VendorRefusedError) as raised:
        ask(server.endpoint, world.clock, key=wrong, scheme=scheme, answer_format=answer_format)

    told = f"{raised.value} {raised.value!r}"
    assert raised.value.details["vendor_code"] == "SignatureDoesNotMatch"
    assert not any(secret in told for secret in ("a-secret-job", "own-key", "not-the-secret", "AccessKeyId"))


def test_a_clock_that_is_far_off_is_our_fault(world: World, server: MediaApiServer) -> None:
    slow = ManualClock(START - 32 * MINUTE)

    with pytest.raises(VendorRefusedError, match="check the clock"):
        ask(server.endpoint, slow)


def test_credentials_are_taken_anew_for_every_try(world: World, server: MediaApiServer) -> None:
    keys = [Credentials("own-key", "outdated"), OWN]
    job_id = world.submit()
    api = SignedMediaApi(
        credentials=lambda: keys.pop(0),
        clock=world.clock,
        random=random.Random(7),
        endpoints={"vod": server.endpoint},
    )
    request = vod_request("GetAIMediaAuditJob", JobId=job_id)

    with pytest.raises(VendorRefusedError):
        api.call(request, deadline=START + MINUTE)
    answer = api.call(request, deadline=START + MINUTE)
    api.close()

    assert job_id.encode() in answer.part.body


def test_what_is_temporary_is_tried_again_with_growing_waits(world: World, server: MediaApiServer) -> None:
    job_id = world.submit()
    world.gateway.throttle(2)
    world.gateway.break_down(1)

    with client(server.endpoint, world.clock) as api:
        answer = api.call(vod_request("GetAIMediaAuditJob", JobId=job_id), deadline=START + MINUTE)

    assert job_id.encode() in answer.part.body
    waited = world.clock.now() - START
    assert (200 + 400 + 800) / 2 - 3 <= waited <= 200 + 400 + 800


@pytest.mark.parametrize(("unit_ms", "waits"), [(1_000, 3_000), (1, 3)])
def test_the_wait_that_the_vendor_asks_for_is_kept(
    world: World, server: MediaApiServer, unit_ms: int, waits: int
) -> None:
    job_id = world.submit()
    world.gateway.throttle(1, retry_after=3)

    with client(server.endpoint, world.clock, retry_after_unit_ms=unit_ms) as api:
        api.call(vod_request("GetAIMediaAuditJob", JobId=job_id), deadline=START + MINUTE)

    assert waits <= world.clock.now() - START <= waits + 200


def test_a_wait_that_does_not_fit_the_deadline_ends_with_the_last_error(
    world: World, server: MediaApiServer
) -> None:
    world.gateway.throttle(1, retry_after=3_600)

    with pytest.raises(ThrottledError) as raised:
        ask(server.endpoint, world.clock)

    assert raised.value.retry_after_ms == 3_600_000
    assert world.clock.now() == START


def test_trying_again_ends_before_the_deadline(world: World, server: MediaApiServer) -> None:
    world.gateway.break_down(1_000)

    with pytest.raises(VendorUnavailableError) as raised:
        ask(server.endpoint, world.clock, within=500)

    assert raised.value.details["vendor_code"] == "ServiceUnavailable"
    assert START < world.clock.now() < START + 500


def test_a_vendor_that_stays_away_is_asked_four_times(world: World, server: MediaApiServer) -> None:
    world.gateway.break_down(4)

    with client(server.endpoint, world.clock) as api:
        with pytest.raises(VendorUnavailableError):
            api.call(QUERY, deadline=START + MINUTE)

        with pytest.raises(JobNotFoundError):  # it is back, and does not know the job
            api.call(QUERY, deadline=START + MINUTE)


def test_a_deadline_that_has_passed_makes_no_call() -> None:
    clock = ManualClock(START)

    with listening(answering()) as url, pytest.raises(VendorUnavailableError, match="no time left"):
        ask(url, clock, within=0)


def test_a_submission_whose_outcome_is_unknown_is_not_repeated(world: World, server: MediaApiServer) -> None:
    world.gateway.break_down(1)
    submission = vod_request("SubmitAIMediaAuditJob", MediaId="media-1")

    with client(server.endpoint, world.clock) as api:
        with pytest.raises(VendorUnavailableError):
            api.call(submission, deadline=START + MINUTE)
        # Throttled is refused: that may be repeated.
        world.gateway.throttle(1)
        answer = api.call(submission, deadline=START + MINUTE)

    assert b"media-1" in answer.part.body


@pytest.mark.parametrize("scheme", ["acs3", "rpc1"])
def test_a_lost_connection_tells_the_host_and_nothing_of_the_query(scheme: Scheme) -> None:
    with listening(answering()) as url, pytest.raises(VendorUnavailableError) as raised:
        ask(url, ManualClock(START), within=500, scheme=scheme)

    told = f"{raised.value} {raised.value!r}"
    assert "no answer from 127.0.0.1:" in told
    assert not any(secret in told for secret in SECRETS)
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


def test_a_closed_port_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    with pytest.raises(VendorUnavailableError, match="ConnectionError"):
        ask(url, ManualClock(START), within=500)


@pytest.mark.parametrize("scheme", ["acs3", "rpc1"])
def test_even_a_debug_log_holds_no_signed_query(
    world: World, server: MediaApiServer, scheme: Scheme, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    with pytest.raises(JobNotFoundError):
        ask(server.endpoint, world.clock, scheme=scheme)

    assert not any(secret in caplog.text for secret in SECRETS)


def test_an_answer_in_pieces_is_put_together() -> None:
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n'

    with listening(answering(chunked)) as url:
        answer = ask(url, ManualClock(START))

    assert (answer.part.format, answer.part.body) == ("json", b'{"a":1}')


def test_an_answer_decides_its_own_format() -> None:
    with listening(answering(ok(b"\n <A><RequestId>R-1</RequestId></A>"))) as url:
        answer = ask(url, ManualClock(START), answer_format="json")

    assert (answer.part.format, answer.request_id) == ("xml", "R-1")


def test_the_request_id_may_stand_in_the_header_alone() -> None:
    with listening(answering(ok(b"{}", "x-acs-request-id: R-2"))) as url:
        answer = ask(url, ManualClock(START))

    assert answer.request_id == "R-2"


@pytest.mark.parametrize("size", [1_000, 1_001])
def test_an_answer_is_refused_as_soon_as_it_is_too_large(size: int) -> None:
    body = b"x" * size

    with listening(answering(ok(body))) as url:
        if size <= 1_000:
            assert ask(url, ManualClock(START), max_answer_bytes=1_000).part.body == body
        else:
            with pytest.raises(OversizedAnswerError, match="too large") as caught:
                ask(url, ManualClock(START), max_answer_bytes=1_000)
            assert caught.value.received == body


def test_an_answer_that_is_cut_off_is_no_answer() -> None:
    cut = ok(b"x" * 100)[:-50]

    with listening(answering(cut)) as url, pytest.raises(VendorUnavailableError):
        ask(url, ManualClock(START), within=100)


def test_a_trickle_of_bytes_ends_with_the_deadline() -> None:
    clock = ManualClock(START)

    def trickle(connection: socket.socket) -> None:
        _request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:  # until the client hangs up
            clock.advance(1_000)
            connection.sendall(b"x")

    with listening(trickle) as url, pytest.raises(VendorUnavailableError, match="ReadTimeout"):
        ask(url, clock)


def test_a_silent_server_is_given_up_after_the_read_timeout() -> None:
    def silent(connection: socket.socket) -> None:
        while _request(connection):
            continue

    with listening(silent) as url, pytest.raises(VendorUnavailableError, match="ReadTimeout"):
        ask(url, ManualClock(START), within=150, timeouts=Timeouts(read_ms=100))


def test_a_redirect_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"

    with listening(answering(moved)) as url, pytest.raises(VendorUnavailableError) as raised:
        ask(url, ManualClock(START), within=100)

    assert raised.value.details["status"] == 302


def test_calls_share_one_kept_connection() -> None:
    peers: set[object] = set()
    left = [ok(b"{}")] * 5

    def serve(connection: socket.socket) -> None:
        while left and _request(connection):
            peers.add(connection.getpeername())
            connection.sendall(left.pop())

    with listening(serve) as url, client(url, ManualClock(START)) as api:
        for _ in range(5):
            api.call(QUERY, deadline=START + MINUTE)

    assert len(peers) == 1


def test_one_client_serves_many_threads(world: World, server: MediaApiServer) -> None:
    jobs = [world.submit(f"media-{number}") for number in range(40)]

    with client(server.endpoint, world.clock) as api, ThreadPoolExecutor(8) as pool:

        def ask_for(job_id: str) -> ApiAnswer:
            return api.call(vod_request("GetAIMediaAuditJob", JobId=job_id), deadline=START + MINUTE)

        answers = list(pool.map(ask_for, jobs))

    assert all(job_id.encode() in answer.part.body for job_id, answer in zip(jobs, answers, strict=True))


def test_a_closed_client_opens_again(world: World, server: MediaApiServer) -> None:
    job_id = world.submit()

    with client(server.endpoint, world.clock) as api:
        assert isinstance(api.inner, SignedMediaApi)
        api.inner.close()
        answer = api.call(vod_request("GetAIMediaAuditJob", JobId=job_id), deadline=START + MINUTE)

    assert job_id.encode() in answer.part.body


def test_a_certificate_is_accepted_from_whom_we_trust_and_for_its_host_alone(self_signed: Path) -> None:
    clock = ManualClock(START)

    with listening(answering(ok(b"{}")), tls=self_signed) as url:
        for stranger, options in [
            (url, {}),
            (url.replace("127.0.0.1", "localhost"), {"sessions": HttpSessions(ca_bundle=self_signed)}),
        ]:
            with pytest.raises(VendorUnavailableError, match="SSLError"):
                ask(stranger, clock, within=100, **options)
        answer = ask(url, clock, sessions=HttpSessions(ca_bundle=self_signed))

    assert answer.part.body == b"{}"


def test_a_certificate_bundle_of_the_environment_counts_only_when_trusted(
    self_signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(self_signed))

    with listening(answering(ok(b"{}")), tls=self_signed) as url:
        with pytest.raises(VendorUnavailableError, match="SSLError"):
            ask(url, ManualClock(START), within=100)
        answer = ask(url, ManualClock(START), sessions=HttpSessions(trust_env=True))

    assert answer.part.body == b"{}"


def test_a_proxy_of_the_environment_is_ignored_unless_trusted(
    world: World, server: MediaApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    job_id = world.submit()

    with client(server.endpoint, world.clock) as api:
        answer = api.call(vod_request("GetAIMediaAuditJob", JobId=job_id), deadline=START + MINUTE)

    assert job_id.encode() in answer.part.body


def test_a_netrc_file_never_replaces_the_signature(
    world: World, server: MediaApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    with pytest.raises(JobNotFoundError):
        ask(server.endpoint, world.clock, sessions=HttpSessions(trust_env=True))


@pytest.mark.parametrize(
    ("product", "region", "address"),
    [
        ("vod", "cn-shanghai", "https://vod.cn-shanghai.aliyuncs.com"),
        ("vod", "cn-hangzhou", "https://vod.cn-shanghai.aliyuncs.com"),
        ("mts", "cn-hangzhou", "https://mts.cn-hangzhou.aliyuncs.com"),
        ("ice", "cn-shanghai", "https://ice.cn-shanghai.aliyuncs.com"),
        ("ice", "cn-hangzhou", "https://ice.aliyuncs.com"),
    ],
)
def test_product_and_region_give_the_address(product: str, region: str, address: str) -> None:
    assert endpoint(product, region) == address


@pytest.mark.parametrize("region", [None, ""])
def test_without_a_region_the_setting_is_named(region: str | None) -> None:
    with pytest.raises(SettingError, match="LEDGER_REGION"):
        endpoint("vod", region)


@pytest.mark.parametrize("region", ["evil.example/", "cn-shanghai.evil.example#", "CN", "a@b", "-", "x\n"])
def test_a_region_cannot_become_another_host(region: str) -> None:
    with pytest.raises(PermanentError, match="not a region"):
        endpoint("vod", region)


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:80",
        "ftp://host",
        "http://",
        "https://host/path",
        "http://h?q=1",
        "http://me:pw@host",
        "http://h:x",
    ],
)
def test_an_endpoint_override_must_be_an_address(url: str) -> None:
    with pytest.raises(SettingError, match="endpoint of vod"), client(url, ManualClock(START)):
        pass


def test_importing_the_client_is_light() -> None:
    program = (
        "import sys, shared.adapters.media_api;"
        "print([name for name in ('requests', 'urllib3', 'ssl') if name in sys.modules])"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.strip() == "[]"


@pytest.fixture
def self_signed(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that no authority signed, and its key: they protect nothing."""
    path = tmp_path / "self-signed.pem"
    path.write_text(SELF_SIGNED)
    return path


SELF_SIGNED = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgixces6MWTa5a3YUr
nvsMQ6fWE3kF5wPOGQfmrVHn4d2hRANCAAQGblogTU7F87IhIFi+If99/hWNGGDC
MGYOHV9DGI6WcOt35kqbAYexaRI4jSCXGxgbusY9cliebDs06mG7FV8T
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBazCCARKgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAkxMjcuMC4w
LjEwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CTEyNy4wLjAuMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAZuWiBNTsXzsiEg
WL4h/33+FY0YYMIwZg4dX0MYjpZw63fmSpsBh7FpEjiNIJcbGBu6xj1yWJ5sOzTq
YbsVXxOjUzBRMA8GA1UdEQQIMAaHBH8AAAEwDwYDVR0TAQH/BAUwAwEB/zAOBgNV
HQ8BAf8EBAMCAoQwHQYDVR0OBBYEFJOukfIskAvOCHqXW+V6l5AZV2EhMAoGCCqG
SM49BAMCA0cAMEQCIA9DHXIPVNg57vqMYK8mdYrNx4oXXDgOI3fFNzV9AuWHAiAh
GDXtL72zO1jFzW5BnTSF9hnatFlDvk6OboUfK3G7Yw==
-----END CERTIFICATE-----
"""
