"""`docs/consuming.md`, held against the code: its example is run, its tables name what there is."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from shared.delivery.rules import DeliveryPlan, Rule
from shared.delivery.targets import OPTIONS, SIZE_LIMITS
from shared.kinds import KINDS
from shared.policy import HOUR, Policy
from shared.taxonomy import SUGGESTIONS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "consuming.md").read_text(encoding="utf-8")
FIRST = json.loads((ROOT / "events" / "deliver" / "consumer-first.json").read_bytes())


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```\n", PAGE, re.MULTILINE | re.DOTALL)


def named(head: str) -> set[str]:
    """Give the names in the first column of the table with this head."""
    table = PAGE.partition(f"| {head} |")[2].partition("\n\n")[0]
    return {name for row in table.splitlines()[2:] for name in re.findall(r"`([\w-]+)`", row.split("|")[1])}


def test_the_example_prints_what_the_page_shows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    namespace: dict[str, Any] = {"__name__": "example"}

    for code in blocks("python"):
        exec(compile(code, "docs/consuming.md", "exec", dont_inherit=True), namespace)
    namespace["database"].close()

    assert [capsys.readouterr().out] == blocks("text")


def test_the_event_is_that_of_the_first_sample() -> None:
    shown, plan = map(json.loads, blocks("json"))

    assert shown == json.loads(FIRST["body"])
    assert DeliveryPlan.parse(json.dumps(plan), kinds=KINDS).source == "media-ledger/production"


def test_every_attribute_field_and_header_is_explained() -> None:
    event = json.loads(FIRST["body"])

    assert named("attribute") == event.keys()
    assert named("field") == event["data"].keys() | {"record", "record_omitted"}
    assert named("header") == {name for name in FIRST["headers"] if name.startswith("Media-Ledger-")}


def test_every_option_and_list_of_a_plan_is_explained() -> None:
    assert named("option") == set(OPTIONS)
    assert named("list") == {field.name for field in fields(Rule)}
    assert all(f"`{word}`" in PAGE for word in (*KINDS, *SUGGESTIONS))


def test_limits_are_those_of_the_code() -> None:
    told = re.search(r"(\d+) MiB over HTTPS, (\d+) KiB to a function, (\d+) KiB to a queue or topic", PAGE)
    assert told
    https, function, queue = map(int, told.groups())

    assert {"https": https << 20, "function": function << 10, "queue": queue << 10} == {
        kind: SIZE_LIMITS[kind] for kind in ("https", "function", "queue")
    }
    assert SIZE_LIMITS["topic"] == SIZE_LIMITS["queue"]
    assert f"for {Policy().delivered_within // HOUR} hours" in PAGE
