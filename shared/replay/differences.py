"""What differs between two versions of a record, as a reader of records would say it. Pure.

Lists are compared by what their items are, not by where they stand: an item with an `id` or a `source` is
the same item in both, plain values are a set. So nothing here has to know the fields of a record, and
records of another schema can be compared too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

_ABSENT = "absent"
_PRESENT = "present"
# What names the version, and is another one in all of them.
_VERSIONS = frozenset({"normalizer_version", "schema_version"})
# Fields of few values, which are worth telling; those of any others differ in as many ways as there are jobs.
_TOLD = frozenset(
    {
        "abnormal_modules",
        "canonical_label",
        "check",
        "code",
        "computed_suggestion",
        "flags",
        "incomplete",
        "kind",
        "label",
        "labels",
        "modality",
        "name",
        "status",
        "suggestion",
        "unit",
        "vendor_status",
    }
)
_LONGEST = 60


class Difference(NamedTuple):
    """One field that differs, such as `verdict.suggestion` or `findings[].label`.

    `before` and `after` are texts; where a value is one of too many, they only say whether there is one.
    """

    field: str
    before: str
    after: str


def differences(before: bytes, after: bytes) -> tuple[Difference, ...]:
    """Compare two stored records; each difference is told once, however often a record has it."""
    found = _compared("", json.loads(before), json.loads(after))
    return tuple(sorted(set(found)))


def _compared(field: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after} - _VERSIONS):
            inner = f"{field}.{name}" if field else name
            yield from _compared(inner, before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compared_items(f"{field}[]", before, after)
    else:
        yield Difference(field, *_told(field, before, after))


def _compared_items(field: str, before: list[Any], after: list[Any]) -> Iterator[Difference]:
    ours, theirs = _by_identity(before), _by_identity(after)
    for name in ours.keys() | theirs.keys():
        if name in ours and name in theirs:
            yield from _compared(field, ours[name], theirs[name])
        else:
            there = ours.get(name, theirs.get(name))
            what = _describe(field, there)
            yield Difference(field, *((what, _ABSENT) if name in ours else (_ABSENT, what)))


def _by_identity(items: list[Any]) -> dict[str, Any]:
    """Name items by what they are; of those that are alike, by which of them they are."""
    named: dict[str, Any] = {}
    for item in items:
        name = _identity(item)
        number = 0
        while f"{name}#{number}" in named:
            number += 1
        named[f"{name}#{number}"] = item
    return named


def _identity(item: Any) -> str:
    if isinstance(item, dict):
        for name in ("id", "source"):
            if isinstance(item.get(name), str):
                return str(item[name])
    return json.dumps(item, sort_keys=True)


def _describe(field: str, item: Any) -> str:
    """Say what was added or removed, in the words of few values that it has."""
    if not isinstance(item, dict):
        return _text(item) if _leaf(field) in _TOLD else _PRESENT
    words = [item.get(name) for name in ("modality", "check", "label", "kind", "name")]
    return _cut(" ".join(str(word) for word in words if word)) or _PRESENT


def _told(field: str, before: Any, after: Any) -> tuple[str, str]:
    if _leaf(field) in _TOLD:
        return _text(before), _text(after)
    if before is None or after is None:
        return _ABSENT if before is None else _PRESENT, _ABSENT if after is None else _PRESENT
    return _PRESENT, "another"


def _leaf(field: str) -> str:
    return field.rpartition(".")[2].removesuffix("[]")


def _text(value: Any) -> str:
    if value is None:
        return _ABSENT
    return _cut(value if isinstance(value, str) else json.dumps(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
