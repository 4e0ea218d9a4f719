"""Fields of a document by name and type. A value of the wrong type is never converted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeGuard

from shared.documents.strict_json import NumberText, Tree
from shared.errors import InvalidJobIdError, UnreadableError
from shared.jobs import JobRef

MAX_TEXT = 128
ACCOUNT_ID = re.compile(r"[0-9]{1,32}")


def is_text(value: Tree) -> TypeGuard[str]:
    """Tell text from all else; a number, although kept as its source text, is none."""
    return isinstance(value, str) and not isinstance(value, NumberText)


def any_text(tree: Tree, name: str) -> str | None:
    """Give a member that is text, of any length; None for anything else."""
    value = tree.get(name) if isinstance(tree, dict) else None
    return value if is_text(value) else None


def optional_text(tree: Tree, name: str) -> str | None:
    """Give a text of 1 to `MAX_TEXT` characters; None for anything else."""
    text = any_text(tree, name)
    return text if text and len(text) <= MAX_TEXT else None


def required_text(tree: dict[str, Tree], name: str, *, layer: str) -> str:
    """Give such a text; raise `UnreadableError` naming the field and what is wrong with it."""
    value = tree.get(name)
    if value is None:
        raise UnreadableError(f"{name} is missing", layer=layer, field=name)
    if not is_text(value):
        raise UnreadableError(f"{name} is not text", layer=layer, field=name)
    if not value:
        raise UnreadableError(f"{name} is empty", layer=layer, field=name)
    if len(value) > MAX_TEXT:
        raise UnreadableError(f"{name} is too long", layer=layer, field=name, length=len(value))
    return value


def required_job(tree: dict[str, Tree], kind: str, *, layer: str) -> JobRef:
    """Give the job that `JobId` names; raise `UnreadableError` when it names none that can be kept."""
    job_id = required_text(tree, "JobId", layer=layer)
    try:
        return JobRef(kind, job_id)
    except InvalidJobIdError as error:
        raise UnreadableError(error.message, layer=layer, field="JobId") from None


def spelled(tree: dict[str, Tree], names: Iterable[str]) -> dict[str, Tree]:
    """Give the members of these names, in whatever casing they came, under the spelling given here.

    Of several that differ in casing alone, the first counts that is neither null nor empty text.
    """
    spelling = {name.lower(): name for name in names}
    found: dict[str, Tree] = {}
    for name, value in tree.items():
        known = spelling.get(name.lower())
        if known is not None and value is not None and value != "":
            found.setdefault(known, value)
    return found
