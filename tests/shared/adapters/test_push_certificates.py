"""Certificates are fetched once, within limits, and never from where they are not."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer
from shared.adapters.clocks import ManualClock
from shared.adapters.http_sessions import HttpSessions
from shared.adapters.local.folder_push_certificates import FolderPushCertificates
from shared.adapters.push_certificates import HttpsPushCertificates
from shared.errors import RefusedRequestError, StoreUnavailableError
from shared.policy import DAY, MINUTE, SECOND
from tests.callers import CERTIFICATES
from tests.world import START

DEADLINE = START + 10 * DAY


class Server:
    """Where certificates lie; `asked` for in this order, each answered when it `may_answer`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.reply: HttpReply | None = HttpReply(200, b"a certificate")
        self.url = ""
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, request: HttpRequest) -> HttpReply | None:
        self.asked.append(request.target)
        self.may_answer.wait(timeout=5)
        if self.reply and "gzip" in request.headers.get("accept-encoding", ""):
            packed = gzip.compress(self.reply.body)
            return replace(self.reply, body=packed, headers={"content-encoding": "gzip"})
        return self.reply


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve certificates."""
    serving = Server()
    with LoopbackServer(serving, name="certificates", max_body_bytes=0) as at:
        serving.url = at.endpoint
        yield serving


@pytest.fixture
def clock() -> ManualClock:
    """Let time stand still."""
    return ManualClock(START)


@pytest.fixture
def certificates(clock: ManualClock) -> Iterator[HttpsPushCertificates]:
    """Make the adapter."""
    with closing(HttpsPushCertificates(clock=clock, sessions=HttpSessions())) as made:
        yield made


def test_a_certificate_is_fetched_once_a_day(
    server: Server, certificates: HttpsPushCertificates, clock: ManualClock
) -> None:
    for wait in (0, 1, DAY - 2):
        clock.advance(wait)
        assert (
            certificates.get(f"{server.url}/a.pem", source="192.0.2.1", deadline=DEADLINE) == b"a certificate"
        )
    assert server.asked == ["/a.pem"]
    clock.advance(1)
    certificates.get(f"{server.url}/a.pem", source="192.0.2.1", deadline=DEADLINE)

    assert server.asked == ["/a.pem"] * 2


def test_pushes_that_come_together_wait_for_one_certificate(
    server: Server, certificates: HttpsPushCertificates
) -> None:
    server.may_answer.clear()
    with ThreadPoolExecutor(20) as together:
        waiting = [
            together.submit(certificates.get, f"{server.url}/a.pem", source="192.0.2.1", deadline=DEADLINE)
            for _ in range(20)
        ]
        server.may_answer.set()

        assert [one.result() for one in waiting] == [b"a certificate"] * 20
    assert server.asked == ["/a.pem"]


def test_whoever_names_many_files_takes_no_turn_of_others(
    server: Server, certificates: HttpsPushCertificates
) -> None:
    server.reply = HttpReply(404)
    for number in range(20):
        with pytest.raises(RefusedRequestError):
            certificates.get(f"{server.url}/{number}.pem", source="192.0.2.1", deadline=DEADLINE)
    server.reply = HttpReply(200, b"a certificate")

    assert certificates.get(f"{server.url}/a.pem", source="192.0.2.2", deadline=DEADLINE) == b"a certificate"


def test_many_who_name_files_are_refused_too(server: Server, certificates: HttpsPushCertificates) -> None:
    server.reply, statuses = HttpReply(404), []
    for number in range(60):
        with pytest.raises(RefusedRequestError) as caught:
            certificates.get(f"{server.url}/{number}.pem", source=str(number), deadline=DEADLINE)
        statuses.append(caught.value.status)

    assert statuses == [403] * 50 + [429] * 10


def test_whoever_names_many_files_is_refused_and_those_that_are_known_are_there(
    server: Server, certificates: HttpsPushCertificates, clock: ManualClock
) -> None:
    certificates.get(f"{server.url}/known.pem", source="192.0.2.1", deadline=DEADLINE)
    server.reply = HttpReply(404)
    refused = []
    for number in range(20):
        with pytest.raises(RefusedRequestError) as caught:
            certificates.get(f"{server.url}/{number}.pem", source="192.0.2.1", deadline=DEADLINE)
        refused.append(caught.value.status)

    assert refused == [403] * 4 + [429] * 16
    assert (
        certificates.get(f"{server.url}/known.pem", source="192.0.2.1", deadline=DEADLINE) == b"a certificate"
    )
    clock.advance(MINUTE)
    with pytest.raises(RefusedRequestError, match="not there"):
        certificates.get(f"{server.url}/0.pem", source="192.0.2.1", deadline=DEADLINE)


@pytest.mark.parametrize(
    "reply",
    [
        HttpReply(404, b"<Error/>"),
        HttpReply(302, headers={"location": "http://127.0.0.1:1/a.pem"}),
        HttpReply(200, b"x" * (16 * 1024 + 1)),
    ],
    ids=["missing", "elsewhere", "large"],
)
def test_what_is_no_certificate_is_refused(
    server: Server, certificates: HttpsPushCertificates, reply: HttpReply
) -> None:
    server.reply = reply
    with pytest.raises(RefusedRequestError) as caught:
        certificates.get(f"{server.url}/a.pem", source="192.0.2.1", deadline=DEADLINE)

    assert (caught.value.why, server.asked) == ("certificate", ["/a.pem"])


@pytest.mark.parametrize("reply", [HttpReply(503), None, HttpReply(200, b"cut", cut_at=1)])
def test_a_server_that_is_away_has_the_push_sent_again(
    server: Server, certificates: HttpsPushCertificates, reply: HttpReply | None
) -> None:
    server.reply = reply
    with pytest.raises(StoreUnavailableError):
        certificates.get(f"{server.url}/a.pem", source="192.0.2.1", deadline=DEADLINE)
    server.reply = HttpReply(200, b"a certificate")

    assert certificates.get(f"{server.url}/a.pem", source="192.0.2.1", deadline=DEADLINE) == b"a certificate"


def test_without_time_left_nobody_is_asked(server: Server, certificates: HttpsPushCertificates) -> None:
    with pytest.raises(StoreUnavailableError):
        certificates.get(f"{server.url}/a.pem", source="192.0.2.1", deadline=START - SECOND)

    assert server.asked == []


def test_of_many_certificates_those_are_kept_that_were_used_last(
    server: Server, certificates: HttpsPushCertificates, clock: ManualClock
) -> None:
    for number in (0, 1, *range(2, 64), 0, 64, 0, 1):
        clock.advance(MINUTE // 4)
        certificates.get(f"{server.url}/{number}.pem", source="192.0.2.1", deadline=DEADLINE)

    assert [server.asked.count(f"/{number}.pem") for number in (0, 1, 2)] == [1, 2, 1]


def test_a_folder_has_certificates_by_the_end_of_their_address() -> None:
    folder, path = FolderPushCertificates(CERTIFICATES), next(CERTIFICATES.iterdir())

    assert (
        folder.get(
            f"https://mns-cert.oss-cn-shanghai.aliyuncs.com/{path.name}", source="192.0.2.1", deadline=0
        )
        == path.read_bytes()
    )
    with pytest.raises(RefusedRequestError):
        FolderPushCertificates(Path("/nowhere")).get("https://x/a.pem", source="192.0.2.1", deadline=0)
