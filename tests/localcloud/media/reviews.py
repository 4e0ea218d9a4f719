"""The page's example of a video quality review, as the local service gives it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from localcloud.media.mts import MtsVideoQuality, QualityOutcome
from localcloud.media.quality_results import draw
from shared.adapters.clocks import ManualClock
from tests.localcloud.media.judging import ANSWERS
from tests.localcloud.media.worlds import PACE, caller, mts_request

_CASES = ANSWERS / "mts.video_quality"

ANSWER: dict[str, Any] = json.loads((_CASES / "page-example" / "answer.json").read_bytes())
FILE = (_CASES / "page-output-file" / "output.txt").read_bytes()
JOB_ID: str = ANSWER["Job"]["JobId"]
USER_ID = str(ANSWER["Job"]["UserId"])

JUDGES_INPUT = "oss://in.oss-cn-shanghai.aliyuncs.com/blockness.mp4"
"""What the judges submit."""
DRAWN = draw(random.Random(0))
"""What their reviews end with."""

_INPUT = "oss://mts-sh-out.oss-cn-shanghai.aliyuncs.com/blockness.mp4"


def sample_review(clock: ManualClock, oss: Path) -> MtsVideoQuality:
    """Give a service whose first job is the page's, and has ended."""
    page = QualityOutcome("Success", summary=ANSWER["Job"]["VideoQualityResults"], file=FILE)
    other = QualityOutcome("Success", summary=DRAWN.summary, file=DRAWN.file)
    service = MtsVideoQuality(
        clock=clock,
        pace=PACE,
        oss=oss,
        job_ids=iter([JOB_ID]),
        outcomes={_INPUT: page, JUDGES_INPUT: other},
    )
    output = f"oss://mts-sh-out.oss-cn-shanghai.aliyuncs.com/{ANSWER['Job']['Output']}"
    submission = mts_request(
        "SubmitVideoQualityJob", Input=_INPUT, Output=output, SourceType="Video", UserId=USER_ID
    )
    caller(service).ask(submission)
    clock.advance(PACE.waiting_ms + PACE.processing_ms)
    return service
