"""Where downloads may lead: by the name, by the address behind it, and again for every redirect."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.evidence.answers import redirect
from localcloud.evidence.pictures import picture
from localcloud.evidence.server import EvidenceServer
from shared.adapters.clocks import ManualClock
from shared.adapters.http_sessions import HttpSessions
from shared.adapters.https_downloads import HttpsDownloads
from shared.adapters.public_addresses import Resolve, is_public
from shared.adapters.senders.limited_runs import LimitedRuns
from shared.downloads import VENDOR, HostRule, Origins
from shared.errors import DownloadFailedError, DownloadRefusedError
from tests.scripted_downloads import read
from tests.shared.adapters.origins_on_loopback import LOOPBACK, loopback_origins
from tests.shared.adapters.senders.target_servers import CERTIFICATE, HOST, answer, serving

NOW = 1_763_640_000_000
SESSIONS = HttpSessions()
BUCKET = "pictures.oss-cn-shanghai.aliyuncs.com"
SECRET = "Signature=seen-by-nobody"


@pytest.fixture
def server() -> Iterator[EvidenceServer]:
    with EvidenceServer() as running:
        yield running


def fetched(url: str, *, origins: Origins, resolve: Resolve) -> bytes:
    downloads = HttpsDownloads(
        LimitedRuns(), clock=ManualClock(NOW), sessions=SESSIONS, origins=origins, resolve=resolve
    )
    with downloads.download(url, deadline=NOW + 60_000) as download:
        return read(download)


def refusal(url: str, *addresses: str, origins: Origins | None = None) -> str:
    """Give why an address is refused, which must not tell its query; hosts have these addresses."""
    with pytest.raises(DownloadRefusedError) as raised:
        fetched(url, origins=origins or Origins(), resolve=lambda *_: addresses)
    assert SECRET not in f"{raised.value} {raised.value.__cause__}"
    return raised.value.message


@pytest.mark.parametrize(
    ("rule", "host", "port", "is_admitted"),
    [
        (".aliyuncs.com", BUCKET, 443, True),
        (".aliyuncs.com", BUCKET, 80, True),
        (".aliyuncs.com", BUCKET, 22, False),
        (".aliyuncs.com", f"{BUCKET}.", 443, True),
        (".aliyuncs.com", BUCKET.upper(), 443, True),
        (".aliyuncs.com", "aliyuncs.com", 443, False),
        (".aliyuncs.com", "evil-aliyuncs.com", 443, False),
        (".aliyuncs.com", "aliyuncs.com.evil.example", 443, False),
        ("cdn.example.com", "cdn.example.com", 443, True),
        ("cdn.example.com", "a.cdn.example.com", 443, False),
        ("CDN.example.com", "cdn.example.com", 80, True),
        ("10.1.2.3:8080", "10.1.2.3", 8080, True),
        ("10.1.2.3:8080", "10.1.2.3", 80, False),
    ],
)
def test_a_rule_admits_what_it_names(rule: str, host: str, port: int, is_admitted: bool) -> None:
    assert HostRule.parse(rule).admits(host, port) is is_admitted


@pytest.mark.parametrize(
    "text",
    ["", ".", "*", "*.example.com", "https://a.example", "a.example/", "a:0", "a:65536", "a..b", "ä.de"],
)
def test_what_names_no_host_is_no_rule(text: str) -> None:
    with pytest.raises(ValueError, match="must look like"):
        HostRule.parse(text)


@given(st.from_regex(r"[a-z0-9.@:/\\#?%-]{0,40}", fullmatch=True))
def test_no_spelling_of_an_address_leads_past_the_rules(text: str) -> None:
    """Only the vendor's hosts are resolved, however an address is written that somebody reads otherwise."""
    asked: list[str] = []

    def resolve(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        raise OSError("no such host")

    with pytest.raises((DownloadRefusedError, DownloadFailedError)):
        fetched(f"http://{text}", origins=Origins(), resolve=resolve)
    assert all(host.lower().rstrip(".").endswith(".aliyuncs.com") for host in asked)


@pytest.mark.parametrize(
    "url",
    [
        f"http://evil.example/a.jpg?{SECRET}",
        f"http://{BUCKET}@evil.example/?{SECRET}",
        f"http://evil.example#@{BUCKET}/",
        f"http://evil.example\\@{BUCKET}/",
        f"http://{BUCKET}.evil.example/",
        f"http://{BUCKET}:22/",
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::1",
        "http:///a.jpg",
        "file:///etc/passwd",
        "ftp://evil.example/",
        "gopher://evil.example/",
        "//evil.example/",
        "evil.example",
        "",
    ],
)
def test_anywhere_else_is_refused_before_anybody_is_asked(url: str) -> None:
    assert "host" in (told := refusal(url)) or "address" in told


def test_a_password_in_an_address_is_not_used(server: EvidenceServer) -> None:
    assert "name or password" in refusal(server.url("a.jpg", host="user:word@127.0.0.1"))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "100.100.100.200", "100.118.28.52", "169.254.169.254", "::1", "fe80::1%eth0",
     "::ffff:127.0.0.1", "64:ff9b::a64:64c8", "2002:7f00:1::", "2001::1", "0.0.0.0"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_admitted_name_with_an_address_of_ours_is_refused(address: str, scheme: str) -> None:
    told = refusal(f"{scheme}://{BUCKET}/a.jpg?{SECRET}", address)

    assert told == f"{BUCKET} has no public address, but {address}"


@given(st.ip_addresses().filter(lambda address: not is_public(str(address))))
def test_no_address_that_is_not_public_is_connected_to(address: object) -> None:
    refusal(f"http://{BUCKET}/", str(address))


@given(
    st.sampled_from(["100.100.100.200", "169.254.169.254", "0.0.0.0", "::", "fe80::1", "::ffff:169.254.0.1"]),
    st.sampled_from(["0.0.0.0/0", "100.64.0.0/10", "169.254.0.0/16", "::/0", "fe80::/10"]),
)
def test_no_exception_leads_to_the_keys_of_the_machine(address: str, network: str) -> None:
    refusal(f"http://{BUCKET}/", address, origins=Origins((VENDOR,), (ip_network(network),)))


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(server: EvidenceServer) -> None:
    """A name that changes its mind after the check leads nowhere else."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    url = server.url("a.jpg", host="cdn.example.com")

    got = fetched(url, origins=loopback_origins(server, "cdn.example.com"), resolve=lambda *_: next(answers))

    assert got == picture("a.jpg")
    assert next(answers) == ["10.0.0.1"]
    assert f"Host: cdn.example.com:{server.port}" in server.head("a.jpg")


def test_a_name_is_checked_again_for_a_redirect_to_itself(server: EvidenceServer) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    server.set("a.jpg", redirect("/b.jpg"))

    with pytest.raises(DownloadRefusedError, match=r"no public address, but 10\.0\.0\.1"):
        fetched(
            server.url("a.jpg", host="cdn.example.com"),
            origins=loopback_origins(server, "cdn.example.com"),
            resolve=lambda *_: next(answers),
        )
    assert server.asked("b.jpg") == 0


@pytest.mark.parametrize(
    "location",
    [
        f"http://evil.example/?{SECRET}",
        "//evil.example/",
        "http://100.100.100.200/latest/meta-data/",
        "http://[::1]/",
        "file:///etc/passwd",
        f"http://{BUCKET}/",
        "http://user:word@127.0.0.1/",
    ],
)
def test_a_redirect_leads_no_further_than_an_address_of_its_own(
    server: EvidenceServer, location: str
) -> None:
    server.set("a.jpg", redirect(location))

    refusal(server.url("a.jpg"), "127.0.0.1", origins=Origins((VENDOR, HostRule.parse(server.host))))
    refusal(
        server.url("a.jpg"),
        "10.0.0.1" if "aliyuncs" in location else "127.0.0.1",
        origins=loopback_origins(server),
    )


def test_of_several_addresses_one_that_is_ours_is_passed_over(server: EvidenceServer) -> None:
    got = fetched(
        server.url("a.jpg", host="cdn.example.com"),
        origins=loopback_origins(server, "cdn.example.com"),
        resolve=lambda *_: ["10.0.0.1", "127.0.0.1"],
    )

    assert got == picture("a.jpg")


def test_a_host_that_is_not_found_may_be_later() -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(DownloadFailedError, match="no whole file came: Name or service not known"):
        fetched(f"http://{BUCKET}/a.jpg?{SECRET}", origins=Origins(), resolve=resolve)


def test_an_exception_is_for_its_network_alone() -> None:
    assert ip_address("10.0.0.1") not in LOOPBACK
    refusal(f"http://{BUCKET}/", "10.0.0.1", origins=Origins((VENDOR,), (LOOPBACK,)))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    file = tmp_path / "certificate.pem"
    file.write_text(CERTIFICATE)
    return file


def show_a_picture(connection: socket.socket, _: object) -> None:
    """Answer any request with a picture."""
    connection.recv(65_536)
    connection.sendall(answer("200 OK", body=picture("a.jpg")))


@pytest.mark.parametrize(("host", "is_shown"), [(HOST, True), ("other.example", False)])
def test_a_certificate_is_for_the_name_and_not_for_the_address(
    certificate: Path, host: str, is_shown: bool
) -> None:
    with serving(show_a_picture, tls=certificate) as (port, _):
        downloads = HttpsDownloads(
            LimitedRuns(),
            clock=ManualClock(NOW),
            sessions=HttpSessions(ca_bundle=certificate),
            origins=Origins((HostRule.parse(f"{host}:{port}"),), (LOOPBACK,)),
            resolve=lambda *_: ["127.0.0.1"],
        )
        download = downloads.download(f"https://{host}:{port}/a.jpg?{SECRET}", deadline=NOW + 60_000)
        refused = pytest.raises(DownloadFailedError, match="no whole file came")
        with nullcontext() if is_shown else refused, download as found:
            assert read(found) == picture("a.jpg")
