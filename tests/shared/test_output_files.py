"""Where the files are that a job made, as far as its answer says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared import evidence_items, output_files
from shared.kinds import KINDS
from shared.policy import DAY, Policy
from shared.record import JobRecord
from shared.vendor import Part

ANSWERS = Path(__file__).parents[1] / "data" / "answers"
MTS, ICE = "mts.production", "ice.production"
TOLD = "oss://test-video.oss-cn-shanghai.aliyuncs.com"
POLICY = Policy(copied_outputs=frozenset({MTS, ICE}))


def record(kind: str, case: str, **changes: Any) -> tuple[JobRecord, Part]:
    told = json.loads((ANSWERS / kind / case / "answer.json").read_text(encoding="utf-8"))
    part = Part("answer", "json", json.dumps({**told, **changes}).encode())
    return KINDS[kind].normalize([part]), part


@pytest.mark.parametrize(
    ("kind", "case", "expected"),
    [
        (MTS, "async-text-to-speech", [f"{TOLD}/tts/test-1612259314837.{end}" for end in ("wav", "txt")]),
        (MTS, "audio-beat-detection", [f"{TOLD}/as rresult/1612259314837.txt"]),
        (MTS, "cover", [f"{TOLD}/cover/test-0000{number}.jpg" for number in (1, 2)]),
        (MTS, "image-matting", [f"{TOLD}/production/1-1-seg.jpeg"]),
        (MTS, "signed-urls", ["oss://b.oss-cn-shanghai.aliyuncs.com/cover/1.jpg"]),
        (MTS, "face-beauty", []),
        (MTS, "failed", []),
        (ICE, "page", ["oss://bucket/output/xxx.mp4"]),
        (
            ICE,
            "paired-outputs",
            [
                "oss://b.oss-cn-shanghai.aliyuncs.com/demix/vocal.wav",
                "oss://bucket/demix/music.wav",
                "oss://b.oss-cn-shanghai.aliyuncs.com/demix/drum.wav",
            ],
        ),
        (ICE, "media-library", ["oss://b.oss-cn-shanghai.aliyuncs.com/h2v.mp4"]),
        (ICE, "unknown-place", ["http://xxx"]),
        (ICE, "success-without-result", []),
        (ICE, "failed", []),
    ],
)
def test_files_are_found_in_the_bucket_that_the_answer_tells(
    kind: str, case: str, expected: list[str]
) -> None:
    found, _ = record(kind, case)

    assert [one.url for one in output_files.copied(found)] == expected


def test_a_file_that_is_named_twice_is_one() -> None:
    urls = [
        "https://b.oss-cn-shanghai.aliyuncs.com/a%20b.mp4",
        "http://b.oss-cn-shanghai.aliyuncs.com/a b.mp4",
    ]
    found, _ = record(ICE, "page", OutputFiles=[], OutputUrls=urls, Result="{}")

    assert [one.url for one in output_files.copied(found)] == ["oss://b.oss-cn-shanghai.aliyuncs.com/a b.mp4"]


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        (POLICY, 1),
        (Policy(), 0),
        (Policy(copied_outputs=frozenset({ICE})), 0),
        (Policy(copied_outputs=frozenset({MTS}), evidence_windows={MTS: 0}), 0),
        (Policy(copied_outputs=frozenset({MTS}), evidence_windows={MTS: DAY}), 1),
    ],
)
def test_outputs_are_kept_of_the_kinds_that_are_set(policy: Policy, kept: int) -> None:
    found, part = record(MTS, "video-clip")
    named = evidence_items.items(KINDS[MTS], found, [part], policy)

    assert [one.url.startswith(f"{TOLD}/videoclip/") for one in named] == [True] * kept
    assert len(evidence_items.named_by(found, policy)) == kept


def test_the_same_answer_always_names_the_same_items() -> None:
    (one,), (again,) = (output_files.copied(record(MTS, "video-clip", RequestId=n)[0]) for n in "ab")

    assert one == again
