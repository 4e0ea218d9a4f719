"""Kinds whose normalizer is another one: what the next release of this project may bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from shared.kinds import KINDS, Kind
from shared.record import JobRecord
from shared.vendor import Part

Change = Callable[[JobRecord], JobRecord]


def suggesting(word: str) -> Change:
    """Make a record say another suggestion."""

    def change(record: JobRecord) -> JobRecord:
        return record.model_copy(update={"verdict": replace(record.verdict, suggestion=word, labels=("ad",))})

    return change


def with_normalizer(name: str, change: Change, *, version: int = 2) -> Mapping[str, Kind]:
    """Give all kinds, of which one makes other records of the same answers."""
    kind = KINDS[name]

    def normalize(parts: Sequence[Part]) -> JobRecord:
        return change(kind.normalize(parts)).model_copy(update={"normalizer_version": version})

    return {**KINDS, name: replace(kind, normalizer_version=version, normalize=normalize)}
