"""A session that sends what it is given, as it is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer
from shared.adapters.direct_session import DirectSession


class Origin:
    """Keeps what it was sent, and sets a cookie."""

    def __init__(self) -> None:
        self.asked: list[HttpRequest] = []

    def answer(self, request: HttpRequest) -> HttpReply:
        self.asked.append(request)
        return HttpReply(302, b"elsewhere", {"location": "/elsewhere", "set-cookie": "a=b"})


@pytest.fixture
def origin() -> Origin:
    return Origin()


@pytest.fixture
def url(origin: Origin) -> Iterator[str]:
    with LoopbackServer(origin.answer, name="origin", max_body_bytes=100_000) as server:
        yield f"{server.endpoint}/a%2Fb?c=%7E"


@pytest.fixture
def session() -> Iterator[DirectSession]:
    with DirectSession() as opened:
        yield opened


def test_an_address_goes_as_it_is_and_an_answer_comes_as_it_is(
    origin: Origin, url: str, session: DirectSession
) -> None:
    answer = session.get(url, allow_redirects=False)

    assert (answer.status_code, answer.content) == (302, b"elsewhere")
    assert [request.target for request in origin.asked] == ["/a%2Fb?c=%7E"]


def test_no_cookie_and_no_password_of_the_environment_is_sent(
    origin: Origin, url: str, session: DirectSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    for _ in range(2):
        session.get(url, allow_redirects=False)

    assert not {"cookie", "authorization"} & origin.asked[1].headers.keys()


def test_a_header_of_none_is_left_out(origin: Origin, url: str, session: DirectSession) -> None:
    session.post(url, data=b"body", headers={"x-said": "yes", "x-unsaid": None})

    assert origin.asked[0].headers["x-said"] == "yes"
    assert "x-unsaid" not in origin.asked[0].headers


@pytest.mark.parametrize("data", [b"body", io.BytesIO(b"body"), iter([b"bo", b"dy"])])
def test_a_body_arrives_whoever_told_its_length(
    origin: Origin, url: str, session: DirectSession, data: Any
) -> None:
    session.put(url, data=data, headers={"content-length": "1"})

    assert origin.asked[0].body == b"body"


def test_a_body_that_is_not_streamed_is_there_at_once(url: str, session: DirectSession) -> None:
    answer = session.post(url, data=b"")

    assert answer.raw.closed or answer.raw.read() == b""
    assert answer.content == b"elsewhere"


@pytest.mark.parametrize(
    "wish",
    [
        {"params": {"a": "b"}},
        {"json": {"a": "b"}},
        {"allow_redirects": True},
        {"verify": False},
        {"proxies": {"http": "x"}},
    ],
    ids=lambda wish: next(iter(wish)),
)
def test_what_it_does_not_do_is_refused(session: DirectSession, wish: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="direct session"):
        session.request("GET", "http://127.0.0.1:1/", **wish)  # type: ignore[arg-type]  # as the case says


def test_nobody_there_is_an_error_of_requests(session: DirectSession) -> None:
    with pytest.raises(requests.ConnectionError):
        session.post("http://127.0.0.1:1/", data=b"", timeout=(1.0, 1.0))
