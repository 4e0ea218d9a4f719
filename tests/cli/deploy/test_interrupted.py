"""Ctrl-C, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from shared.adapters.clocks import SystemClock
from tests.cli.deploy.conftest import BUCKET, STACK, Account
from tests.judges import ROOT

# As in a terminal, also where the tests run behind a shell's `&`, which has Ctrl-C ignored.
RUN = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from cli.main import main; main()"
)


def test_ctrl_c_ends_the_waiting_and_says_how_to_go_on(account: Account) -> None:
    account.clock.set(SystemClock().now())
    environment = {**os.environ, **account.shell.env}
    del environment["LEDGER_CLOCK"]  # the machine's time does not jump to the end
    words = (*STACK, "--code-bucket", BUCKET, "--package", str(account.package))
    template = ("--template", str(account.template), "--parameter", "ArchiveBucket=media-archive")
    command = [sys.executable, "-c", RUN, "deploy", *words, *template]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        told = [running.stderr.readline()]
        while told[-1] and "CREATE_IN_PROGRESS" not in told[-1]:
            told.append(running.stderr.readline())
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()

    assert running.returncode == 3
    assert "it goes on without us" in rest
    assert "--wait-only` looks on" in rest
    assert "Traceback" not in rest
