"""Certificates are fetched once, within limits, and never from where they are not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
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
    """Where certificates lie; `asked` for in this order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.reply: HttpReply | None = HttpReply(200, b"a certificate")
        self.url = ""

    def __call__(self, request: HttpRequest) -> HttpReply | None:
        self.asked.append(request.target)
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
        assert certificates.get(f"{server.url}/a.pem", deadline=DEADLINE) == b"a certificate"
    assert server.asked == ["/a.pem"]
    clock.advance(1)
    certificates.get(f"{server.url}/a.pem", deadline=DEADLINE)

    assert server.asked == ["/a.pem"] * 2


def test_whoever_names_many_files_is_refused_and_those_that_are_known_are_there(
    server: Server, certificates: HttpsPushCertificates, clock: ManualClock
) -> None:
    certificates.get(f"{server.url}/known.pem", deadline=DEADLINE)
    server.reply = HttpReply(404)
    refused = []
    for number in range(20):
        with pytest.raises(RefusedRequestError) as caught:
            certificates.get(f"{server.url}/{number}.pem", deadline=DEADLINE)
        refused.append(caught.value.status)

    assert refused == [403] * 4 + [429] * 16
    assert certificates.get(f"{server.url}/known.pem", deadline=DEADLINE) == b"a certificate"
    clock.advance(MINUTE)
    with pytest.raises(RefusedRequestError, match="not there"):
        certificates.get(f"{server.url}/0.pem", deadline=DEADLINE)


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
        certificates.get(f"{server.url}/a.pem", deadline=DEADLINE)

    assert (caught.value.why, server.asked) == ("certificate", ["/a.pem"])


@pytest.mark.parametrize("reply", [HttpReply(503), None, HttpReply(200, b"cut", cut_at=1)])
def test_a_server_that_is_away_has_the_push_sent_again(
    server: Server, certificates: HttpsPushCertificates, reply: HttpReply | None
) -> None:
    server.reply = reply
    with pytest.raises(StoreUnavailableError):
        certificates.get(f"{server.url}/a.pem", deadline=DEADLINE)
    server.reply = HttpReply(200, b"a certificate")

    assert certificates.get(f"{server.url}/a.pem", deadline=DEADLINE) == b"a certificate"


def test_without_time_left_nobody_is_asked(server: Server, certificates: HttpsPushCertificates) -> None:
    with pytest.raises(StoreUnavailableError):
        certificates.get(f"{server.url}/a.pem", deadline=START - SECOND)

    assert server.asked == []


def test_only_a_few_certificates_are_kept(
    server: Server, certificates: HttpsPushCertificates, clock: ManualClock
) -> None:
    for number in (*range(9), 0):
        clock.advance(MINUTE)
        certificates.get(f"{server.url}/{number}.pem", deadline=DEADLINE)

    assert server.asked.count("/0.pem") == 2


def test_a_folder_has_certificates_by_the_end_of_their_address() -> None:
    folder, path = FolderPushCertificates(CERTIFICATES), next(CERTIFICATES.iterdir())

    assert (
        folder.get(f"https://mns-cert.oss-cn-shanghai.aliyuncs.com/{path.name}", deadline=0)
        == path.read_bytes()
    )
    with pytest.raises(RefusedRequestError):
        FolderPushCertificates(Path("/nowhere")).get("https://x/a.pem", deadline=0)
