"""Words and numbers of a setting, held against what is allowed; an error names the nearest right word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.toolkit.strict_json import NumberText, Tree, is_text

_SHOWN = 40
_A_MISSPELLING = 0.7


def shown(word: str) -> str:
    """Quote a word that somebody else wrote, as far as an error may show it."""
    return repr(word[:_SHOWN])


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Give the known word that was probably meant; None where none is like it."""
    from difflib import get_close_matches  # takes 2 ms to import, and only whoever erred needs it

    return next(iter(get_close_matches(word.casefold(), sorted(known), 1, _A_MISSPELLING)), None)


def unknown(word: str, known: Iterable[str]) -> str:
    """Say that a word is not known, and which one is nearest or which there are."""
    words = sorted(known)
    meant = nearest(word, words)
    told = f"did you mean {meant!r}?" if meant else f"known are {', '.join(words) or 'none'}"
    return f"{shown(word)} is unknown: {told}"


def an_object(tree: Tree, where: str) -> dict[str, Tree]:
    """Give an object; raise `ValueError` for anything else."""
    if isinstance(tree, dict):
        return tree
    raise ValueError(f"{where}: must be an object")


def a_list(tree: Tree, where: str) -> list[Tree]:
    """Give a list; raise `ValueError` for anything else."""
    if isinstance(tree, list):
        return tree
    raise ValueError(f"{where}: must be a list")


def members(tree: Tree, known: Iterable[str], where: str) -> dict[str, Tree]:
    """Give an object whose members all have known names."""
    given = an_object(tree, where)
    for name in given:
        if name not in known:
            raise ValueError(f"{where}: {unknown(name, known)}")
    return given


def flag(tree: Mapping[str, Tree], name: str, where: str) -> bool:
    """Give true or false; false where it is not said."""
    value = tree.get(name, False)
    if isinstance(value, bool):
        return value
    raise ValueError(f"{where}: {name} must be true or false")


def whole(tree: Mapping[str, Tree], name: str, where: str, *, default: int, most: int) -> int:
    """Give a whole number from 1 to `most`."""
    value = tree.get(name)
    if value is None:
        return default
    # Its length first: Python refuses to read thousands of digits, in words that name nothing.
    digits = value if isinstance(value, NumberText) and len(value) <= len(str(most)) else ""
    if not digits.isdecimal() or not 1 <= int(digits) <= most:
        raise ValueError(f"{where}: {name} must be a whole number from 1 to {most}")
    return int(digits)


def texts(tree: Tree, where: str) -> tuple[str, ...]:
    """Give a list that holds a text or more, and nothing else."""
    given = a_list(tree, where)
    if not given or not all(is_text(each) for each in given):
        raise ValueError(f"{where}: must be a list of texts, at least one")
    return tuple(str(each) for each in given)
