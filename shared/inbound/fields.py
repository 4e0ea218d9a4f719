"""Fields of a document by name and type. A value of the wrong type is never converted."""

from __future__ import annotations

from collections.abc import Iterable

from shared.errors import InvalidJobIdError, ParseError
from shared.jobs import JobRef
from shared.toolkit.strict_json import Tree, any_text, is_text

MAX_TEXT = 128


def optional_text(tree: Tree, name: str) -> str | None:
    """Give a text of 1 to `MAX_TEXT` characters; None for anything else."""
    text = any_text(tree, name)
    return text if text and len(text) <= MAX_TEXT else None


def required_text(tree: dict[str, Tree], name: str, *, layer: str) -> str:
    """Give such a text; raise `ParseError` naming the field and what is wrong with it."""
    value = tree.get(name)
    if value is None:
        raise ParseError(f"{name} is missing", layer=layer, field=name)
    if not is_text(value):
        raise ParseError(f"{name} is not text", layer=layer, field=name)
    if not value:
        raise ParseError(f"{name} is empty", layer=layer, field=name)
    if len(value) > MAX_TEXT:
        raise ParseError(f"{name} is too long", layer=layer, field=name, length=len(value))
    return value


def required_job(tree: dict[str, Tree], kind: str, *, layer: str) -> JobRef:
    """Give the job that `JobId` names; raise `ParseError` when it names none that can be kept."""
    job_id = required_text(tree, "JobId", layer=layer)
    try:
        return JobRef(kind, job_id)
    except InvalidJobIdError as error:
        raise ParseError(error.message, layer=layer, field="JobId") from None


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
