"""Files over real sockets, from a server that sends them and from one that does everything else."""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.evidence.answers import (
    Answer,
    compressed,
    dripping,
    endless,
    in_chunks,
    redirect,
    refusal,
    silence,
    whole,
)
from localcloud.evidence.pictures import picture
from localcloud.evidence.server import EvidenceServer
from shared.adapters.clocks import ManualClock
from shared.adapters.http_sessions import HttpSessions
from shared.adapters.https_downloads import HttpsDownloads, Limits
from shared.adapters.senders.limited_runs import LimitedRuns
from shared.downloads import Downloads
from shared.errors import (
    DownloadFailedError,
    DownloadRefusedError,
    FunctionError,
    GoneError,
    StoreUnavailableError,
)
from tests.scripted_downloads import read
from tests.shared.adapters.origins_on_loopback import loopback_origins

NOW = 1_763_640_000_000
MINUTE = 60_000
SHORT = 150  # milliseconds of real time, for what never ends
NAME = "frame.jpg"
SECRET = "Signature=seen-by-nobody"
SESSIONS = HttpSessions()
PICTURE = picture(NAME)


@pytest.fixture
def server() -> Iterator[EvidenceServer]:
    with EvidenceServer() as running:
        yield running


@pytest.fixture
def spools(tmp_path: Path) -> Path:
    """Give a temporary disk of the test's own."""
    folder = tmp_path / "spools"
    folder.mkdir()
    return folder


def downloads(server: EvidenceServer, spools: Path, **options: Any) -> Downloads:
    given = {
        "clock": ManualClock(NOW),
        "sessions": SESSIONS,
        "origins": loopback_origins(server),
        "folder": spools,
    }
    return HttpsDownloads(LimitedRuns(), **{**given, **options})


def fetched(server: EvidenceServer, spools: Path, *, within: int = MINUTE, **options: Any) -> bytes:
    url = server.url(NAME, query=SECRET)
    with downloads(server, spools, **options).download(url, deadline=NOW + within) as download:
        return read(download)


def failure(server: EvidenceServer, spools: Path, answer: Answer, **options: Any) -> FunctionError:
    """Give the error that an answer ends in, which must not tell the address nor leave a file."""
    server.set(NAME, answer)
    with pytest.raises(FunctionError) as raised:
        fetched(server, spools, **options)
    assert SECRET not in f"{raised.value} {raised.value.__cause__} {raised.value.details}"
    assert list(spools.iterdir()) == []
    return raised.value


def test_a_file_is_there_for_the_length_of_the_block(server: EvidenceServer, spools: Path) -> None:
    url = server.url(NAME, query=SECRET)
    with downloads(server, spools).download(url, deadline=NOW + MINUTE) as download:
        held = read(download)

    assert held == PICTURE
    assert (download.size, download.sha256) == (len(PICTURE), hashlib.sha256(PICTURE).hexdigest())
    assert list(spools.iterdir()) == []


def test_type_and_name_are_told_by_the_bytes_alone(server: EvidenceServer, spools: Path) -> None:
    server.set("../../etc/passwd.exe", whole(PICTURE, "Content-Type: text/html"))
    url = server.url("../../etc/passwd.exe")
    with downloads(server, spools).download(url, deadline=NOW + MINUTE) as download:
        (file,) = spools.iterdir()
        assert "passwd" not in file.name

    assert (download.content_type, download.extension) == ("image/png", ".png")


def test_a_block_that_fails_leaves_no_file_either(server: EvidenceServer, spools: Path) -> None:
    with (
        pytest.raises(OSError, match="of the block"),
        downloads(server, spools).download(server.url(NAME), deadline=NOW + MINUTE),
    ):
        raise OSError("of the block")

    assert list(spools.iterdir()) == []


def test_the_request_tells_the_host_and_asks_for_the_bytes_as_they_are(
    server: EvidenceServer, spools: Path
) -> None:
    fetched(server, spools)

    line, *headers = server.head(NAME)
    assert line == f"GET /{NAME}?{SECRET} HTTP/1.1"
    assert {f"Host: {server.host}", "Accept-Encoding: identity", "Connection: close"} <= set(headers)
    assert not any(one.startswith(("Authorization", "Cookie", "Referer")) for one in headers)


def test_a_file_larger_than_a_chunk_arrives_whole(server: EvidenceServer, spools: Path) -> None:
    body = picture(NAME, size=200_000)
    server.set(NAME, whole(body))

    assert fetched(server, spools) == body


@pytest.mark.parametrize("answer", [in_chunks(PICTURE), whole(PICTURE, stays=True)], ids=["chunks", "stays"])
def test_how_an_answer_ends_is_the_server_s_affair(
    server: EvidenceServer, spools: Path, answer: Answer
) -> None:
    server.set(NAME, answer)

    assert fetched(server, spools, limits=Limits(idle_ms=SHORT)) == PICTURE


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "410 Gone"])
def test_what_is_not_there_may_come_back(server: EvidenceServer, spools: Path, status: str) -> None:
    gone = failure(server, spools, refusal(status))

    assert isinstance(gone, GoneError)
    assert str(gone) == f"answered {status[:3]} (host=127.0.0.1)"


@pytest.mark.parametrize(
    "status", ["204 No Content", "206 Part", "304 Same", "400 Bad", "401 Who", "500 Oops", "502 Bad"]
)
def test_any_other_status_is_for_now(server: EvidenceServer, spools: Path, status: str) -> None:
    failed = failure(server, spools, refusal(status))

    assert type(failed) is DownloadFailedError
    assert failed.message == f"answered {status[:3]}"
    assert failed.retry_after_ms is None


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Busy"])
def test_a_server_may_say_when(server: EvidenceServer, spools: Path, status: str) -> None:
    failed = failure(server, spools, refusal(status, "Retry-After: 90"))

    assert isinstance(failed, DownloadFailedError)
    assert failed.retry_after_ms == 90_000


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (whole(PICTURE[:-20], length=len(PICTURE)), "less came than its length said"),
        (whole(PICTURE + b"more", length=len(PICTURE)), "more came than its length said"),
        (whole(picture(NAME, size=99_000), length=70_000), "more came than its length said"),
        (in_chunks(PICTURE, ends=False), "no whole file came: "),
        (whole(b"<html>be back soon</html>"), "it begins like no picture, video or sound"),
        (whole(b""), "it is empty"),
        (
            lambda _: iter([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n"]),
            "InvalidHeader",
        ),
        (lambda _: iter([b"SSH-2.0-OpenSSH\r\n"]), "no whole file came: BadStatusLine"),
        (lambda _: iter([b""]), "no whole file came: RemoteDisconnected"),
        (redirect("http://[::1"), "no whole file came: ValueError"),
        (
            lambda _: iter([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n"]),
            "no whole file came: ValueError",
        ),
    ],
    ids=[
        *("cut", "more", "more in pieces", "no end", "page", "empty", "two lengths", "no HTTP", "hung up"),
        *("redirect to nowhere", "less than nothing"),
    ],
)
def test_what_does_not_come_whole_is_for_now(
    server: EvidenceServer, spools: Path, answer: Answer, reason: str
) -> None:
    failed = failure(server, spools, answer)

    assert type(failed) is DownloadFailedError
    assert reason in failed.message


@pytest.mark.parametrize(
    "answer",
    [
        whole(PICTURE, length=1_000_000),
        whole(picture(NAME, size=999)),
        endless(PICTURE),
        in_chunks(bytes(999)),
    ],
    ids=["announced", "announced and there", "endless", "in chunks"],
)
def test_what_is_too_large_is_never_tried_again(server: EvidenceServer, spools: Path, answer: Answer) -> None:
    refused = failure(server, spools, answer, limits=Limits(max_bytes=500))

    assert isinstance(refused, DownloadRefusedError)
    assert refused.message == "it is larger than 500 bytes"


def test_what_is_compressed_is_not_unpacked(server: EvidenceServer, spools: Path) -> None:
    refused = failure(server, spools, compressed(bytes(10_000_000)))

    assert isinstance(refused, DownloadRefusedError)
    assert refused.message == "it comes compressed, which nobody asked for"


@pytest.mark.parametrize(
    "answer",
    [
        dripping(PICTURE, every=0.03, after=b"HTTP/1.1 200 OK\r\n\r\n"),
        dripping(b"X-Pad: " + b"." * 1_000, every=0.03, after=b"HTTP/1.1 200 OK\r\n"),
        silence,
    ],
    ids=["body", "head", "silence"],
)
def test_a_server_that_takes_too_long_is_left(server: EvidenceServer, spools: Path, answer: Answer) -> None:
    failed = failure(server, spools, answer, within=SHORT)

    assert failed.message == f"not done within {SHORT} ms"


def test_a_server_that_falls_silent_is_left_before_the_time_is_over(
    server: EvidenceServer, spools: Path
) -> None:
    answer = dripping(b".", every=60, after=b"HTTP/1.1 200 OK\r\n\r\n" + PICTURE)
    failed = failure(server, spools, answer, limits=Limits(idle_ms=SHORT))

    assert failed.message == "no whole file came: TimeoutError"


def test_nothing_is_asked_for_when_the_time_is_over(server: EvidenceServer, spools: Path) -> None:
    assert failure(server, spools, whole(PICTURE), within=0).message == "no time left to begin"
    assert server.asked(NAME) == 0


def test_a_redirect_is_followed(server: EvidenceServer, spools: Path) -> None:
    server.set("moved", redirect(f"/{NAME}"))
    url = server.url("moved")
    with downloads(server, spools).download(url, deadline=NOW + MINUTE) as download:
        assert read(download) == PICTURE


def test_redirects_in_a_circle_end(server: EvidenceServer, spools: Path) -> None:
    failed = failure(server, spools, redirect(f"/{NAME}"), limits=Limits(redirects=2))

    assert failed.message == "more than 2 redirects"
    assert server.asked(NAME) == 3


def test_a_disk_that_takes_no_more_is_for_now(server: EvidenceServer, spools: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        failed = failure(server, spools, whole(PICTURE))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert isinstance(failed, StoreUnavailableError)
    assert failed.message == "the temporary disk cannot be written to: File too large"


def test_a_disk_that_is_not_there_is_for_now(server: EvidenceServer, spools: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="temporary disk cannot be written to: No such file"):
        fetched(server, spools, folder=spools / "none")
