"""`rules`: the plan as it is read, and what it makes of a job."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import LocalVendor, Shell

PLAN: dict[str, Any] = {
    "targets": {
        "publisher": {"url": "https://publisher.example/hook?token=canary-token", "record": True},
        "desk": {"url": "fc:review-desk"},
        "spare": {"url": "fc:spare"},
    },
    "rules": [
        {"to": ["desk", "publisher"], "kinds": ["vod.media_audit"], "suggestions": ["block", "review"]},
        {"to": ["publisher"], "suggestions": ["pass"], "labels": ["normal", "unheard-of"]},
    ],
}
KEYS = '{"publisher": ["canary-key-000001", "canary-key-000002"]}'


@pytest.fixture
def planned(shell: Shell, vendor: LocalVendor) -> Shell:
    shell.env |= {"LEDGER_DELIVERY": json.dumps(PLAN), "LEDGER_DELIVERY_KEYS": KEYS}
    return shell


def test_the_plan_is_shown_as_it_was_read_without_what_is_secret(planned: Shell) -> None:
    told, shown = planned.json("rules", "--json"), planned.run("rules").stdout

    (publisher,) = [one for one in told["targets"] if one["name"] == "publisher"]
    assert (publisher["url"], publisher["record"], publisher["keys"]) == (
        "https://publisher.example/hook",
        True,
        2,
    )
    assert told["rules"][0] == {"rule": 1, **PLAN["rules"][0], "suggestions": ["block", "review"]}
    assert all(word in shown for word in ("publisher.example", "review-desk", "block, review", "any"))
    assert "canary" not in f"{told} {shown}"


def test_what_may_not_be_meant_is_noted(planned: Shell) -> None:
    del planned.env["LEDGER_DELIVERY_KEYS"]

    notes = planned.json("rules", "--json")["notes"]

    assert [note.partition(" ")[0] for note in notes] == ["publisher", "No", "Rule"]
    assert "spare" in notes[1]
    assert "unheard-of" in notes[2]


def test_without_a_plan_nobody_is_told(shell: Shell) -> None:
    assert "Nobody is told" in shell.run("rules").stdout


def test_a_wrong_plan_is_explained(shell: Shell) -> None:
    shell.env["LEDGER_DELIVERY"] = json.dumps({**PLAN, "rules": [{"to": ["publsher"]}]})

    result = shell.run("rules")

    assert result.exit_code == 2
    assert "LEDGER_DELIVERY" in result.stderr
    assert "did you mean 'publisher'?" in result.stderr


def test_a_job_is_held_against_every_rule(planned: Shell, vendor: LocalVendor) -> None:
    job_id = vendor.submit()
    vendor.clock.sleep(10_000)
    planned.run("settle", "vod.media_audit", job_id)

    told = planned.json("rules", "--job", job_id, "--json")["job"]
    shown = planned.run("rules", "--job", job_id).stdout

    assert told["targets"] == ["desk", "publisher"]
    assert told["record"]["labels"] == ["porn", "sexual.suggestive"]
    assert [one["matches"] for one in told["rules"]] == [True, False]
    assert told["rules"][1]["why_not"] == [
        "its suggestions: review; the rule's: pass",
        "its labels: porn, sexual.suggestive; the rule's: normal, unheard-of",
    ]
    assert "rule 1 matches" in shown
    assert "rule 2 does not match: its suggestions: review" in shown
    assert "goes to desk, publisher." in shown


def test_a_job_that_is_not_settled_is_told_to_nobody_yet(planned: Shell, vendor: LocalVendor) -> None:
    job_id = vendor.submit()
    planned.run("settle", "vod.media_audit", job_id)

    assert planned.json("rules", "--job", job_id, "--json")["job"]["targets"] == []
    assert "nobody is told of it yet" in planned.run("rules", "--job", job_id).stdout


def test_a_job_that_the_ledger_does_not_know_is_named(planned: Shell, vendor: LocalVendor) -> None:
    planned.run("settle", "vod.media_audit", vendor.submit())

    result = planned.run("rules", "--job", "somebody-else")

    assert result.exit_code == 1
    assert "somebody-else" in result.stderr
