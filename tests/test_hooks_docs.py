"""`docs/hooks.md`, held against the code: its hook runs, its plans are plans, its numbers are the numbers."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from shared.adapters.clocks import ManualClock
from shared.adapters.senders.hooks import HookSender, load_hook
from shared.adapters.senders.limited_runs import MOST_LATE, LimitedRuns
from shared.delivery.rules import DeliveryPlan
from shared.delivery.targets import Dispatch
from shared.errors import TargetRefusedError
from shared.hooks.services import HookServices
from shared.jobs import JobRef
from shared.kinds import KINDS
from shared.policy import MINUTE, SECOND, Policy
from tests.memory_stores import MemoryObjectStore

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
(HOOK,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
PLANS = [
    DeliveryPlan.parse(plan, kinds=KINDS)
    for plan in re.findall(r"^```json\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
]
EVERY_FIELD = ROOT / "tests/data/answers/vod.media_audit/every-field/record.json"
REF = JobRef("vod.media_audit", "job.1")


def run_hook(record: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryObjectStore:
    (folder / "takedown.py").write_text(HOOK, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    objects = MemoryObjectStore()
    objects.objects["the record"] = record
    body = json.dumps({"data": {"record_key": "the record"}}).encode()
    (target,) = PLANS[0].targets
    try:
        HookSender(LimitedRuns(), objects, clock=ManualClock(0)).send(
            target, Dispatch(body, "event", "delivery", 1, REF.key, 1), deadline=60_000
        )
    finally:
        sys.modules.pop("takedown", None)
    return objects


def test_the_hook_of_the_page_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = run_hook(EVERY_FIELD.read_bytes(), tmp_path, monkeypatch)

    note = objects.objects[f"hooks/takedown/{REF.path}.txt"].decode()
    assert re.fullmatch(r"\S+ is blocked: .+ \(version 1\)\n", note)


def test_the_hook_of_the_page_refuses_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = json.loads(EVERY_FIELD.read_bytes())
    record["media"]["media_id"] = None

    with pytest.raises(TargetRefusedError, match="this job names no media"):
        run_hook(json.dumps(record).encode(), tmp_path, monkeypatch)


def test_the_hooks_that_are_there_can_be_loaded() -> None:
    assert [load_hook(target).__module__ for target in PLANS[1].targets] == [
        "shared.hooks.webvtt_markers",
        "shared.hooks.summary_rows",
    ]


def test_the_page_names_every_service() -> None:
    rows = re.findall(r"^\| (`[^|]+) \|", TEXT, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)", row)}

    assert {field.name for field in fields(HookServices)} <= named


def test_the_page_tells_the_waits_and_limits_that_are_kept() -> None:
    waits = [10 * SECOND, 30 * SECOND, 1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE]

    assert list(Policy().delivery_retries) == waits
    assert Policy().delivered_within == 24 * 60 * MINUTE
    assert "after 10 s, 30 s, 1, 5, 15 minutes, then hourly, for a day" in TEXT
    assert MOST_LATE == 4
    assert "four late runs" in TEXT
    assert (
        DeliveryPlan.parse('{"targets": {"a": {"url": "python:a:b"}}}', kinds=()).targets[0].timeout_ms
        == 10_000
    )
