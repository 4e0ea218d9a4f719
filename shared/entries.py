"""Entries of the lists that a row keeps as JSON. What a newer version has put into one survives a rewrite.

While a release is rolled out, old code rewrites what new code has written. An entry type has a field `more`
for members that it does not know, as JSON text: compared and kept, and never looked into.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def unknown_members(more: Mapping[Any, Any]) -> str:
    """Write the members that are not known, for `more`; empty where there are none."""
    return json.dumps(more, ensure_ascii=False, sort_keys=True, separators=(",", ":")) if more else ""


def members(entry: DataclassInstance) -> dict[str, Any]:
    """Give the members of an entry, those that are not known too."""
    fields = asdict(entry)
    more = fields.pop("more")
    return {**fields, **(json.loads(more) if more else {})}
