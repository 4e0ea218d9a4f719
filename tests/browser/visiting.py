"""Debian's Chromium, a console that it looks at, and visits of the one to the other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from cli.console_server import MAX_BODY_BYTES, ConsoleServer, OneTimeLink
from cli.local_ledger import opened
from localcloud.loopback import LoopbackServer
from shared.jobs import JobRef
from shared.policy import HOUR
from tests.browser.watching import Watch

NAME = "chromium"
COMMAND = (sys.executable, "-c", "from cli.main import main; main()")
"""Runs `media-ledger` from a checkout, whatever is installed."""
PATIENCE_MS = 15_000
"""How long something is waited for that comes at once where nothing else runs."""
_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever a page asks for, nothing leaves this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@contextmanager
def started(executable: str) -> Iterator[Browser]:
    """Start the browser, and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=_FLAGS,
            chromium_sandbox=os.geteuid() != 0,  # which refuses to start as root
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True)
class Console:
    """The address of a console; value and name of the cookie that lets in, where they are known."""

    base: str
    session: str = ""
    cookie: str = ""


@contextmanager
def served(folder: Path) -> Iterator[Console]:
    """Serve the pages of a ledger in a folder, with a clock in it, as `media-ledger console` does."""
    settings = {
        "LEDGER_OBJECTS": f"file://{folder}/archive",
        "LEDGER_TABLES": f"sqlite://{folder}/ledger.db",
        "LEDGER_CLOCK": f"{folder}/clock",
    }
    with opened(settings) as services:
        link = OneTimeLink("secret-of-the-link", "secret-of-the-session", services.clock.now() + HOUR)
        console = ConsoleServer(services, link, None)
        with LoopbackServer(console.serve, name="console", max_body_bytes=MAX_BODY_BYTES) as server:
            link.host = server.endpoint.removeprefix("http://")
            yield Console(server.endpoint, link.session, link.cookie)


@contextmanager
def console_command(folder: Path, **environment: str) -> Iterator[str]:
    """Start `media-ledger console` in a process of its own, and give the link that it prints."""
    command = [*COMMAND, "console", "--no-open", "--dir", str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | environment
    )
    with process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def path_of(ref: JobRef) -> str:
    """Give the path of a job's page."""
    return f"/jobs/{quote(ref.key, safe='')}"


class Visits:
    """Opens pages of a console, each in a browser of somebody who has never been there."""

    def __init__(self, browser: Browser, console: Console) -> None:
        self._browser = browser
        self._console = console
        self._open: list[tuple[BrowserContext, Watch]] = []

    def page(self, path: str = "/", **options: Any) -> Page:
        """Open a page for whoever has a session; `options` are those of a browser context."""
        page = self.stranger(**options)
        page.context.add_cookies(
            [{"name": self._console.cookie, "value": self._console.session, "url": self._console.base}]
        )
        answer = page.goto(path)
        assert answer is not None
        assert answer.ok, page.inner_text("main")
        return page

    def stranger(self, *, origin: str | None = None, **options: Any) -> Page:
        """Give an empty page without a session; `origin` is where it may load from instead of the console."""
        base = self._console.base
        context = self._browser.new_context(base_url=base, **options)
        context.set_default_timeout(PATIENCE_MS)
        self._open.append((context, Watch(context, origin=origin or base)))
        return context.new_page()

    def watch(self, page: Page) -> Watch:
        """Give the watch over a page."""
        return next(watch for context, watch in self._open if context is page.context)

    def end(self) -> list[str]:
        """Close everything, and give what went wrong anywhere."""
        for context, _ in self._open:
            context.close()
        return [fault for _, watch in self._open for fault in watch.faults]
