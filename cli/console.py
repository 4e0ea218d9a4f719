"""`console`: look at a ledger in the browser."""

from __future__ import annotations

import logging
import re
import secrets
import sys
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from cli.console_server import MAX_BODY_BYTES, ConsoleServer, OneTimeLink, host_of
from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, opened
from cli.serving import until_interrupted
from cli.terminal import Exit, complain, err, print_json, told_plainly
from localcloud.loopback import LoopbackServer
from shared import bootstrap
from shared.errors import SettingError
from shared.policy import HOUR, MINUTE
from shared.settings import Settings
from shared.toolkit.log_output import configured_formatter
from shared.toolkit.logger import JsonFormatter
from shared.toolkit.masking import Masker

_SECRET_BYTES = 32
_TIME = re.compile(r"([1-9][0-9]{0,2})(h|m)", re.ASCII)
_UNITS = {"h": HOUR, "m": MINUTE}

Port = Annotated[
    int, typer.Option("--port", min=0, max=65_535, help="Port on 127.0.0.1; 0 takes a free one.")
]
NoOpen = Annotated[bool, typer.Option("--no-open", help="Print the link alone, and open no browser.")]
Length = Annotated[
    str, typer.Option("--for", metavar="TIME", help="How long one may look, such as 8h or 30m.")
]
OneLine = Annotated[bool, typer.Option("--json", help="Print the link as one JSON document for scripts.")]


def console(
    folder: Folder = DEFAULT_FOLDER,
    port: Port = 0,
    no_open: NoOpen = False,
    length: Length = "8h",
    as_json: OneLine = False,
) -> None:
    """Show jobs in the browser, from here: the pages of the function console, read only, until Ctrl-C.

    It prints a link that opens one session, once, on this machine alone. The ledger is that of --dir, or that
    which the environment names.
    """
    found = _TIME.fullmatch(length)
    if found is None:
        complain("--for: must look like 8h or 30m", Exit.WRONG_USE)
    settings = environment(folder)
    with told_plainly(str(folder)), opened(settings, must_exist=folder) as services:
        link = OneTimeLink(
            once=secrets.token_urlsafe(_SECRET_BYTES),
            session=secrets.token_urlsafe(_SECRET_BYTES),
            ends=services.clock.now() + int(found[1]) * _UNITS[found[2]],
        )
        files = bootstrap.links(Settings.read(settings))
        server = _listening(ConsoleServer(services, link, files), port)
        link.host = host_of(server.endpoint)
        with _failures_told(), until_interrupted() as interrupted, server:
            announce(server.endpoint + link.path, as_json=as_json, opens=not (no_open or as_json))
            interrupted.wait()


@contextmanager
def _failures_told() -> Iterator[None]:
    """Write to standard error why a page could not be shown, which no page says; with -v that is there."""
    root, handler = logging.getLogger(), logging.StreamHandler()
    handler.setFormatter(JsonFormatter(Masker()))
    if configured_formatter() is None:
        root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


def _listening(console_server: ConsoleServer, port: int) -> LoopbackServer:
    try:
        return LoopbackServer(console_server.serve, name="console", port=port, max_body_bytes=MAX_BODY_BYTES)
    except OSError as error:
        raise SettingError("nothing can listen there: name another --port", port=port, reason=error) from None


def announce(url: str, *, as_json: bool, opens: bool) -> None:
    """Tell the link, and open it."""
    if as_json:
        print_json({"url": url})
    else:
        err().print("Open this link, which works once; Ctrl-C ends it:")
        typer.echo(url)
    sys.stdout.flush()
    if opens:
        # Some browsers, started like this, come back only when they are closed.
        threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()
