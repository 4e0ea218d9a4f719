"""`serve`: the whole cloud on this machine, until it is interrupted."""

from __future__ import annotations

import json
import random
import shlex
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TextIO

import typer
from pydantic import BaseModel

from cli.demonstration import ROOT, TEMPLATE
from cli.terminal import Exit, complain, err, escape, out, told_plainly
from localcloud.cloud import LocalCloud
from localcloud.fc.log_lines import lines_to
from localcloud.fc.token_issuer import TokenIssuer
from localcloud.lint.findings import nearest
from localcloud.running_cloud import cloud_with_functions
from localcloud.template import read_template
from shared.bootstrap.preparation import prepare
from shared.console_settings import ConsoleSettings
from shared.errors import SettingError
from shared.policy import HOUR
from shared.settings import Settings
from shared.webhook_settings import WebhookSettings

DEFAULT_FOLDER = Path("media-ledger-cloud")
_SETTINGS: tuple[type[BaseModel], ...] = (Settings, WebhookSettings, ConsoleSettings)
_TOKEN_HOURS = 12

CloudFolder = Annotated[
    Path, typer.Option("--dir", help="Folder that keeps what the buckets and tables hold.", show_default=True)
]
OwnSettings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the functions; may be repeated."),
]
LogFile = Annotated[
    Path | None,
    typer.Option("--log", help="File that the functions' log is appended to, instead of standard error."),
]
OneLine = Annotated[bool, typer.Option("--json", help="Print one line of JSON for scripts when it is ready.")]


def serve(
    folder: CloudFolder = DEFAULT_FOLDER,
    own: OwnSettings = None,
    log: LogFile = None,
    as_json: OneLine = False,
) -> None:
    """Serve media APIs, OSS, Tablestore, MNS and Function Compute on loopback ports until Ctrl-C.

    The functions of template.yml run in processes of their own, started by its queues, topic, timers and
    HTTP triggers; they see nothing of this shell's variables. Prints where everything is, and the lines that
    point another shell's commands at it. Signatures are checked; the keys are for here alone.
    """
    settings = dict(_setting(text) for text in own or ())
    issuer = TokenIssuer.make(random.SystemRandom())
    template = read_template(TEMPLATE, parameters={"ConsoleJwks": issuer.jwks})
    with (
        told_plainly(str(folder)),
        _opened(log) as lines,
        cloud_with_functions(folder, template, settings, code=ROOT, log=lines_to(lines)) as cloud,
        until_interrupted() as interrupted,
    ):
        environment = {**cloud.environment(), **settings}
        prepare(Settings.read(environment))
        ends = int(time.time() * 1_000) + _TOKEN_HOURS * HOUR
        token = issuer.token(audience=ConsoleSettings.read({}).audience, ends=ends)
        _announce(cloud, environment, token, as_json=as_json)
        interrupted.wait()


def _setting(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        complain(f"--set {text}: must look like LEDGER_LOG_LEVEL=DEBUG", Exit.WRONG_USE)
    known = {one.alias or "" for model in _SETTINGS for one in model.model_fields.values()}
    # Other names are those of hooks, which read variables of their own.
    if name.startswith("LEDGER_") and name not in known:
        near = nearest(name, known)
        hint = f"; did you mean {near}?" if near else ""
        complain(f"--set {name}: no such setting{hint}", Exit.WRONG_USE)
    return name, value


@contextmanager
def _opened(log: Path | None) -> Iterator[TextIO]:
    if log is None:
        yield sys.stderr
        return
    try:
        file = log.open("a", encoding="utf-8")
    except OSError as error:
        raise SettingError("the log cannot be written there: name another file", reason=str(error)) from None
    with file:
        yield file


def _announce(cloud: LocalCloud, environment: dict[str, str], token: str, *, as_json: bool) -> None:
    if as_json:
        told = {
            "endpoints": asdict(cloud.endpoints),
            "urls": cloud.urls,
            "environment": environment,
            "console_token": token,
        }
        typer.echo(json.dumps(told))
        sys.stdout.flush()
        return
    triggers = {f"HTTP trigger of {function}": url for function, url in cloud.urls.items()}
    for name, url in {**asdict(cloud.endpoints), **triggers}.items():
        err().print(f"[bold]{name:<24}[/] {escape(url)}")
    err().print(f"[bold]{'token of the console':<24}[/] {token}")
    err().print("In another shell, before any command of media-ledger; Ctrl-C here ends it:")
    for name, value in environment.items():
        out().print(f"export {name}={shlex.quote(value)}", markup=False)


@contextmanager
def until_interrupted() -> Iterator[threading.Event]:
    """Give an event that comes with Ctrl-C or a polite end from outside."""
    interrupted = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: interrupted.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
