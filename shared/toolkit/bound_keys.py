"""The keys that log lines show beside what they say: those that are bound at the moment.

They are bound in context variables: they end with the block that bound them and never show up in the log
lines of another invocation, thread or task.
"""

from __future__ import annotations

from contextvars import ContextVar

from shared.toolkit.quick_members import OF_THE_LINE, members_text

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from contextvars import Token

    from shared.toolkit.masking import Masker

_OF_THE_INVOCATION = frozenset({"request_id", "function", "cold_start", "sampled"})
_TAKEN = OF_THE_LINE | _OF_THE_INVOCATION


class BoundKeys:
    """Bound keys, and how they look in a line: found out once, for all lines of their block."""

    __slots__ = ("_added", "_clean_for", "_encoded", "_outer", "mapping")

    def __init__(self, added: Mapping[str, object], outer: BoundKeys | None = None) -> None:
        self.mapping: Mapping[str, object] = {**outer.mapping, **added} if outer else added
        self._outer: BoundKeys | None = None
        self._added = self.mapping
        # What stands in a line already is only added to; what hides a key of outside is made anew.
        if outer is not None and outer.mapping.keys().isdisjoint(added):
            self._outer, self._added = outer, added
        self._encoded: tuple[str | None, str] | None = None
        self._clean_for: Masker | None = None

    def encoded(self) -> tuple[str | None, str]:
        """Give the members as JSON, a comma before each, and the texts in them; None for what needs care."""
        if self._encoded is None:
            outer, outer_texts = self._outer.encoded() if self._outer else ("", "")
            texts = [outer_texts]
            own = members_text(self._added, texts)
            both = None if outer is None or own is None else outer + own
            self._encoded = (both, "".join(texts))
        return self._encoded

    def is_known_clean(self, masker: Masker) -> bool:
        """Tell whether a line has shown already that these members hold nothing to mask."""
        return self._clean_for is masker

    def note_clean(self, masker: Masker) -> None:
        """Remember it, for these and for those around them."""
        self._clean_for = masker
        if self._outer is not None:
            self._outer.note_clean(masker)


_NOTHING = BoundKeys({})
_bound: ContextVar[BoundKeys] = ContextVar("bound_log_keys", default=_NOTHING)
bound_keys = _bound.get
"""Give what is bound at the moment."""

current_item: ContextVar[str | None] = ContextVar("current_item", default=None)
"""The id of the batch item that is worked on; log lines show it as `item_id`."""


class _Binding:
    """A context manager without a generator: it is entered for every item."""

    __slots__ = ("_keys", "_outer")

    def __init__(self, keys: dict[str, object]) -> None:
        self._keys = keys
        self._outer: Token[BoundKeys] | None = None

    def __enter__(self) -> None:
        self._outer = _bound.set(BoundKeys(self._keys, _bound.get()))

    def __exit__(self, *_: object) -> None:
        if self._outer is not None:
            _bound.reset(self._outer)


def bind(**keys: object) -> AbstractContextManager[None]:
    """Add keys to every log line of this block, and of what it calls.

    Correlation ids (a job's key, a message's id) are bound like this. A thread inherits them only with a
    copied context (`contextvars.copy_context`). Raise `ValueError` for a name that log lines use already.
    """
    if not _TAKEN.isdisjoint(keys):
        raise ValueError(f"log lines use these names already: {', '.join(sorted(_TAKEN.intersection(keys)))}")
    return _Binding(keys)


def bind_invocation(keys: dict[str, object]) -> None:
    """Bind an invocation's own keys, and nothing that was bound before it, until the present context ends."""
    _bound.set(BoundKeys(keys))
