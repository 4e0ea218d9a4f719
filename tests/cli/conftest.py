"""A shell for tests: the real command line, a folder of its own, and a local vendor with one key."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from localcloud.media.gateway import Gateway
from localcloud.media.server import MediaApiServer
from localcloud.media.vod import Outcome, Vod
from shared.adapters.local.file_clock import FileClock
from shared.toolkit.context import Credentials

NOON = 1_763_640_000_000  # 2025-11-20T12:00:00Z
KEY = Credentials("testAccessKeyId", "canary-access-key-secret")
DATA: dict[str, Any] = {
    "Suggestion": "review",
    "Label": "porn",
    "VideoResult": {"PornResult": {"Label": "sexy", "Suggestion": "review", "MaxScore": "92.48"}},
}


# Where the vendor's client would look for keys of this machine, and wait for them.
NO_KEYS_HERE = {
    "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true",
    "ALIBABA_CLOUD_CREDENTIALS_FILE": os.devnull,
    "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
}


@dataclass
class Shell:
    """Runs commands in a folder, with the settings of `env` and nothing of the machine's."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, stdin: bytes | None = None) -> Result:
        """Run a command as a person would type it."""
        # As wide whoever runs the tests: a table folds what a narrow terminal has no room for.
        env = {"COLUMNS": "120", **self.env}
        result = CliRunner().invoke(app, list(words), input=stdin, env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def json(self, *words: str, stdin: bytes | None = None) -> Any:
        """Run a command that must succeed and print one JSON document."""
        result = self.run(*words, stdin=stdin)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@dataclass(frozen=True)
class LocalVendor:
    """A vendor on loopback whose jobs are submitted by calling `submit`."""

    vod: Vod
    gateway: Gateway
    clock: FileClock
    endpoint: str

    def submit(self, media_id: str = "media-1", params: Mapping[str, str] | None = None) -> str:
        """Submit a job and give its id; it is finished after ten seconds."""
        submit = next(action for action in self.vod.actions() if action.name.startswith("Submit"))
        answer = submit.handle({"MediaId": media_id, **(params or {})})
        assert isinstance(answer, dict)
        return str(answer["JobId"])


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """Give a shell whose settings are only its own; what a command sets is put back."""
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    for name in before:
        if name.startswith(("LEDGER_", "ALIBABA_CLOUD_")):
            del os.environ[name]
    os.environ.update(NO_KEYS_HERE)
    yield Shell(tmp_path)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def vendor(shell: Shell) -> Iterator[LocalVendor]:
    """Give a vendor, and let the shell's settings point at it."""
    clock = FileClock(shell.folder / "clock")
    clock.set(NOON)
    vod = Vod(clock=clock, outcomes={"media-1": Outcome("success", data=DATA)})
    gateway = Gateway(vod.actions(), keys=(KEY,), clock=clock, random=random.Random(1))
    with MediaApiServer(gateway) as server:
        shell.env = {
            "LEDGER_CLOCK": str(shell.folder / "clock"),
            "LEDGER_ENDPOINTS": f"vod={server.endpoint}",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEY.access_key_secret,
        }
        yield LocalVendor(vod, gateway, clock, server.endpoint)
