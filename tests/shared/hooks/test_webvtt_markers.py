"""Markers that every player reads, whatever a finding says."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.clocks import ManualClock
from shared.hooks.services import HookFiles, HookServices
from shared.hooks.webvtt_markers import markers, post_process
from shared.jobs import JobRef
from shared.record import Finding, JobRecord, Score
from tests.memory_stores import MemoryObjectStore

ANSWERS = Path(__file__).parents[2] / "data" / "answers"
EMPTY = JobRecord.model_validate_json(
    (ANSWERS / "vod.media_audit" / "processing" / "record.json").read_bytes()
)
TIME = r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})"
CUE = re.compile(rf"(?P<id>[^\n]*)\n{TIME} --> {TIME}\n(?P<payload>[^\n]+(?:\n[^\n]+)*)\n?")
TEXTS = (
    st.none()
    | st.text(max_size=40)
    | st.sampled_from(["a --> b", "\n\n00:00 --> 00:01", "<c>&amp;</c>", "\0"])
)


def finding(**changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "id": "f1",
        "modality": "video",
        "check": "porn",
        "label": "sexy",
        "canonical_label": "sexual.suggestive",
        "suggestion": "review",
        "scores": (Score(text="98.20", value=98.2),),
        "start_ms": 61_500,
        "source": "answer:/x",
    }
    return Finding(**{**fields, **changes})


def file_of(*findings: Finding) -> str:
    return markers(findings)


def cues(text: str) -> list[tuple[int, int, str]]:
    """Read a file as the standard says: blocks between empty lines, after the head."""
    head, *blocks = re.split(r"\n(?:\n+|\Z)", text)
    assert head == "WEBVTT"
    found = []
    for block in filter(None, blocks):
        cue = CUE.fullmatch(block)
        assert cue, block
        h1, m1, s1, ms1, h2, m2, s2, ms2 = map(int, cue.groups()[1:9])
        start, end = ((h1 * 60 + m1) * 60 + s1) * 1000 + ms1, ((h2 * 60 + m2) * 60 + s2) * 1000 + ms2
        found.append((start, end, cue["payload"]))
    return found


def test_a_finding_is_a_cue() -> None:
    text = file_of(finding(end_ms=3_661_007, text='says "buy"\nnow'))

    assert text == (
        "WEBVTT\n\nf1\n00:01:01.500 --> 01:01:01.007\n"
        'porn · sexual.suggestive · 98.20 · review\nsays "buy" now\n'
    )


def test_a_job_without_timed_findings_has_an_empty_file() -> None:
    assert file_of() == file_of(finding(start_ms=None)) == "WEBVTT\n"


def test_a_finding_of_one_frame_is_shown_for_a_moment() -> None:
    assert [cue[:2] for cue in cues(file_of(finding(start_ms=5_000)))] == [(5_000, 6_000)]


@given(
    st.lists(
        st.builds(
            finding,
            check=TEXTS,
            label=TEXTS,
            canonical_label=st.none(),
            suggestion=TEXTS,
            text=TEXTS,
            start_ms=st.none() | st.integers(-10, 10**9),
            end_ms=st.none() | st.integers(-10, 10**9),
        ),
        max_size=4,
    )
)
def test_whatever_findings_say_each_timed_one_is_one_cue_in_order(findings: list[Finding]) -> None:
    found = cues(file_of(*findings))

    assert len(found) == sum(each.start_ms is not None for each in findings)
    assert [start for start, _, _ in found] == sorted(start for start, _, _ in found)
    for start, end, payload in found:
        assert start < end
        assert not re.search(r"<|-->|&(?!amp;|lt;|gt;)|[\x00-\x09\x0b-\x1f\x85]", payload)


@given(st.text(alphabet=st.characters(blacklist_categories=("Cc", "Cs", "Z"), min_codepoint=33), min_size=1))
def test_what_a_finding_says_can_be_read_back(text: str) -> None:
    ((_, _, payload),) = cues(file_of(finding(text=text)))

    assert html.unescape(payload.split("\n")[1]) == text


def test_the_file_of_a_job_lies_in_the_hooks_own_folder() -> None:
    objects, clock = MemoryObjectStore(), ManualClock(0)
    files = HookFiles(objects, target="markers", clock=clock, deadline=1)
    services = HookServices("markers", JobRef("vod.media_audit", "a.job"), 1, "e" * 64, 1, 1, clock, files)

    post_process(EMPTY, services)

    assert objects.objects == {"hooks/markers/vod.media_audit/a%2Ejob.vtt": b"WEBVTT\n"}
