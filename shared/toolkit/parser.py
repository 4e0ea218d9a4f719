"""Layers that are taken off one after the other: bytes, trigger, wrapper, model.

    order = mns_topic >> message_body >> model(Order)
    order(event)    # an Order, or a ParseError that names the layer and the field

A layer is a function with a name. Two of them are joined by `>>` where types fit, and what comes out
is a layer again. pydantic is loaded by the first call of a `model` layer, by nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, overload

from shared.toolkit.bodies import plain
from shared.toolkit.errors import PermanentError

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

I_contra = TypeVar("I_contra", contravariant=True)
O_co = TypeVar("O_co", covariant=True)
P = TypeVar("P")
T = TypeVar("T")

Document: TypeAlias = "bytes | bytearray | str | Mapping[str, Any] | list[Any] | tuple[Any, ...]"
"""JSON that is written down (bytes, text), or decoded already."""

_decode = json.JSONDecoder().raw_decode
_BLANK = " \t\n\r"
_NAMED_FIELDS = 20
# What is shown of a path is what a field may be called; a key of a stranger's mapping may be anything.
_FIELD_NAME = r"[\w.@:$-]{1,64}"
# pydantic's texts for these quote what was put in.
_QUOTING = frozenset(
    {
        "assertion_error",
        "bytes_invalid_encoding",
        "get_attribute_error",
        "iteration_error",
        "mapping_type",
        "timezone_offset",
        "union_tag_invalid",
        "uuid_parsing",
        "value_error",
    }
)


def field_name(key: int | str) -> str:
    """Give the key for an error to show: `?` for what no field is called, which may be a value."""
    return str(key) if isinstance(key, int) or re.fullmatch(_FIELD_NAME, key) else "?"


class ParseError(PermanentError):
    """Input that is not what it should be. No value of the input is in its text.

    `layer` is the one that gave up, `field` the first member that is to blame, as a dotted path, where
    one is; `reason` says what is wrong.
    """

    def __init__(self, reason: str, *, layer: str, field: str | None = None, **details: object) -> None:
        super().__init__(reason, layer=layer, field=field, **details)
        self.reason = reason
        self.layer = layer
        self.field = field


class Layer(Generic[I_contra, O_co]):
    """A named step from one form of the input to the next; `first >> second` is both in one.

    `read` raises `ParseError` for what it cannot read. Its `ValueError` becomes one too, which tells
    no more than its type: the text of such errors quotes the input.
    """

    __slots__ = ("_steps",)

    def __init__(self, name: str, read: Callable[[I_contra], O_co]) -> None:
        self._steps: tuple[tuple[str, Callable[[Any], Any]], ...] = ((name, read),)

    @property
    def name(self) -> str:
        """Name the layer; of a chain, all of it."""
        return " >> ".join(name for name, _ in self._steps)

    def __call__(self, value: I_contra) -> O_co:
        """Take the layer off."""
        read: Any = value
        name = ""
        try:
            for name, step in self._steps:  # noqa: B007 - `except` reads the name
                read = step(read)
        except ValueError as error:
            raise ParseError(f"not readable: {type(error).__name__}", layer=name) from None
        result: O_co = read
        return result

    def __rshift__(self, inner: Layer[O_co, P]) -> Layer[I_contra, P]:
        """Join the layer with what reads its result."""
        joined: Layer[I_contra, P] = Layer.__new__(Layer)
        joined._steps = self._steps + inner._steps
        return joined

    def __repr__(self) -> str:
        return f"<Layer {self.name}>"


def decode_json(data: bytes | bytearray | str, *, layer: str = "json") -> Any:
    """Decode with the standard decoder, fast and lenient; `strict_json.parse` is the strict one."""
    try:
        # Decoded here: the decoder would first find out which encoding it is.
        text = (data if isinstance(data, str) else data.decode()).removeprefix("\ufeff")
        # Nor does it look for blanks: with its patterns, that takes a fifth of the time of a small event.
        value, end = _decode(text, len(text) - len(text.lstrip(_BLANK)))
    except json.JSONDecodeError as error:
        raise ParseError(f"not JSON: {error.msg}", layer=layer, at=error.pos) from None
    except (ValueError, RecursionError) as error:  # not UTF-8, a number of over 4,300 digits, too deep
        raise ParseError(f"not JSON: {type(error).__name__}", layer=layer) from None
    if end < len(text) and text[end:].strip(_BLANK):
        raise ParseError("not JSON: Extra data", layer=layer, at=end)
    return value


def _decode_text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError("not UTF-8 text", layer="text", at=error.start) from None


text: Layer[bytes, str] = Layer("text", _decode_text)
json_value: Layer[bytes | bytearray | str, Any] = Layer("json", decode_json)
base64_or_plain: Layer[str, bytes] = Layer("base64", plain)


@overload
def model(kind: type[T], *, name: str | None = None) -> Layer[Document, T]: ...
@overload
def model(kind: TypeAdapter[T], *, name: str | None = None) -> Layer[Document, T]: ...
def model(kind: Any, *, name: str | None = None) -> Layer[Document, Any]:
    """Make the layer that validates a document as `kind`: a model of pydantic, or any type it knows.

    For a type that mypy cannot pass as an argument, such as a union, hand in a `TypeAdapter` of it.
    """
    layer = name or getattr(kind, "__name__", None) or "model"

    @cache
    def validator() -> Any:
        if isinstance(kind, type) and (own := vars(kind).get("__pydantic_validator__")):
            return own  # its own, not an inherited one: an adapter would take longer to build than a model
        from pydantic import TypeAdapter

        adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
        return adapter.validator

    def validate(document: Document) -> Any:
        try:
            if isinstance(document, (bytes, str, bytearray)):
                return validator().validate_json(document)
            return validator().validate_python(document)
        except ValueError as error:
            from pydantic import ValidationError

            if isinstance(error, ValidationError):
                raise _refusal(error, layer) from None
            raise

    return Layer(layer, validate)


def _refusal(error: ValidationError, layer: str) -> ParseError:
    found = _wrong_fields(error)
    named = [f"{field}: {reason}" if field else reason for field, reason in found[:_NAMED_FIELDS]]
    if len(found) > _NAMED_FIELDS:
        named.append(f"and {len(found) - _NAMED_FIELDS} more")
    first = next((field for field, _ in found if field), None)
    return ParseError("; ".join(named), layer=layer, field=first)


def _wrong_fields(error: ValidationError) -> list[tuple[str, str]]:
    """Name each wrong field and what is wrong with it, without what stood there."""
    from typing import get_args

    from pydantic_core.core_schema import ErrorType

    quotable = frozenset(get_args(ErrorType)) - _QUOTING
    return [
        (
            ".".join(field_name(step) for step in wrong["loc"]),
            wrong["msg"] if wrong["type"] in quotable else wrong["type"],
        )
        for wrong in error.errors(include_url=False, include_context=False, include_input=False)
    ]
