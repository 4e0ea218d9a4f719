"""Events over real sockets, to servers that take them and to servers that misbehave."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.clocks import ManualClock
from shared.adapters.senders.https import HttpsSender
from shared.adapters.senders.limited_runs import LimitedRuns
from shared.delivery import signature
from shared.delivery.targets import Dispatch, Target
from shared.errors import FunctionError, SettingError, TargetRefusedError, TargetUnavailableError
from shared.ports import EventSender
from shared.toolkit import tracing
from tests.shared.adapters.senders.target_servers import (
    CERTIFICATE,
    HOST,
    Received,
    answer,
    answering,
    serving,
    take,
    until_hung_up,
)

NOW = 1_763_640_000_000
MINUTE = 60_000
SECRET = "seen-by-nobody"
KEYS = {"publisher": ["the-new-key-of-publisher", "the-old-key-of-publisher"]}
DISPATCH = Dispatch(b'{"specversion":"1.0"}', "e" * 64, "d" * 32, 3, "00.vod.media_audit.job-1", 2)
SHORT = 150  # milliseconds of real time, for what never answers


def target(port: int, *, scheme: str = "http", host: str = HOST, **options: Any) -> Target:
    url = f"{scheme}://{host}:{port}/events?access={SECRET}"
    return Target("publisher", url, "https", **{"allows_private": True, "timeout_ms": MINUTE, **options})


def sender(*, addresses: Sequence[str] = ("127.0.0.1",), **options: Any) -> EventSender:
    return HttpsSender(
        LimitedRuns(), **{"clock": ManualClock(NOW), "keys": KEYS, "resolve": lambda *_: addresses, **options}
    )


def send(to: Target, **options: Any) -> None:
    sender(**options).send(to, DISPATCH, deadline=NOW + MINUTE)


def refusal(whole_answer: bytes) -> FunctionError:
    with serving(answering(whole_answer)) as (port, _), pytest.raises(FunctionError) as raised:
        send(target(port))
    return raised.value


def test_an_event_arrives_signed_and_named() -> None:
    with serving(answering(answer("204 No Content"))) as (port, received):
        send(target(port))

    headers = received.headers()
    assert received.heads[0].startswith(f"POST /events?access={SECRET} HTTP/1.1\n")
    assert received.bodies == [DISPATCH.body]
    assert headers["host"] == f"{HOST}:{port}"
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert headers["media-ledger-event-id"] == DISPATCH.event_id
    assert headers["media-ledger-delivery-id"] == DISPATCH.delivery_id
    assert (headers["media-ledger-attempt"], headers["media-ledger-version"]) == ("3", "2")
    for key in KEYS["publisher"]:
        signature.verify(received.bodies[0], headers, keys=[key], now=NOW)


def test_an_event_belongs_to_the_trace_of_the_invocation_that_sends_it() -> None:
    caller = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "rojo=1"}
    with serving(answering(answer("204 No Content"))) as (port, received):
        send(target(port))
        with tracing.invocation(caller, function="deliver", draw=secrets.randbits):
            send(target(port))

    sent = received.headers()
    assert (sent["traceparent"].split("-")[1], sent["tracestate"]) == ("a" * 32, "rojo=1")
    assert "traceparent" not in received.heads[0]


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content", "299 Fine"])
def test_every_2xx_means_taken(status: str) -> None:
    with serving(answering(answer(status, body=b"thanks"))) as (port, received):
        send(target(port))

    assert len(received.bodies) == 1


def test_an_answer_that_breaks_off_after_its_head_counts() -> None:
    with serving(answering(answer("200 OK", body=b"x" * 100)[:-50])) as (port, received):
        send(target(port))

    assert len(received.bodies) == 1


@pytest.mark.parametrize(
    "status",
    ["301 Moved", "302 Found", "400 Bad", "401 Who", "404 None", "500 Oops", "502 Bad", "503 Busy"],
)
def test_all_else_means_later(status: str) -> None:
    refused = refusal(answer(status, "Location: http://127.0.0.1:1/", body=b"because"))

    assert isinstance(refused, TargetUnavailableError)
    assert refused.message == f"answered {status[:3]}: because"
    assert refused.retry_after_ms is None


def test_gone_means_never() -> None:
    refused = refusal(answer("410 Gone"))

    assert isinstance(refused, TargetRefusedError)
    assert refused.details == {"target": "publisher"}


def test_a_redirect_is_not_followed() -> None:
    with serving(answering(answer("200 OK"))) as (elsewhere, there):
        refusal(answer("307 Temporary Redirect", f"Location: http://127.0.0.1:{elsewhere}/"))

    assert there.heads == []


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Busy"])
def test_a_server_may_say_when(status: str) -> None:
    refused = refusal(answer(status, "Retry-After: 90"))

    assert isinstance(refused, TargetUnavailableError)
    assert refused.retry_after_ms == 90_000


def test_a_refusal_is_quoted_without_secrets_and_in_short() -> None:
    echo = f"wrong\x00\r\n\tkey {KEYS['publisher'][1]} or access {SECRET}, token=abc " + "x" * 3_000

    refused = refusal(answer("403 Forbidden", body=echo.encode()))

    assert refused.message.startswith("answered 403: wrong key *** or access ***, token=*** xxx")
    assert len(refused.message) == len("answered 403: ") + 200


def test_of_a_huge_answer_only_the_beginning_is_read() -> None:
    def huge(connection: socket.socket, received: Received) -> None:
        take(connection, received)
        connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 1000000000000\r\n\r\n")
        while True:  # until the client hangs up
            connection.sendall(b"y" * 65_536)

    with serving(huge) as (port, _), pytest.raises(TargetUnavailableError, match=r"answered 500: y{200} "):
        send(target(port))


@pytest.mark.parametrize(
    "beginning",
    [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n"],
    ids=["nothing", "half a head", "a head"],
)
def test_a_server_that_says_no_more_holds_nobody(beginning: bytes) -> None:
    def silent(connection: socket.socket, received: Received) -> None:
        take(connection, received)
        connection.sendall(beginning)
        until_hung_up(connection)

    with serving(silent) as (port, received), pytest.raises(TargetUnavailableError):
        send(target(port, timeout_ms=SHORT))

    assert len(received.bodies) == 1


def test_a_server_that_drips_bytes_is_hung_up_on() -> None:
    hung_up = threading.Event()

    def dripping(connection: socket.socket, received: Received) -> None:
        take(connection, received)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        connection.settimeout(0.005)
        try:
            while not hung_up.is_set():
                connection.sendall(b"x")
                try:
                    if not connection.recv(1):
                        hung_up.set()
                except TimeoutError:
                    continue
        except OSError:
            hung_up.set()

    with serving(dripping) as (port, _):
        with pytest.raises(TargetUnavailableError, match=f"not done within {SHORT} ms"):
            send(target(port, timeout_ms=SHORT))
        assert hung_up.wait(10)


def test_a_yes_that_comes_too_late_is_a_no() -> None:
    late = threading.Event()

    def slow(connection: socket.socket, received: Received) -> None:
        take(connection, received)
        late.wait(10)
        connection.sendall(answer("200 OK"))

    with serving(slow) as (port, received):
        with pytest.raises(TargetUnavailableError, match="not done within"):
            send(target(port, timeout_ms=SHORT))
        late.set()

    assert len(received.bodies) == 1


def test_the_deadline_bounds_the_time_of_a_target() -> None:
    def silent(connection: socket.socket, received: Received) -> None:
        until_hung_up(connection)

    with serving(silent) as (port, _), pytest.raises(TargetUnavailableError, match=f"within {SHORT} ms"):
        sender().send(target(port), DISPATCH, deadline=NOW + SHORT)


def test_after_the_deadline_nothing_is_sent() -> None:
    with serving(answering(answer("200 OK"))) as (port, received), pytest.raises(TargetUnavailableError):
        sender().send(target(port), DISPATCH, deadline=NOW)

    assert received.heads == []


def test_a_name_server_that_does_not_answer_holds_nobody() -> None:
    answered = threading.Event()

    def stuck(host: str, port: int) -> Sequence[str]:
        answered.wait(10)
        return ["127.0.0.1"]

    with serving(answering(answer("200 OK"))) as (port, received):
        with pytest.raises(TargetUnavailableError, match="not done within"):
            send(target(port, timeout_ms=SHORT), resolve=stuck)
        answered.set()
        for thread in threading.enumerate():
            if thread.name == "publisher":
                thread.join(10)

    assert received.heads == []


@pytest.mark.parametrize("whole", [b"", b"HTTP/1.1 2", b"not http at all\r\n\r\n"])
def test_what_is_no_answer_means_later_and_tells_only_the_host(whole: bytes) -> None:
    refused = refusal(whole)

    assert isinstance(refused, TargetUnavailableError)
    assert f"no answer from {HOST}: " in refused.message
    assert SECRET not in f"{refused!r} {refused}"
    assert (refused.__cause__, refused.__context__) == (None, None)


def test_a_server_that_is_down_is_told_in_the_systems_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(TargetUnavailableError, match=f"no answer from {HOST}: Connection refused"):
        send(target(port))


def test_a_name_without_an_address_is_told() -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(TargetUnavailableError, match=f"no answer from {HOST}: Name or service not known"):
        send(target(443), resolve=unknown)


def test_a_host_without_a_public_address_is_refused_before_anything_is_sent() -> None:
    with (
        serving(answering(answer("200 OK"))) as (port, received),
        pytest.raises(TargetRefusedError) as refused,
    ):
        send(target(port, allows_private=False))

    assert received.heads == []
    assert f"{HOST} has no public address, but 127.0.0.1: " in refused.value.message
    assert "private_addresses" in refused.value.message


def test_the_address_that_was_checked_is_the_one_that_is_called() -> None:
    """A name that gives another address to every question is asked once, so it can trick nobody."""
    answers = iter([["127.0.0.1"], ["::1"], ["::1"]])

    with serving(answering(answer("200 OK"))) as (port, received):
        send(target(port), resolve=lambda *_: next(answers))

    assert len(received.heads) == 1
    assert len(list(answers)) == 2


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with serving(answering(answer("200 OK"))) as (port, received):
        send(target(port), addresses=["::1", "127.0.0.1"])

    assert len(received.heads) == 1


def test_the_certificate_must_be_for_the_name_whatever_the_address(tmp_path: Path) -> None:
    pem = tmp_path / "target.pem"
    pem.write_text(CERTIFICATE)

    with serving(answering(answer("200 OK")), tls=pem) as (port, received):
        for host, trusted in [(HOST, None), ("other.example", pem)]:
            with pytest.raises(TargetUnavailableError, match="certificate verify failed"):
                send(target(port, scheme="https", host=host), ca_bundle=trusted)
        trusting = sender(ca_bundle=pem)
        for _ in range(2):
            trusting.send(target(port, scheme="https"), DISPATCH, deadline=NOW + MINUTE)

    assert len(received.heads) == 2


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {HOST} login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    with serving(answering(answer("200 OK"))) as (port, received):
        send(target(port))

    assert "authorization" not in received.headers()


def test_a_target_without_a_key_is_our_fault() -> None:
    with pytest.raises(SettingError, match="LEDGER_DELIVERY_KEYS: target 'publisher' has no key"):
        send(target(443), keys={})


def test_even_a_debug_log_holds_nothing_of_the_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    with serving(answering(b"HTTP/1.1 200 OK\r\nbad header\r\nContent-Length: 0\r\n\r\n")) as (port, _):
        send(target(port))

    assert SECRET not in caplog.text
