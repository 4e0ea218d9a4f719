"""No body is taken for two kinds: bodies that are mixed from several dialects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.notifications import Notification, SetAside, Unsorted
from tests.shared.inbound.readings import body_of, readable

DIALECTS: dict[str, dict[str, Any]] = {
    "vod.media_audit": {"EventType": "AIMediaAuditComplete", "JobId": "v1", "Status": "success", "Data": {}},
    "ice.production": {
        "EventType": "AIProduceComplete",
        "UserId": 1000000000000001,
        "MessageBody": {"JobId": "i1", "Status": "Success"},
    },
    "mts.production": {"Type": "IProduction", "FunctionName": "Cover", "JobId": "p1", "State": "Success"},
    "mts.video_quality": {"JobId": "q1", "State": "Success", "PipelineId": "pipeline"},
    "classic": {"jobId": "c1", "JobId": "c1", "type": "Transcode", "Type": "Transcode", "state": "Fail"},
    "speech": {"jobId": "s1", "requestId": "r", "result": "{}"},
    "workflow": {"RunId": "w1", "Type": "Report", "State": "Success", "MediaWorkflowExecution": {}},
    "censor": {"Type": "MediaCensor", "MediaCensorJobNotify": {"JobId": "m1", "State": "Success"}},
}
KEYS = sorted({key for fields in DIALECTS.values() for key in fields})


def dialect(body: dict[str, Any]) -> str:
    """Tell whose body it is by the keys that the documentation gives each product."""
    if "EventType" not in body:
        return "mts"
    return "ice" if "MessageBody" in body else "vod"


@pytest.mark.parametrize("name", DIALECTS)
def test_a_whole_body_is_taken_for_what_it_is(name: str) -> None:
    found = readable(body_of(DIALECTS[name]))

    assert found is not None
    assert (name if isinstance(found, SetAside) else found.ref.kind) == name


@given(st.permutations(list(DIALECTS)), st.integers(1, 3), st.sets(st.sampled_from(KEYS), max_size=6))
def test_a_mixture_of_dialects_is_taken_for_none_but_that_of_its_keys(
    names: Sequence[str], count: int, without: set[str]
) -> None:
    mixed = {key: value for name in names[:count] for key, value in DIALECTS[name].items()}
    body = {key: value for key, value in mixed.items() if key not in without}

    found = readable(body_of(body))

    if isinstance(found, Notification | Unsorted):
        assert found.ref.kind.partition(".")[0] == dialect(body)
        assert isinstance(found, Unsorted) == (found.ref.kind == "mts.video_quality")
