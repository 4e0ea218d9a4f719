"""A hook that files the findings of a job as WebVTT, so that a video player shows where they are.

    {"targets": {"markers": {"url": "python:shared.hooks.webvtt_markers:post_process"}}, "rules": ...}

One file per job, `hooks/markers/<kind>/<job>.vtt`: text for the `<track>` element of a web page. The format
is https://www.w3.org/TR/webvtt1/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.hooks.services import HookServices
from shared.record import Finding, JobRecord

# A cue must end after it starts, and many findings are one frame.
_A_MOMENT_MS = 1_000
# What a finding says was read in a picture or heard in a voice: nobody knows what it may hold.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def post_process(record: JobRecord, services: HookServices) -> None:
    """Write the job's markers, even when there are none: an older version may have had some."""
    body = markers(record.findings).encode()
    services.files.put(f"{services.job.path}.vtt", body, content_type="text/vtt; charset=utf-8")


def markers(findings: Iterable[Finding]) -> str:
    """Give the text of the file: a cue for every finding that has a place in time, in order."""
    timed = [(finding.start_ms, finding) for finding in findings if finding.start_ms is not None]
    timed.sort(key=lambda pair: (pair[0], pair[1].end_ms or 0, pair[1].id))
    return "\n".join(["WEBVTT\n", *(_cue(max(0, start), finding) for start, finding in timed)])


def _cue(start: int, finding: Finding) -> str:
    end = finding.end_ms if finding.end_ms is not None and finding.end_ms > start else start + _A_MOMENT_MS
    label = finding.canonical_label or finding.label
    score = finding.scores[0].text if finding.scores else None
    said = [finding.check, label, score, finding.suggestion]
    lines = [" · ".join(filter(None, map(_plain, said))), _plain(finding.text)]
    payload = "\n".join(filter(None, lines)) or finding.modality
    return f"{_plain(finding.id)}\n{_timestamp(start)} --> {_timestamp(end)}\n{payload}\n"


def _plain(text: str | None) -> str:
    """Keep a text from being anything else: a line break would end its cue, a tag would be obeyed."""
    return " ".join(_CONTROLS.sub(" ", text or "").split()).translate(_ESCAPED)


def _timestamp(ms: int) -> str:
    seconds, ms = divmod(ms, 1_000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"
