"""Fields of a document by name and type. A value of the wrong type is never converted."""

from __future__ import annotations

from typing import TypeGuard

from shared.documents.strict_json import NumberText, Tree
from shared.errors import UnreadableError

MAX_TEXT = 128


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
