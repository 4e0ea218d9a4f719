"""A raw answer as lines of its tree: around one place in a bounded number, or whole where it is small.

What is open around a place are its ancestors, what stands next to it, and what it holds. A text that holds
a document is opened where an address leads into it, which it does behind a `#` (see `documents.pointers`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from shared.documents import embedded
from shared.documents.embedded import Embedded
from shared.documents.pointers import escape, resolve, scalar_text, unescape
from shared.errors import ParseError
from shared.toolkit.strict_json import NumberText, Tree, is_text

Form = Literal["object", "list", "document", "text", "number", "word", "cut"]

_NEIGHBOURS = 5
"""Of so many on each side of a place on the way, one line is shown each."""
_NEAR = 3
"""Only so many ancestors are shown with their neighbours."""
_HELD = 40
"""Most members of one value that are shown."""
_LINES = 80
"""Most lines of what a place holds."""
_TEXT, _WHOLE_TEXT = 160, 4_000
_CRUMBS = 12


@dataclass(frozen=True)
class Line:
    """One value, or with the form `cut` so many as `count` that are left out, the first of them at `at`.

    `text` is the value of a leaf, cut at some length; `count` is how much a container holds; `anchor` names
    the line where links lead to it.
    """

    depth: int
    name: str
    form: Form
    at: str
    text: str = ""
    count: int = 0
    is_open: bool = False
    is_here: bool = False
    is_cut: bool = False
    anchor: str = ""

    @property
    def holds_more(self) -> bool:
        """Tell whether there is more to see where it stands."""
        return self.is_cut or (self.count > 0 and not self.is_open)

    @property
    def may_hold_document(self) -> bool:
        """Tell whether its text looks like a JSON document."""
        return self.form == "text" and self.text.lstrip()[:1] in ("{", "[")


@dataclass(frozen=True)
class Crumb:
    """An ancestor of a place: its name and address."""

    name: str
    at: str


@dataclass(frozen=True)
class Window:
    """What is shown of a part around a place; `missing` is the address that leads nowhere, if it does."""

    crumbs: tuple[Crumb, ...]
    lines: tuple[Line, ...]
    missing: str | None = None


@dataclass(frozen=True)
class _Step:
    """A value on the way to a place. `name` is the key or number that it has in the one before."""

    name: str
    at: str
    value: Tree


def window(part: str, tree: Tree, at: str | None = None) -> Window:
    """Show a part around an address, or from its root; as far as the address leads."""
    way, missing = _way(part, tree, at or f"{part}:")
    crumbs = tuple(Crumb(step.name, step.at) for step in way)
    lines = tuple(_along(way, 0, max(0, len(way) - 1 - _NEAR), is_asked=at is not None))
    return Window(crumbs[-_CRUMBS:], lines, missing)


def excerpt(part: str, tree: Tree, at: str) -> Window | None:
    """Show what stands at an address, without what is around it; None if it leads nowhere."""
    way, missing = _way(part, tree, at)
    if missing is not None:
        return None
    crumbs = tuple(Crumb(step.name, step.at) for step in way)
    return Window(crumbs, tuple(_held(way[-1], 0, is_here=False)))


def whole(part: str, tree: Tree, sources: Collection[str], most: int) -> tuple[Line, ...] | None:
    """Give a line for each value, with the documents in texts that addresses lead into; None if too many."""
    nested = {source[:at] for source in sources for at, sign in enumerate(source) if sign == "#"}
    lines = tuple(islice(_all(part, f"{part}:", tree, nested), most + 1))
    return lines if len(lines) <= most else None


def _way(part: str, tree: Tree, at: str) -> tuple[list[_Step], str | None]:
    """Give the values from the root to an address, as far as it leads."""
    way = [_Step(part, f"{part}:", tree)]
    chain = at.partition(":")[2]
    for number, pointer in enumerate(chain.split("#")):
        if number:
            here = way[-1]
            document = _document(here.value)
            if document is None:
                return way, at
            way.append(_Step("#", f"{here.at}#", document.tree))
        head, *tokens = pointer.split("/")
        if head:
            return way, at
        for token in tokens:
            here = way[-1]
            try:
                value = resolve({part: here.value}, f"{part}:/{token}")
            except ParseError:
                return way, at
            way.append(_Step(unescape(token), f"{here.at}/{token}", value))
    return way, None


def _along(way: Sequence[_Step], depth: int, far: int, *, is_asked: bool) -> Iterator[Line]:
    """Show the way from its first step on: `far` steps alone, the others with their neighbours."""
    here, *rest = way
    if not rest:
        yield from _held(here, depth, is_here=is_asked)
        return
    yield _line(here.name, here.at, here.value, depth, is_open=True)
    then = rest[0]
    if far > 0 or is_text(here.value):
        yield from _along(rest, depth + 1, far - 1, is_asked=is_asked)
        return
    names = [name for name, _ in _members(here.value)]
    index = names.index(then.name)
    first, last = max(0, index - _NEIGHBOURS), index + _NEIGHBOURS + 1
    members = list(islice(_members(here.value), first, last))
    if first:
        yield _cut(depth + 1, _address(here.at, names[0]), first)
    for name, value in members:
        if name == then.name:
            yield from _along(rest, depth + 1, 0, is_asked=is_asked)
        else:
            yield _line(name, _address(here.at, name), value, depth + 1)
    if last < len(names):
        yield _cut(depth + 1, _address(here.at, names[last]), len(names) - last)


def _held(step: _Step, depth: int, *, is_here: bool) -> Iterator[Line]:
    """Show a value and what it holds, level by level as far as there is room, in the document's order."""
    opened = _opened(step)

    def lines(name: str, at: str, value: Tree, depth: int) -> Iterator[Line]:
        is_open = at in opened
        yield _line(name, at, value, depth, is_open=is_open, is_here=is_here and at == step.at)
        if not is_open:
            return
        for number, (key, member) in enumerate(_members(value)):
            if number == _HELD:
                yield _cut(depth + 1, _address(at, key), _count(value) - _HELD)
                return
            yield from lines(key, _address(at, key), member, depth + 1)

    yield from lines(step.name, step.at, step.value, depth)


def _opened(step: _Step) -> set[str]:
    """Choose what to open of a value: the nearest first, until there are enough lines."""
    opened, room = set(), _LINES
    nearest = deque([(step.at, step.value)])
    while nearest:
        at, value = nearest.popleft()
        needed = min(_count(value), _HELD)
        if not needed or needed > room:
            continue
        opened.add(at)
        room -= needed
        nearest.extend((_address(at, key), member) for key, member in islice(_members(value), _HELD))
    return opened


def _all(name: str, at: str, value: Tree, nested: Collection[str]) -> Iterator[Line]:
    # A stack, not recursion: a document may be deeper than Python's own.
    pending: list[tuple[int, str, str, Tree]] = [(0, name, at, value)]
    while pending:
        depth, name, at, value = pending.pop()
        inner = _document(value) if at in nested else None
        is_open = inner is not None or isinstance(value, dict | list)
        yield _line(name, at, value, depth, is_open=is_open)
        if inner is not None:
            pending.append((depth + 1, "#", f"{at}#", inner.tree))
        members = list(_members(value))
        pending.extend((depth + 1, key, _address(at, key), member) for key, member in reversed(members))


def _document(value: Tree) -> Embedded | None:
    try:
        return embedded.read(value) if is_text(value) else None
    except ParseError:
        return None


def _line(
    name: str, at: str, value: Tree, depth: int, *, is_open: bool = False, is_here: bool = False
) -> Line:
    anchor = "here" if is_here else ""
    form = _form(value, is_open=is_open)
    if isinstance(value, dict | list):
        return Line(depth, name, form, at, "", len(value), is_open, is_here, anchor=anchor)
    text = "" if form == "document" else scalar_text(value)
    limit = _WHOLE_TEXT if is_here else _TEXT
    return Line(depth, name, form, at, text[:limit], 0, is_open, is_here, len(text) > limit, anchor)


def _form(value: Tree, *, is_open: bool) -> Form:
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "list"
    if isinstance(value, NumberText):
        return "number"
    if isinstance(value, str):
        return "document" if is_open else "text"
    return "word"


def _cut(depth: int, at: str, count: int) -> Line:
    return Line(depth, "", "cut", at, count=count)


def _members(value: Tree) -> Iterator[tuple[str, Tree]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(number), member) for number, member in enumerate(value))


def _count(value: Tree) -> int:
    return len(value) if isinstance(value, dict | list) else 0


def _address(at: str, name: str) -> str:
    return f"{at}/{escape(name)}"
