"""`reconcile` has deliveries sent that are due: here, or by the deployed function."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.fc.service import FcService, fc_server
from tests.cli.conftest import KEY, LocalVendor, Shell
from tests.cli.loopback_target import Publisher, publisher


@pytest.fixture
def target(shell: Shell, vendor: LocalVendor) -> Iterator[Publisher]:
    """Settle two jobs that the publisher is to be told of."""
    with publisher() as serving:
        shell.env |= serving.settings()
        for _ in range(2):
            job_id = vendor.submit()
            vendor.clock.sleep(10_000)
            assert shell.run("settle", "vod.media_audit", job_id).exit_code == 0
        yield serving


def run(shell: Shell, *, status: int) -> dict[str, Any]:
    result = shell.run("reconcile", "--json")
    assert result.exit_code == status, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def test_what_is_due_is_sent_here(shell: Shell, target: Publisher) -> None:
    told = run(shell, status=0)

    assert (told["handed_over"], told["deliveries"]) == (2, {"delivered": 2})
    assert len(target.taken) == 2
    assert run(shell, status=0)["handed_over"] == 0


def test_people_are_told_what_came_of_it(shell: Shell, target: Publisher) -> None:
    target.status = 500

    assert "deliveries of 2 jobs: 2 put off\n" in shell.run("reconcile").stdout


def test_a_target_that_refuses_needs_a_person(shell: Shell, target: Publisher) -> None:
    target.status = 410

    assert run(shell, status=1)["deliveries"] == {"undelivered": 2}


@pytest.mark.parametrize("lacks", [["LEDGER_DELIVERY_KEYS"], ["LEDGER_DELIVERY", "LEDGER_DELIVERY_KEYS"]])
def test_what_cannot_be_sent_here_is_left_untouched_to_the_timer(
    shell: Shell, target: Publisher, lacks: list[str]
) -> None:
    for name in lacks:
        del shell.env[name]

    result = shell.run("reconcile")

    assert result.exit_code == 3
    assert f"deliveries of 2 jobs: left to the timer, because {lacks[0]}" in result.stdout
    jobs = shell.json("jobs", "--json")["jobs"]
    outboxes = [shell.json("explain", job["job"], "--json")["outbox"] for job in jobs]
    assert [[entry["attempts"] for entry in outbox] for outbox in outboxes] == [[0], [0]]


def test_a_deployed_function_is_preferred(shell: Shell, vendor: LocalVendor, target: Publisher) -> None:
    payloads: list[bytes] = []
    service = FcService(
        lambda name: payloads.append, keys=(KEY,), clock=vendor.clock, random=random.Random(1)
    )
    with fc_server(service) as server:
        shell.env["LEDGER_ENDPOINTS"] += f",fc={server.endpoint}"
        shell.env["LEDGER_INVOKER"] = "fc3:?region=cn-shanghai&account=1000000000000001"
        result = shell.run("reconcile")
    service.tasks.execute()

    assert result.exit_code == 0
    assert "deliveries of 2 jobs: handed over to the function deliver\n" in result.stdout
    assert [len(json.loads(payload)["jobs"]) for payload in payloads] == [2]
    assert target.taken == []
