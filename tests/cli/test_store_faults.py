"""What a person reads when the stores cannot be used, and what the next command finds: nothing half done."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from localcloud.media.vod import Outcome, Vod
from shared.adapters.clocks import ManualClock, SystemClock
from tests.cli.conftest import DATA, Shell

ROOT = Path(__file__).parents[2]
SETTLE = ("settle", "vod.media_audit", "job-1", "--json")
PLACES = ("LEDGER_OBJECTS", "LEDGER_TABLES", "LEDGER_INVOKER")
NOBODY = "http://127.0.0.1:9"
# What a full disk does, for one process: the kernel refuses to write past this.
ON_A_FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes}, {bytes}))
from cli.main import main
main()
"""
FAULTS = {
    "no bucket": ({"LEDGER_OBJECTS": "oss://nobodys"}, 2, "check the bucket in LEDGER_OBJECTS"),
    "another instance": (
        {"LEDGER_TABLES": "ots://nobodys"},
        2,
        "check the name and the region of the instance",
    ),
    "no tables": ({"LEDGER_TABLES": "ots://media-ledger?prefix=new_"}, 2, "run `media-ledger init`"),
    "a wrong secret": ({"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "canary"}, 2, "check the access key"),
    "an expired token": ({"ALIBABA_CLOUD_SECURITY_TOKEN": "canary"}, 2, "have expired: renew them"),
    "OSS is away": ({"oss": NOBODY}, 3, "no answer from OSS"),
    "Tablestore is away": ({"ots": NOBODY}, 3, "Tablestore did not answer"),
}


@pytest.fixture
def cloud(shell: Shell) -> Iterator[LocalCloud]:
    """Serve a cloud whose vendor knows one finished job, and point the shell at it."""
    clock = ManualClock(SystemClock().now())
    vod = Vod(clock=clock, outcomes={"media-1": Outcome("success", data=DATA)}, job_ids=iter(["job-1"]))
    submit = next(action for action in vod.actions() if action.name.startswith("Submit"))
    submit.handle({"MediaId": "media-1"})
    clock.advance(60_000)
    with LocalCloud(shell.folder / "cloud", {"none": bytes}.__getitem__, actions=vod.actions()) as cloud:
        shell.env = cloud.environment()
        shell.json("init", "--json")
        yield cloud


def changed(settings: dict[str, str], changes: dict[str, str]) -> dict[str, str]:
    """Change settings, and the endpoints of services by their names."""
    variables = {name: value for name, value in changes.items() if name.isupper()}
    endpoints = dict(pair.split("=", 1) for pair in settings["LEDGER_ENDPOINTS"].split(","))
    endpoints |= {name: url for name, url in changes.items() if not name.isupper()}
    together = ",".join(f"{name}={url}" for name, url in endpoints.items())
    return {**settings, **variables, "LEDGER_ENDPOINTS": together}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_command_says_what_to_do_and_the_next_one_finds_nothing_half_done(
    shell: Shell, cloud: LocalCloud, fault: str
) -> None:
    changes, status, words = FAULTS[fault]
    right = shell.env
    shell.env = changed(right, changes)
    failed = shell.run(*SETTLE)
    shell.env = right

    assert failed.exit_code == status
    assert words in failed.output
    assert "canary" not in failed.output
    assert shell.json(*SETTLE)["state"] == "succeeded"


def test_without_any_keys_a_command_says_how_to_give_them(shell: Shell, cloud: LocalCloud) -> None:
    shell.env = {name: value for name, value in shell.env.items() if not name.startswith("ALIBABA_CLOUD_")}
    # Nor is there any other place to look: no home, and no machine that gives its role's keys.
    shell.env |= {"HOME": str(shell.folder), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}

    failed = shell.run(*SETTLE)

    assert failed.exit_code == 2
    assert "set ALIBABA_CLOUD_ACCESS_KEY_ID" in failed.stderr


@pytest.mark.parametrize(
    ("before", "most_bytes"),
    [((), 1_000), (("init",), 1_000), (("init",), 10_000)],
    ids=["of a new ledger", "of the first row", "of a later row"],
)
def test_a_full_disk_is_told_and_nothing_on_it_is_taken_for_whole(
    shell: Shell, cloud: LocalCloud, before: tuple[str, ...], most_bytes: int
) -> None:
    shell.env = {name: value for name, value in shell.env.items() if name not in PLACES}
    if before:
        assert shell.run(*before).exit_code == 0
    command = [sys.executable, "-c", ON_A_FULL_DISK.format(bytes=most_bytes), *SETTLE]
    full = subprocess.run(
        command,
        cwd=shell.folder,
        # Python would write byte code that is cut off, for everybody.
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **shell.env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert full.returncode == 3, full
    assert "ledger.db" in full.stderr
    assert shell.json(*SETTLE)["state"] == "succeeded"
