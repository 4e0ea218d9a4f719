"""`serve`: the whole cloud on this machine, until it is interrupted."""

from __future__ import annotations

import json
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.demonstration import TEMPLATE
from cli.local_ledger import as_environment
from cli.terminal import err, escape, functions_log_to, out, told_plainly
from localcloud.cloud import LocalCloud
from localcloud.runner import InProcessRunner
from localcloud.template import read_template
from shared.bootstrap.preparation import prepare
from shared.settings import Settings

DEFAULT_FOLDER = Path("media-ledger-cloud")

CloudFolder = Annotated[
    Path, typer.Option("--dir", help="Folder that keeps what the buckets and tables hold.", show_default=True)
]
OneLine = Annotated[bool, typer.Option("--json", help="Print one line of JSON for scripts when it is ready.")]


def serve(folder: CloudFolder = DEFAULT_FOLDER, as_json: OneLine = False) -> None:
    """Serve media APIs, OSS, Tablestore, MNS and Function Compute on loopback ports until Ctrl-C.

    Prints where they are and the lines that point another shell's commands at them. Signatures are checked;
    the key is for here alone. The functions of template.yml run in this process when they are invoked.
    """
    runner = InProcessRunner(read_template(TEMPLATE))
    with told_plainly(str(folder)), LocalCloud(folder, runner.resolve) as cloud:
        environment = cloud.environment()
        prepare(Settings.read(environment))
        with as_environment(environment), functions_log_to(sys.stderr), _until_interrupted() as interrupted:
            _announce(cloud, environment, as_json=as_json)
            interrupted.wait()


def _announce(cloud: LocalCloud, environment: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        told = {"endpoints": asdict(cloud.endpoints), "environment": environment}
        typer.echo(json.dumps(told))
        sys.stdout.flush()
        return
    for name, url in asdict(cloud.endpoints).items():
        err().print(f"[bold]{name:<6}[/] {escape(url)}")
    err().print("In another shell, before any command of media-ledger; Ctrl-C here ends it:")
    for name, value in environment.items():
        out().print(f"export {name}={shlex.quote(value)}", markup=False)


@contextmanager
def _until_interrupted() -> Iterator[threading.Event]:
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
