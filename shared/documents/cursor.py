"""A walk over one part that remembers what it took, so that nothing is lost by oversight.

A normalizer reads through a `Node`; whatever it did not read or ignore by name comes back from
`Walk.unmapped`. A value of the wrong type is not taken: it stays unmapped instead of being guessed.
No text that leaves a walk holds the query of a URL.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.documents import embedded
from shared.documents.pointers import escape, leaves
from shared.documents.urls import without_query
from shared.errors import ParseError
from shared.toolkit.strict_json import NumberText, Tree


class Walk:
    """One part being read; `root` is where to begin.

    A node accounts for the members of its object; going to a member hands what is in it to nodes of its own.
    """

    def __init__(self, part: str, tree: Tree) -> None:
        self._tree = tree
        # By identity of the object: it lives as long as its node, and is never changed by a walk.
        self._nodes: dict[int, Node] = {}
        # What stands in lists that were gone to and is no object, by source.
        self._left: dict[str, Tree] = {}
        # Documents that were found in texts, by their source.
        self._opened: dict[str, dict[str, Tree] | list[Tree]] = {}
        self.repaired: dict[str, tuple[str, ...]] = {}
        self.root = self.node(f"{part}:", tree if isinstance(tree, dict) else {})
        if not isinstance(tree, dict):
            self._left[self.root.source] = tree

    def nodes(self) -> list[Node]:
        """Go to each object of a part that is a list of them."""
        if not isinstance(self._tree, list):
            return []
        self._left.pop(self.root.source, None)
        return self.objects(self.root.source, self._tree)

    def node(self, source: str, members: dict[str, Tree]) -> Node:
        """Go to an object."""
        node = self._nodes.get(id(members))
        if node is None:
            node = self._nodes[id(members)] = Node(self, source, members)
        return node

    def objects(self, source: str, items: list[Tree]) -> list[Node]:
        """Go to each object of a list; what else is in it stays unmapped."""
        found = []
        for i, item in enumerate(items):
            at = f"{source}/{i}"
            if isinstance(item, dict):
                found.append(self.node(at, item))
            else:
                self._left[at] = item
        return found

    def inside(self, source: str, tree: dict[str, Tree] | list[Tree]) -> list[Node]:
        """Go to an object, or to each object of a list."""
        return [self.node(source, tree)] if isinstance(tree, dict) else self.objects(source, tree)

    def open(self, source: str, text: str) -> dict[str, Tree] | list[Tree]:
        """Read the JSON object or list that a text holds; raise `ParseError` when it holds neither."""
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
        left = [*self._left.items()]
        for node in self._nodes.values():
            left += node.left()
        return sorted(
            (at, without_query(text)) for source, value in left for at, text in leaves(value, source)
        )


class Node:
    """One object of the part; `source` is its address as a record shows it.

    A JSON null and an empty text are the vendor's ways to say nothing (query-apis.md, quirk 44):
    they are taken, and read as None.
    """

    __slots__ = ("_members", "_taken", "_walk", "source")

    def __init__(self, walk: Walk, source: str, members: dict[str, Tree]) -> None:
        self._walk = walk
        self._members = members
        self._taken: set[str] = set()
        self.source = source

    def names(self) -> list[str]:
        """List the member names, sorted, so that their order in the document never matters."""
        return sorted(self._members)

    def has_leaves(self) -> bool:
        """Tell whether anything is in it; XML shows an empty list as nothing at all."""
        return _has_leaves(self._members)

    def left(self) -> list[tuple[str, Tree]]:
        """List the members that nobody took, each with its source."""
        if self._taken.issuperset(self._members):
            return []
        return [
            (self._below(name), value) for name, value in self._members.items() if name not in self._taken
        ]

    def object(self, name: str) -> Node | None:
        """Go to a member that is an object; None for anything else."""
        value = self._member(name)
        if not isinstance(value, dict):
            return None
        self._taken.add(name)
        return self._walk.node(self._below(name), value)

    def items(self, name: str) -> list[Node]:
        """Go to each object of a member that is a list; none for anything else."""
        value = self._member(name)
        if not isinstance(value, list):
            return []
        self._taken.add(name)
        return self._walk.objects(self._below(name), value)

    def document(self, name: str) -> list[Node] | None:
        """Go to the objects of a member that is a text holding JSON; leave any other text as it is."""
        value = self._member(name)
        if not isinstance(value, str) or isinstance(value, NumberText) or not value.strip():
            return None
        source = f"{self._below(name)}#"
        try:
            tree = self._walk.open(source, value)
        except ParseError:
            return None
        self._taken.add(name)
        return self._walk.inside(source, tree)

    def nested(self, name: str) -> list[Node] | None:
        """Go to a member that is an object, or to the objects of a list, or of a text holding either.

        None where it is none of them, which is not the same as a list without objects.
        """
        value = self._member(name)
        if not isinstance(value, dict | list):
            return self.document(name)
        self._taken.add(name)
        return self._walk.inside(self._below(name), value)

    def text(self, name: str) -> str | None:
        """Take a member that is text or a number, as text; None for anything else."""
        value = self._members.get(name)
        if value is not None and not isinstance(value, str):
            return None
        self._taken.add(name)
        if not value:
            return None
        # Most texts are a word or a number, which cannot hold a URL.
        return str(value if value.isalnum() else without_query(value))

    def first_text(self, names: Iterable[str]) -> str | None:
        """Take the first of some members that says something, as `text`; leave what stands beside it."""
        for name in names:
            if name in self._members and (text := self.text(name)) is not None:
                return text
        return None

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


def _has_leaves(tree: Tree) -> bool:
    if isinstance(tree, dict | list):
        return any(_has_leaves(value) for value in (tree.values() if isinstance(tree, dict) else tree))
    return True


def is_whole_number(text: str) -> bool:
    """Tell whether the text is a plain whole number that 64 bits can hold."""
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 18
