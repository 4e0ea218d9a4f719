"""Is every leaf of a raw answer in its record? Asked without any of the code that makes records.

A leaf may be in the record item that was made from the object it stands in, in a header field, or in
`unmapped` with exactly its source and text. The only other way out is `IGNORED`, by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from shared.record import Finding, JobRecord, Measure, Module

JOB = "answer:/MediaAuditJob"

_Item: TypeAlias = "Finding | Measure | Module"

IGNORED = {
    "RequestId": "differs from call to call and says nothing about the job",
    "success Message": "is `OK` in every answer about a job that has no error",
    "nothing": "a documented field that is null or empty text says nothing (query-apis.md, quirk 44)",
}

_ENTRY = "Label Suggestion Score Scene"
_BLOCK_FIELDS = "Label Suggestion MaxScore AverageScore CounterList TopList"
_DOCUMENTED = {
    "": "MediaAuditJob RequestId",
    "/MediaAuditJob": "JobId MediaId Type Status Code Message CreationTime CompleteTime Data",
    "/MediaAuditJob/Data": "Label Suggestion AbnormalModules VideoResult ImageResult TextResult AudioResult",
    "/MediaAuditJob/Data/VideoResult": "Label Suggestion *Result",
    "/MediaAuditJob/Data/VideoResult/*Result": _BLOCK_FIELDS,
    "/MediaAuditJob/Data/VideoResult/*Result/CounterList/*": "Label Count",
    "/MediaAuditJob/Data/VideoResult/*Result/TopList/*": "Label Score Timestamp Url",
    "/MediaAuditJob/Data/ImageResult/*": "Label Suggestion Type Url Result",
    "/MediaAuditJob/Data/ImageResult/*/Result/*": _ENTRY,
    "/MediaAuditJob/Data/TextResult/*": f"{_ENTRY} Content Type",
    "/MediaAuditJob/Data/AudioResult/*": _ENTRY,
}
DOCUMENTED = {f"{parent}/{name}" for parent, names in _DOCUMENTED.items() for name in names.split()}
"""Every documented field; `*` is any index, `*Result` any result block."""


class Leaf(NamedTuple):
    """One scalar of the raw answer; numbers are texts already."""

    source: str
    parent: str
    name: str
    value: str | bool | None

    @property
    def text(self) -> str:
        """Give what `unmapped` says of it."""
        return self.value if isinstance(self.value, str) else json.dumps(self.value)

    @property
    def field(self) -> str:
        """Give the documented path that it would stand under."""
        path = re.sub(r"/[0-9]+(?=/|$)", "/*", self.source.removeprefix("answer:"))
        return re.sub(r"(?<=/VideoResult/)[A-Za-z0-9]+Result(?=/|$)", "*Result", path)


def leaves(tree: Any, source: str = "answer:", parent: str = "", name: str = "") -> Iterator[Leaf]:
    """Walk a tree of `json.loads` with numbers as text."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            token = key.replace("~", "~0").replace("/", "~1").replace("#", "~2")
            yield from leaves(value, f"{source}/{token}", source, key)
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from leaves(value, f"{source}/{index}", source, str(index))
    else:
        yield Leaf(source, parent, name, tree)


def read(body: bytes) -> Any:
    """Decode an answer with every number as its own text."""
    return json.loads(body, parse_int=str, parse_float=str)


def without_queries(text: str) -> str:
    """Cut every URL at its query, word by word."""
    return "".join(_cut(word) for word in re.split(r"([\s\"<>]+)", text))


def _cut(word: str) -> str:
    begin = re.search(r":\\?/\\?/", word)
    end = re.compile(r"[?#]").search(word, begin.end()) if begin else None
    return word[: end.start()] if end else word


class Accounts:
    """The books of one record."""

    def __init__(self, record: JobRecord) -> None:
        self._record = record
        self._unmapped = {item.source: item.value for item in record.unmapped}
        self._urls = {item.id: item.url for item in record.evidence}

    def lost(self, tree: Any) -> list[Leaf]:
        """List the leaves that are nowhere."""
        return [leaf for leaf in leaves(tree) if not self._is_kept(leaf)]

    def _is_kept(self, leaf: Leaf) -> bool:
        if leaf.source in self._unmapped:
            return self._unmapped[leaf.source] == without_queries(leaf.text)
        return self._is_ignored(leaf) or self._is_mapped(leaf)

    def _is_ignored(self, leaf: Leaf) -> bool:
        if leaf.source.startswith(f"{JOB}/Message") and self._record.error is None:
            return True
        nothing = leaf.value in (None, "") and leaf.field in DOCUMENTED
        return nothing or leaf.source.startswith("answer:/RequestId")

    def _is_mapped(self, leaf: Leaf) -> bool:
        if leaf.field not in DOCUMENTED or not isinstance(leaf.value, str):
            return False
        text = without_queries(leaf.value)
        if leaf.parent == JOB:
            return self._is_in_header(leaf.name, text)
        if leaf.parent == f"{JOB}/Data":
            return self._is_in_verdict(leaf.name, text)
        if leaf.name == "Url":
            return self._is_evidence(leaf, text)
        return self._is_in_items(leaf, text)

    def _is_in_header(self, name: str, text: str) -> bool:
        record = self._record
        error = record.error
        header = {
            "JobId": record.job.job_id,
            "MediaId": record.media.media_id,
            "Type": record.job.function,
            "Status": record.vendor_status,
            # Without an error, "0" is what says so.
            "Code": error.code if error is not None else "0",
            "Message": error.message if error is not None else None,
        }
        if name in header:
            return header[name] == text
        times = {"CreationTime": record.times.created, "CompleteTime": record.times.completed}
        told = times[name]
        return told is not None and _same_moment(told, text)

    def _is_in_verdict(self, name: str, text: str) -> bool:
        verdict = self._record.verdict
        if name == "Suggestion":
            return verdict.suggestion == text
        return _entries(text) == set(verdict.labels if name == "Label" else verdict.abnormal_modules)

    def _is_evidence(self, leaf: Leaf, url: str) -> bool:
        """A picture is listed, and whatever is said of it points at it."""
        ids = {key for key, value in self._urls.items() if value == url}
        is_frame = "/TopList/" in leaf.parent
        said: list[Finding | Measure] = [*self._record.findings, *self._record.measures]
        made = [
            item
            for item in said
            if item.source == leaf.parent or (not is_frame and item.source.startswith(f"{leaf.parent}/"))
        ]
        return bool(ids) and all(ids & set(item.evidence) for item in made)

    def _is_in_items(self, leaf: Leaf, text: str) -> bool:
        items = self._items(leaf.parent)
        if leaf.name == "Label":
            if leaf.parent.rpartition("/")[0].endswith("/CounterList"):
                return any(text in _labels(item) for item in items)
            return bool(items) and _entries(text) <= set().union(*map(_labels, items))
        if leaf.name == "AverageScore":
            items = self._items(leaf.source)
        return any(_says(item, leaf.name, text) for item in items)

    def _items(self, source: str) -> list[_Item]:
        record = self._record
        every: list[_Item] = [*record.findings, *record.measures, *record.verdict.modules]
        return [item for item in every if item.source == source]


def _labels(item: _Item) -> set[str]:
    return set(item.labels) if isinstance(item, Module) else {item.label or ""}


def _says(item: _Item, name: str, text: str) -> bool:
    """Tell whether the item holds the text in the field that is meant for that name."""
    if name == "Suggestion":
        return item.suggestion == text
    if isinstance(item, Module):
        return name == "Type" and item.name.endswith(f"-{text}")
    if name == "Timestamp":
        return item.start_ms == int(text)
    if isinstance(item, Finding):
        fields = {"Scene": item.check, "Content": item.text}
        scores = {score.text for score in item.scores}
    else:
        fields = {"Scene": item.name.rpartition(".")[0], "Content": item.content}
        scores = {item.text or ""}
    return fields.get(name) == text or (name in _NUMBERS and text in scores)


_NUMBERS = {"Score", "MaxScore", "AverageScore", "Count"}


def _entries(text: str) -> set[str]:
    return {word.strip() for word in text.split(",")} - {""}


def _same_moment(told: str, text: str) -> bool:
    """Compare to the millisecond."""
    seconds, _, fraction = text.replace(" ", "T").rstrip("Z").partition(".")
    return told == f"{seconds}.{fraction:0<3.3}Z"
