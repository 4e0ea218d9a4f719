"""The inside of a VOD review: result blocks of the video, images, texts and the sound.

What says that nothing was found is a measure; everything else is a finding, whatever its suggestion.
Levels may contradict each other (a `pass` on top of a `block`, query-apis.md quirk 49): all are kept,
none is derived from another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from shared.documents.cursor import Node
from shared.kinds.values import (
    EvidenceList,
    comma_list,
    number,
    position_ms,
    score,
    short_hash,
    snake_case,
    whole_number,
)
from shared.record import Finding, Measure, Modality, Module
from shared.taxonomy import canonical_label, is_hit

_SCALE = "0-100"  # both vendor pages: Score, MaxScore and AverageScore lie in [0, 100]
_BLOCK = re.compile(r"([A-Za-z0-9]+)Result", re.ASCII)
_NO_COUNTS: Mapping[str, int] = MappingProxyType({})


class _Entry(NamedTuple):
    """What is said at one place; `Review._say` decides whether it is a finding or a measure."""

    node: Node
    modality: Modality
    check: str | None
    labels: tuple[str, ...]
    suggestion: str | None = None
    score: str | None = None
    measure: str = "score"
    start_ms: int | None = None
    content: str | None = None
    evidence: tuple[str, ...] = ()


class Review:
    """Collects findings, measures, module verdicts and evidence of one answer."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.measures: list[Measure] = []
        self.modules: list[Module] = []
        self.evidence = EvidenceList()

    def read(self, data: Node) -> None:
        """Read every result block below `Data`, known or not."""
        video = data.object("VideoResult")
        if video is not None:
            self._video(video)
        for image in data.items("ImageResult"):
            self._judge(image, "image", image.text("Type"))
            picture = self.evidence.take(image, "Url")
            for result in image.items("Result"):
                self._scene(result, "image", picture)
        for text in data.items("TextResult"):
            self._judge(text, "text", text.text("Type"))
            self._scene(text, "text")
        for sound in data.items("AudioResult"):
            self._judge(sound, "audio")
            self._scene(sound, "audio")

    def suggestions(self) -> list[str | None]:
        """List every suggestion below the top."""
        said: list[Module | Finding | Measure] = [*self.modules, *self.findings, *self.measures]
        return [item.suggestion for item in said]

    def _judge(self, node: Node, module: str, variety: str | None = None) -> None:
        """Keep the verdict on a module, named as in AbnormalModules: `image-cover`, `text-title`."""
        labels, suggestion = comma_list(node, "Label"), node.text("Suggestion")
        if labels or suggestion or variety:
            name = f"{module}-{variety}" if variety else module
            self.modules.append(Module(name=name, labels=labels, suggestion=suggestion, source=node.source))

    def _video(self, video: Node) -> None:
        self._judge(video, "video")
        for name in video.names():
            found = _BLOCK.fullmatch(name)
            block = video.object(name) if found else None
            if found and block:
                self._block(block, snake_case(found[1]))

    def _block(self, block: Node, check: str) -> None:
        """Read a result block; the vendor adds new ones of the same shape (GreenEnhanced, 2026-08)."""
        counts = self._counters(block, check)
        labels, suggestion = comma_list(block, "Label"), block.text("Suggestion")
        best = block.text("MaxScore")
        if labels or suggestion or best:
            entry = _Entry(block, "video", check, labels, suggestion, best, "max_score")
            self._say(entry, counts)
        average = block.text("AverageScore")
        if average is not None:
            self.measures.append(
                Measure(
                    name=f"{check}.average_score",
                    value=number(average),
                    text=average,
                    unit=_SCALE,
                    source=f"{block.source}/AverageScore",
                )
            )
        for frame in block.items("TopList"):
            self._frame(frame, check)

    def _counters(self, block: Node, check: str) -> dict[str, int]:
        """Measure how many frames got which label; give the counts by label."""
        counts: dict[str, int] = {}
        for counter in block.items("CounterList"):
            label, text = counter.text("Label"), counter.text("Count")
            count = whole_number(text)
            if label is not None and count is not None:
                counts[label.casefold()] = count
            if label is not None or text is not None:
                self.measures.append(
                    Measure(
                        name=f"{check}.frames",
                        value=number(text),
                        text=text,
                        unit="frames",
                        label=label,
                        source=counter.source,
                    )
                )
        return counts

    def _frame(self, frame: Node, check: str) -> None:
        labels, text = comma_list(frame, "Label"), frame.text("Score")
        start_ms = position_ms(frame, "Timestamp")
        evidence = self.evidence.take(frame, "Url")
        if labels or text or start_ms is not None or evidence:
            self._say(
                _Entry(
                    frame,
                    "video",
                    check,
                    labels,
                    score=text,
                    start_ms=start_ms,
                    evidence=evidence,
                )
            )

    def _scene(self, node: Node, modality: Modality, evidence: tuple[str, ...] = ()) -> None:
        """Read what one scene says; the scene is the check."""
        scene, labels = node.text("Scene"), comma_list(node, "Label")
        suggestion, text = node.text("Suggestion"), node.text("Score")
        content = node.text("Content") if modality == "text" else None
        if scene or labels or suggestion or text or content:
            self._say(
                _Entry(
                    node,
                    modality,
                    scene,
                    labels,
                    suggestion,
                    text,
                    content=content,
                    evidence=evidence,
                )
            )

    def _say(self, entry: _Entry, counts: Mapping[str, int] = _NO_COUNTS) -> None:
        """Keep an entry as what it is, once for each of its labels."""
        # Among several labels, `normal` is not what the suggestion is about.
        suggestion = entry.suggestion if len(entry.labels) < 2 else None
        for label in entry.labels or (None,):
            if is_hit(label, suggestion):
                count = counts.get(label.casefold()) if label else None
                self.findings.append(_finding(entry, label, count))
            else:
                self.measures.append(_measure(entry, label))


def _finding(entry: _Entry, label: str | None, count: int | None) -> Finding:
    source = entry.node.source
    return Finding(
        id=short_hash(source, entry.check or "", label or ""),
        modality=entry.modality,
        check=entry.check,
        label=label,
        canonical_label=canonical_label(entry.check, label),
        suggestion=entry.suggestion,
        scores=score(entry.score, _SCALE),
        start_ms=entry.start_ms,
        count=count,
        text=entry.content,
        evidence=entry.evidence,
        source=source,
    )


def _measure(entry: _Entry, label: str | None) -> Measure:
    return Measure(
        name=f"{entry.check or entry.modality}.{entry.measure}",
        value=number(entry.score),
        text=entry.score,
        unit=_SCALE if entry.score is not None else None,
        label=label,
        suggestion=entry.suggestion,
        start_ms=entry.start_ms,
        content=entry.content,
        evidence=entry.evidence,
        source=entry.node.source,
    )
