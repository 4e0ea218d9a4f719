"""Every sample of `events/console/` is replayed through the handler, as Function Compute would."""

from __future__ import annotations

import base64
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from functions.console.handler import handle, handler
from shared import bootstrap
from shared.adapters.clocks import SystemClock
from shared.console.access import COOKIE, ClosedAccess
from shared.console.answering import Console
from shared.errors import SettingError
from shared.pages.static_files import FILES, static_name
from shared.toolkit import fake_context
from tests.console import CONSOLE, JWKS, KEY, SAMPLES, Links, ask, sample, world_with_a_job
from tests.faults import UNAVAILABLE, Fault, Faults, first
from tests.tokens import claims, jwks, token
from tests.world import START, World, ref

# What each is answered with, and what its body says.
EXPECTED: dict[str, tuple[int, str]] = {
    "head": (200, ""),
    "job": (200, "job-1"),
    "job-unknown": (404, "未找到"),
    "list": (200, "No job matches"),
    "list-wrong-filter": (400, "day is no date"),
    "no-token": (401, "令牌缺失"),
    "overview": (200, "概览"),
    "picture": (200, ""),
    "post": (405, "只读"),
    "raw": (200, ""),
    "token-expired": (401, "expired"),
    "token-forged": (401, "none of the keys"),
}
OPEN = sorted(name for name, (status, _) in EXPECTED.items() if status == 200)
# Beside those of the page itself.
OF_ALL = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

each_sample = pytest.mark.parametrize("name", sorted(path.stem for path in SAMPLES.iterdir()))


def replayed(name: str, world: World, console: Console = CONSOLE) -> Any:
    """Give the answer to a sample."""
    return handle(sample(name), world.services, console)


def body_of(answer: Any) -> bytes:
    """Give the bytes that the platform would send."""
    text: str = answer["body"]
    return base64.b64decode(text) if answer["isBase64Encoded"] else text.encode()


@each_sample
def test_a_sample_is_answered_as_told(name: str) -> None:
    answer = replayed(name, world_with_a_job())

    assert (answer["statusCode"], EXPECTED[name][1] in body_of(answer).decode(errors="replace")) == (
        EXPECTED[name][0],
        True,
    )


@each_sample
def test_looking_writes_nothing(name: str) -> None:
    world = world_with_a_job()
    stored, writes, called = world.stored(), len(world.ledger.writes), len(world.vendor.calls)
    replayed(name, world)

    assert (world.stored(), len(world.ledger.writes), len(world.vendor.calls)) == (stored, writes, called)


@each_sample
def test_every_answer_has_the_headers_that_keep_a_page_to_itself(name: str) -> None:
    headers = replayed(name, world_with_a_job())["headers"]
    policy = dict(
        one.strip().split(" ", 1)
        for one in headers["content-security-policy"].split(";")
        if " " in one.strip()
    )

    assert headers.items() >= OF_ALL.items()
    assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'")
    assert headers["cache-control"] == "no-store"
    assert "unsafe" not in headers["content-security-policy"]


@pytest.mark.parametrize("name", OPEN)
def test_nobody_is_let_in_where_no_keys_are_set(name: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = replayed(name, world_with_a_job(), Console(ClosedAccess()))

    assert answer["statusCode"] == 403
    assert name == "head" or "LEDGER_CONSOLE_JWKS" in answer["body"]


def test_a_refused_page_asks_for_nothing_else_and_tells_what_it_wants() -> None:
    answer = replayed("no-token", World(None))

    assert answer["headers"]["www-authenticate"] == "Bearer"
    assert re.findall(r"<(?:link|script|a)\b(?![^>]*(?:#main|\?))", answer["body"]) == []


def test_a_method_that_would_change_something_is_told_what_is_allowed() -> None:
    assert replayed("post", World(None))["headers"]["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/jobs", f"/jobs/{KEY}"])
def test_the_links_of_a_page_lead_to_pages_below_the_same_address(path: str) -> None:
    world = world_with_a_job()
    body = ask(world.services, path)["body"]
    found = set(re.findall(r'(?:href|src|action)="([^"#?]+)', body))
    levels = path.count("/") - 1

    assert found
    for one in found:
        assert one.startswith("./" if levels == 0 else "../")
        tail = re.sub(r"^(\./|\.\./)", "/", one)
        assert ask(world.services, tail)["statusCode"] == 200, one


@pytest.mark.parametrize("name", FILES)
def test_what_pages_are_drawn_with_may_be_kept_for_good(name: str) -> None:
    answer = ask(World(None).services, f"/static/{static_name(name)}")

    assert (answer["statusCode"], answer["headers"]["cache-control"]) == (
        200,
        "private, max-age=31536000, immutable",
    )


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/jobs/",
        "/jobs/no-key",
        "/jobs/ff.vod.media_audit.job-1",
        f"/jobs/{ref('job-9').key}",
        f"/jobs/{KEY}/",
        f"/jobs/{KEY}/evidence/nothing",
        f"/jobs/{KEY}/raw/nothing",
        f"/jobs/{KEY}/raw/..%2F..%2Fledger.db",
        "/jobs/ff.vod.media_audit.job-1/raw/answer",
        "/static/page.css",
        "/static/..%2F__init__.py",
        "/../jobs",
        "//jobs",
        f"/jobs/{'x' * 2000}",
        # So many characters would pass; a key of the ledger is counted in bytes.
        f"/jobs/{'%E5%AA%92' * 1_000}/evidence/1",
        f"/jobs/{KEY}/evidence/{'%E5%AA%92' * 1_000}",
        "/jobs/%00",
        "/%2e",
    ],
)
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert ask(world_with_a_job().services, path)["statusCode"] == 404


@pytest.mark.parametrize(
    ("path", "query", "says"),
    [
        ("/jobs", {"state": "odd"}, "state is not known"),
        ("/jobs", {"after": "x"}, "`after`"),
        ("/jobs", {"needs": "<script>"}, "needs is not known"),
        (f"/jobs/{KEY}", {"check": "porn", "from": "-1"}, "from"),
        (f"/jobs/{KEY}", {"check": "porn", "from": "9" * 99}, "from"),
    ],
)
def test_what_cannot_be_asked_is_told_by_its_name(path: str, query: dict[str, str], says: str) -> None:
    answer = ask(world_with_a_job().services, path, query)

    assert answer["statusCode"] == 400
    assert says in answer["body"]
    assert "<script>" not in re.sub(r"<script src=", "", answer["body"])


def test_the_text_of_an_address_stays_text() -> None:
    hostile = '"><script>alert(1)</script>{{7*7}}'
    body = ask(World(None).services, "/jobs", {"label": hostile, "lang": hostile, "x": hostile})["body"]

    assert "<script>alert" not in body
    assert "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in body


def test_a_store_that_does_not_answer_is_told_as_such_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    world = World(None)
    services = world.through(Faults(first("scan", UNAVAILABLE)))
    answer = ask(services, "/")

    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "5")
    assert [one.levelname for one in caplog.records if one.name == "shared.console.answering"] == ["ERROR"]


def test_an_error_that_nobody_expected_tells_a_stranger_nothing_of_the_code(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise RuntimeError("somewhere deep inside")

    services = World(None).through(Faults(first("scan", Fault(before=fail))))
    answer = ask(services, "/")

    assert answer["statusCode"] == 500
    assert "deep inside" not in answer["body"]
    assert "deep inside" in caplog.text


def test_what_is_wrong_with_us_is_logged_as_such(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise SettingError("no right to read")

    services = World(None).through(Faults(first("scan", Fault(before=fail))))

    assert ask(services, "/")["statusCode"] == 500
    assert ("misconfigured: a page could not be shown", logging.CRITICAL) in [
        (one.message, one.levelno) for one in caplog.records
    ]


def test_what_is_no_request_is_refused_with_the_headers_of_all() -> None:
    answer: Any = handle(b"{}", World(None).services, CONSOLE)

    assert (answer["statusCode"], answer["headers"]["cache-control"]) == (400, "no-store")
    assert answer["headers"].items() >= OF_ALL.items()


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Give the function an environment."""
    monkeypatch.setenv("LEDGER_OBJECTS", f"file://{tmp_path}/archive")
    monkeypatch.setenv("LEDGER_TABLES", f"sqlite://{tmp_path}/ledger.db")
    return monkeypatch


def invoked(cookie: str) -> Any:
    """Invoke the function as the platform does."""
    tree: Any = json.loads(sample("no-token"))
    tree["headers"]["Cookie"] = f"{COOKIE}={cookie}"
    try:
        return handler(json.dumps(tree).encode(), fake_context())
    finally:
        bootstrap.end_instance()


def test_the_environment_says_who_is_let_in(deployed: pytest.MonkeyPatch) -> None:
    now = SystemClock().now()
    good = token(claims(now, iss="ours"))

    assert invoked(good)["statusCode"] == 403
    deployed.setenv("LEDGER_CONSOLE_JWKS", jwks())
    assert invoked(good)["statusCode"] == 200
    assert invoked(token(claims(START)))["statusCode"] == 401
    deployed.setenv("LEDGER_CONSOLE_ISSUER", "theirs")
    assert invoked(good)["statusCode"] == 403


def test_keys_that_cannot_be_read_let_nobody_in_and_the_log_names_the_setting(
    deployed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.setenv("LEDGER_CONSOLE_JWKS", JWKS[:-9])
    answer = invoked("x")

    assert (answer["statusCode"], "JWKS" in str(answer)) == (500, False)
    assert answer["headers"].items() >= OF_ALL.items()
    assert re.search(r"misconfigured: .*LEDGER_CONSOLE_JWKS", capsys.readouterr().out)


def test_a_link_is_in_the_header_of_a_redirect_and_on_no_page() -> None:
    world = world_with_a_job()
    redirected = handle(sample("picture"), world.services, Console(CONSOLE.access, Links()))
    page = handle(sample("job"), world.services, Console(CONSOLE.access, Links()))

    assert redirected["statusCode"] == 303
    assert redirected["body"] == ""
    headers: Any = redirected["headers"]
    assert "x-oss-expires=300&x-oss-signature=canary" in headers["location"]
    assert "canary" not in str(page["body"])
