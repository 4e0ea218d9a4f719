"""A walk over one part that remembers what it took, so that nothing is lost by oversight.

A normalizer reads through a `Node`; whatever it did not read or ignore by name comes back from
`Walk.unmapped`. A value of the wrong type is not taken: it stays unmapped instead of being guessed.
No text that leaves a walk holds the query of a URL.
"""

from __future__ import annotations

from shared.documents import embedded
from shared.documents.pointers import escape, leaves, scalar_text
from shared.documents.urls import without_query
from shared.errors import ParseError
from shared.toolkit.strict_json import NumberText, Tree

_NOTHING: frozenset[str] = frozenset()


class Walk:
    """One part being read; `root` is where to begin."""

    def __init__(self, part: str, tree: Tree) -> None:
        self._tree = tree
        # By identity of the object: the tree lives as long as the walk, and is never changed by it.
        self._taken: dict[int, set[str]] = {}
        # Documents that were found in texts, by their source.
        self._opened: dict[str, dict[str, Tree] | list[Tree]] = {}
        self.repaired: dict[str, tuple[str, ...]] = {}
        self.root = Node(self, f"{part}:", tree if isinstance(tree, dict) else {})

    def nodes(self) -> list[Node]:
        """Go to each object of a part that is a list of them."""
        items = self._tree if isinstance(self._tree, list) else []
        source = self.root.source
        return [Node(self, f"{source}/{i}", item) for i, item in enumerate(items) if isinstance(item, dict)]

    def taken_from(self, members: dict[str, Tree]) -> set[str]:
        """Give the names taken from one object so far; taking a name takes all that is in it."""
        return self._taken.setdefault(id(members), set())

    def open(self, source: str, text: str) -> dict[str, Tree] | list[Tree]:
        """Read the JSON object or list that a text holds; its leaves are accounted for from now on.

        Raise `ParseError` when it holds neither.
        """
        before = self._opened.get(source)
        if before is not None:
            return before
        found = embedded.read(text)
        tree = found.tree
        if not isinstance(tree, dict | list):
            raise ParseError("neither an object nor a list", layer="json")
        self._opened[source] = tree
        if found.repaired:
            self.repaired[source] = found.repaired
        return tree

    def unmapped(self) -> list[tuple[str, str]]:
        """List every leaf that nobody took, as (source, text), sorted by source."""
        found: list[tuple[str, str]] = []
        pending: list[tuple[str, Tree]] = [(self.root.source, self._tree), *self._opened.items()]
        while pending:
            source, value = pending.pop()
            if isinstance(value, dict):
                taken = self._taken.get(id(value), _NOTHING)
                pending += [(f"{source}/{escape(name)}", value[name]) for name in value if name not in taken]
            elif isinstance(value, list):
                pending += [(f"{source}/{i}", item) for i, item in enumerate(value)]
            else:
                found.append((source, without_query(scalar_text(value))))
        return sorted(found)


class Node:
    """One object of the part; `source` is its address as a record shows it.

    A JSON null and an empty text are the vendor's ways to say nothing (query-apis.md, quirk 44):
    they are taken, and read as None.
    """

    __slots__ = ("_members", "_taken", "_walk", "source")

    def __init__(self, walk: Walk, source: str, members: dict[str, Tree]) -> None:
        self._walk = walk
        self._members = members
        self._taken = walk.taken_from(members)
        self.source = source

    def names(self) -> list[str]:
        """List the member names, sorted, so that their order in the document never matters."""
        return sorted(self._members)

    def has_leaves(self) -> bool:
        """Tell whether anything is in it; XML shows an empty list as nothing at all."""
        return any(True for _ in leaves(self._members))

    def object(self, name: str) -> Node | None:
        """Go to a member that is an object; None for anything else."""
        value = self._member(name)
        return Node(self._walk, self._below(name), value) if isinstance(value, dict) else None

    def items(self, name: str) -> list[Node]:
        """Go to each object of a member that is a list; none for anything else."""
        value = self._member(name)
        if not isinstance(value, list):
            return []
        source = self._below(name)
        return [
            Node(self._walk, f"{source}/{i}", item) for i, item in enumerate(value) if isinstance(item, dict)
        ]

    def document(self, name: str) -> Nested | None:
        """Open a member that is a text holding JSON; leave any other text as it is."""
        value = self._member(name)
        if not isinstance(value, str) or isinstance(value, NumberText) or not value.strip():
            return None
        source = f"{self._below(name)}#"
        try:
            tree = self._walk.open(source, value)
        except ParseError:
            return None
        self._taken.add(name)
        return Nested(self._walk, source, tree)

    def nested(self, name: str) -> Nested | None:
        """Go to a member that is an object or a list, or a text holding either."""
        value = self._member(name)
        if isinstance(value, dict | list):
            return Nested(self._walk, self._below(name), value)
        return self.document(name)

    def text(self, name: str) -> str | None:
        """Take a member that is text or a number, as text; None for anything else."""
        # Most of the time that a record takes is spent here, so the two steps are not calls.
        value = self._members.get(name)
        if value is not None and not isinstance(value, str):
            return None
        self._taken.add(name)
        if not value:
            return None
        return without_query(value) if "/" in value or "?" in value or "%" in value else str(value)

    def integer(self, name: str) -> int | None:
        """Take a member that is a whole number of at most 18 digits; leave anything else."""
        text = self.text(name)
        if text is None or is_whole_number(text):
            return None if text is None else int(text)
        self.put_back(name)
        return None

    def value(self, name: str) -> Tree:
        """Look at a member of any shape without taking it; None where there is none."""
        return self._members.get(name)

    def put_back(self, name: str) -> None:
        """Leave a member after all: it was read, but means nothing that the record can hold."""
        self._taken.discard(name)

    def ignore(self, name: str) -> None:
        """Take a member, with everything in it, that the record does not hold on purpose."""
        self._taken.add(name)

    def _member(self, name: str) -> Tree:
        value = self._members.get(name)
        if value is None:
            self._taken.add(name)
        return value

    def _below(self, name: str) -> str:
        return f"{self.source}/{escape(name)}"


class Nested:
    """A value whose shape is not known beforehand: an object, or a list of anything."""

    __slots__ = ("_tree", "_walk", "source")

    def __init__(self, walk: Walk, source: str, tree: dict[str, Tree] | list[Tree]) -> None:
        self._walk = walk
        self._tree = tree
        self.source = source

    @property
    def node(self) -> Node | None:
        """Give the object; None for a list."""
        return Node(self._walk, self.source, self._tree) if isinstance(self._tree, dict) else None

    def nodes(self) -> list[Node]:
        """Give each object of the list; for an object, itself."""
        if isinstance(self._tree, dict):
            return [Node(self._walk, self.source, self._tree)]
        return [
            Node(self._walk, f"{self.source}/{i}", item)
            for i, item in enumerate(self._tree)
            if isinstance(item, dict)
        ]


def is_whole_number(text: str) -> bool:
    """Tell whether the text is a plain whole number that 64 bits can hold."""
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 18
