"""Quirks of MPS's `QueryIProductionJob`, by their number in `docs/quirks.md`, that no other test shows."""

from __future__ import annotations

import json

import pytest

from shared.kinds.mts_production import KIND
from shared.record import Times, canonical_bytes
from shared.toolkit.strict_json import Tree
from tests.shared.kinds.answers import Json, as_json
from tests.shared.kinds.test_mts_production import CASES, case


def answer(name: str, **fields: Tree) -> Json:
    return {**json.loads((CASES / name / "answer.json").read_bytes()), **fields}


@pytest.mark.parametrize("function", ["VideoDetext", "视频去字幕", "videodetext", "BrandNew"])
def test_a_function_is_kept_by_whatever_name_and_its_result_is_read(function: str) -> None:
    """Quirk 32: the page swaps the name of one function with its explanation."""
    record = KIND.normalize([as_json(answer("video-clip", FunctionName=function))])

    assert record.job.function == function
    assert record.outputs == case("video-clip").outputs


def test_a_status_is_no_state() -> None:
    """Quirk 33: a field of ICE's name is not read here; it is listed, and the state decides."""
    record = KIND.normalize([as_json(answer("analysing", Status="Success"))])

    assert (record.status, record.vendor_status) == ("running", "Analysing")
    assert [(item.source, item.value) for item in record.unmapped] == [("answer:/Status", "Success")]


def test_there_is_no_time_and_the_request_id_changes_nothing() -> None:
    """Quirk 35."""
    records = [KIND.normalize([as_json(answer("cover", RequestId=name))]) for name in ("A", "B", None)]

    assert {record.times for record in records} == {Times()}
    assert len({canonical_bytes(record) for record in records}) == 1
