"""`console` shows a ledger on this machine, to whoever opens its link first."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import webbrowser
from contextlib import closing
from pathlib import Path
from queue import Queue
from urllib.parse import urlsplit

import pytest
import requests
from typer.testing import CliRunner

from cli.console import announce
from cli.console_server import ConsoleServer, OneTimeLink, host_of
from cli.main import app
from localcloud.loopback import HttpReply, HttpRequest
from shared.policy import HOUR
from tests.console import KEY, Links, world_with_a_job
from tests.world import START, World

RUN = "from cli.main import main; main()"
HOST = "127.0.0.1:8765"
COOKIE = "media_ledger_session_8765"
ONCE = "/once/the-link"
OURS = {"host": HOST, "cookie": f"{COOKIE}=the-session"}


def server(world: World) -> ConsoleServer:
    """Serve a world's ledger for an hour."""
    link = OneTimeLink(once="the-link", session="the-session", ends=START + HOUR, host=HOST)
    return ConsoleServer(world.services, link, None)


def get(server: ConsoleServer, target: str, *, method: str = "GET", **headers: str) -> HttpReply:
    """Ask as a browser does that has come by the right address."""
    return server.serve(HttpRequest(method, target, {"host": HOST, **headers}))


def test_the_link_opens_a_session_that_no_script_and_no_other_site_can_use() -> None:
    served = server(world_with_a_job())
    reply = get(served, ONCE)

    assert (reply.status, reply.headers["location"]) == (303, "/")
    assert reply.headers["set-cookie"] == f"{COOKIE}=the-session; Path=/; HttpOnly; SameSite=Strict"
    assert get(served, "/", cookie=OURS["cookie"]).status == 200


def test_the_link_works_once() -> None:
    served = server(World(None))
    replies = [get(served, ONCE) for _ in range(3)]

    assert [reply.status for reply in replies] == [303, 403, 403]
    assert all("set-cookie" not in reply.headers for reply in replies[1:])
    assert b"media-ledger console" in replies[1].body


@pytest.mark.parametrize(
    "target", ["/once/", "/once/another", "/once/the-link/", "/once/the-lin%6B", "/once/\xe9"]
)
def test_another_link_opens_nothing_and_uses_nothing_up(target: str) -> None:
    served = server(World(None))

    assert get(served, target).status == 403
    assert get(served, ONCE).status == 303


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_who_only_looks_at_a_link_does_not_use_it_up(method: str) -> None:
    served = server(World(None))

    assert get(served, ONCE, method=method).status == 401
    assert get(served, ONCE).status == 303


@pytest.mark.parametrize(
    "cookie",
    ["", "x=y", f"{COOKIE}=", f"{COOKIE}=another", f"{COOKIE}=the-link", "media_ledger_token=the-session"],
)
@pytest.mark.parametrize(
    "target", ["/", "/jobs", f"/jobs/{KEY}", f"/jobs/{KEY}/raw/answer", "/static/page.css"]
)
def test_without_the_session_nothing_is_shown(target: str, cookie: str) -> None:
    reply = get(server(world_with_a_job()), target, cookie=cookie)

    assert reply.status == 401
    assert b"job-1" not in reply.body


def test_a_session_of_another_port_is_none_and_leaves_this_one_alone() -> None:
    served = server(World(None))

    assert get(served, "/", cookie=f"media_ledger_session_1=x; {COOKIE}=the-session").status == 200
    assert get(served, "/", cookie="media_ledger_session_1=the-session").status == 401


@pytest.mark.parametrize(
    ("endpoint", "host"), [("http://127.0.0.1:8765", HOST), ("http://127.0.0.1:80", "127.0.0.1")]
)
def test_a_browser_names_the_port_unless_it_is_that_of_http(endpoint: str, host: str) -> None:
    assert host_of(endpoint) == host


@pytest.mark.parametrize("target", ["http://[", "//[", "*", "\xff", "/\ud800", "/?" + "&".join("a" * 5_000)])
def test_a_target_that_is_none_is_answered(target: str) -> None:
    assert get(server(World(None)), target, cookie=OURS["cookie"]).status in (200, 404)


@pytest.mark.parametrize("target", ["/", ONCE])
@pytest.mark.parametrize("host", ["evil.example:8765", "127.0.0.1", "127.0.0.1:1", "localhost:8765", ""])
def test_a_name_that_somebody_led_here_is_refused(host: str, target: str) -> None:
    served = server(world_with_a_job())

    refused = get(served, target, host=host, cookie=OURS["cookie"])

    assert (refused.status, f"http://{HOST}".encode() in refused.body) == (403, True)
    assert get(served, ONCE).status == 303


def test_the_session_ends_with_its_time() -> None:
    world = World(None)
    served = server(world)
    get(served, ONCE)
    world.clock.advance(HOUR)

    assert get(served, "/", cookie=OURS["cookie"]).status == 401
    assert get(server(world), ONCE).status == 403


def test_pages_lists_and_files_are_those_of_the_function() -> None:
    world = world_with_a_job()
    served = server(world)
    replies = {
        target: get(served, target, cookie=OURS["cookie"])
        for target in (f"/jobs/{KEY}?lang=zh", "/jobs?label=nothing", f"/jobs/{KEY}/raw/answer", "/nope")
    }

    assert [reply.status for reply in replies.values()] == [200, 200, 200, 404]
    assert b'<html lang="zh-CN">' in replies[f"/jobs/{KEY}?lang=zh"].body
    assert replies[f"/jobs/{KEY}/raw/answer"].body == next(iter(world.stored("raw/").values()))


def test_files_in_a_bucket_are_reached_by_links() -> None:
    world = world_with_a_job()
    served = ConsoleServer(world.services, server(world).link, Links())

    assert (
        get(served, f"/jobs/{KEY}/raw/answer", cookie=OURS["cookie"])
        .headers["location"]
        .startswith("https://")
    )


def test_no_secret_is_shown_by_what_holds_it() -> None:
    shown = repr(server(World(None)))

    assert "the-link" not in shown
    assert "the-session" not in shown


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Make a ledger with one job."""
    track = ["track", "vod.media_audit", "job-1", "--dir", str(tmp_path)]
    announced = CliRunner().invoke(app, track)
    assert announced.exit_code == 0, announced.output
    return tmp_path


def run(folder: Path, *options: str, stderr: int | None = None) -> subprocess.Popen[str]:
    """Begin the command."""
    command = [sys.executable, "-c", RUN, "console", "--dir", str(folder), "--for", "5m", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)


def test_the_command_serves_until_it_is_interrupted(ledger: Path) -> None:
    with run(ledger, "--json") as process:
        assert process.stdout is not None
        url = json.loads("".join(process.stdout.readline() for _ in range(3)))["url"]
        session = requests.Session()
        session.trust_env = False
        page, again = session.get(url, timeout=30), requests.get(url, timeout=30)
        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=30) == 0
    assert urlsplit(url).hostname == "127.0.0.1"
    assert len(urlsplit(url).path.removeprefix("/once/")) >= 43  # 256 bits
    assert (page.status_code, urlsplit(page.url).path) == (200, "/")
    assert again.status_code == 403


def test_what_a_page_cannot_be_shown_for_is_told_on_standard_error(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger / "ledger.db")) as database, database:
        ((key,),) = database.execute("SELECT job_key FROM jobs")
        database.execute("UPDATE jobs SET state = 'odd token=canary'")
    with run(ledger, "--json", stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = json.loads("".join(process.stdout.readline() for _ in range(3)))["url"]
        session = requests.Session()
        session.trust_env = False
        session.get(url, timeout=30)
        page = session.get(f"{url.partition('/once/')[0]}/jobs/{key}", timeout=30)
        process.send_signal(signal.SIGINT)
        logged = [json.loads(line) for line in process.stderr.read().splitlines()]

    assert (page.status_code, "The log says why" in page.text) == (500, True)
    assert [(one["level"], one["message"]) for one in logged] == [("WARNING", "a page could not be shown")]
    assert "canary" not in json.dumps(logged)


def test_the_browser_is_opened_with_the_link_that_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: Queue[str] = Queue()
    monkeypatch.setattr(webbrowser, "open", opened.put)
    announce("http://127.0.0.1:8765/once/x", as_json=False, opens=True)

    assert opened.get(timeout=30) == capsys.readouterr().out.strip()


def test_a_port_that_is_taken_is_told_as_such(ledger: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["console", "--dir", str(ledger), "--port", port])

    assert result.exit_code == 2
    assert "--port" in result.output


@pytest.mark.parametrize("given", ["8", "h", "0h", "-1h", "8d", "9999h"])
def test_a_time_that_is_none_is_refused(given: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["console", "--dir", str(tmp_path), "--for", given])

    assert result.exit_code == 2
    assert "--for" in result.output


def test_no_ledger_is_made_where_there_is_none(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["console", "--dir", str(tmp_path / "none")])

    assert result.exit_code == 1
    assert not (tmp_path / "none").exists()
