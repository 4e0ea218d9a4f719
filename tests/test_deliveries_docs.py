"""`docs/deliveries.md`, held against the code: plans, numbers, names, commands and the example."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from cli.main import app
from shared.completeness.buckets import BUCKETS, FLAGS
from shared.delivery.rules import DeliveryPlan
from shared.kinds import KINDS
from shared.policy import HOUR, MINUTE, SECOND, Policy
from shared.record import JobRecord

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "deliveries.md").read_text(encoding="utf-8")
RECORD = json.loads((ROOT / "tests/data/answers/vod.media_audit/every-field/record.json").read_bytes())


def blocks(language: str, page: str = PAGE) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```\n", page, re.MULTILINE | re.DOTALL)


def rows(head: str) -> list[list[str]]:
    """Give the cells of the table whose head begins so."""
    table = PAGE.partition(f"| {head} |")[2].partition("\n\n")[0]
    return [
        [cell.strip().replace("`", "") for cell in row.strip("|").split("|")]
        for row in table.splitlines()[2:]
    ]


PLANS = [DeliveryPlan.parse(plan, kinds=KINDS) for plan in blocks("json")]


@pytest.mark.parametrize("row", rows("kind"), ids=", ".join)
def test_the_plan_of_the_page_tells_whom_the_page_says(row: list[str]) -> None:
    kind, state, suggestion, label, told = row
    verdict = {"suggestion": suggestion or None, "labels": [label] if label else []}
    record: dict[str, Any] = {
        **RECORD,
        "job": {**RECORD["job"], "kind": kind},
        "status": state,
        "verdict": {**RECORD["verdict"], **verdict, "computed_suggestion": None},
        "findings": [],
    }

    assert ", ".join(PLANS[0].targets_for(JobRecord.model_validate(record))) == told.replace("nobody", "")


def test_the_smallest_plan_is_one() -> None:
    assert [rule.lists for rule in PLANS[1].rules] == [{}]


def test_the_plan_of_the_readme_is_one() -> None:
    (plan,) = blocks("json", (ROOT / "README.md").read_text(encoding="utf-8"))

    assert DeliveryPlan.parse(plan, kinds=KINDS).rules


def test_the_example_prints_what_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    for code in blocks("python"):
        exec(compile(code, "docs/deliveries.md", "exec", dont_inherit=True), {"__name__": "example"})

    assert [capsys.readouterr().out] == blocks("text")


def test_the_waits_are_those_of_the_code() -> None:
    waits = [10 * SECOND, 30 * SECOND, 1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 1 * HOUR]

    assert list(Policy().delivery_retries) == waits
    assert "after 10 s, 30 s, 1, 5, 15 minutes, then hourly" in PAGE
    assert Policy().delivered_within == 24 * HOUR
    assert "**24 hours.**" in PAGE


def test_commands_and_options_are_those_of_the_command_line() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    for line in "".join(blocks("sh")).splitlines():
        _, name, *words = shlex.split(line)
        group.commands[name].make_context(name, words)
    options = {one.opts[0] for one in group.commands["redeliver"].params}

    assert {row[0].split()[0] for row in rows("option")} == options - {"--dir", "--json"}


def test_buckets_flags_and_metrics_that_are_named_exist() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "shared").glob("*.py"))
    (told,) = re.findall(r"^- Metrics by `target`: (.*)$", PAGE, re.MULTILINE)
    metrics = {"not_handed_over", *re.findall(r"`([a-z]+_?[a-z]+)`", told)} - {"target", "why", "delivery"}

    assert {"delivered", "undelivered", "delivery_attempts", "misconfigured"} < metrics
    assert [name for name in metrics if f'metrics.count("{name}"' not in code] == []
    assert "undelivered" in {rule.name for rule in BUCKETS}
    assert {"deliveries put off", "settled, to be delivered"} <= {rule.title for rule in FLAGS}
