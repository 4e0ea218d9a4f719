"""Protocol buffers, version 2, as far as Tablestore uses them: messages as dictionaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = "Literal['int', 'bool', 'text', 'bytes'] | Message"
Values: TypeAlias = dict[str, Any]

_VARINT, _FIXED_64, _LENGTH, _FIXED_32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED_64: 8, _FIXED_32: 4}


class MalformedError(ValueError):
    """Bytes that are not what they should be."""


@dataclass(frozen=True)
class Field:
    """A field of a message: its number, what it holds, whether it may come many times."""

    number: int
    kind: Kind
    many: bool = False
    required: bool = False


class Message:
    """A kind of message, by the names of its fields."""

    def __init__(self, **fields: Field) -> None:
        self._fields: Mapping[str, Field] = fields
        self._names = {field.number: name for name, field in fields.items()}

    def decode(self, data: bytes) -> Values:
        """Read a message; a field that may come many times is a list, one that did not come is not there.

        Unknown fields are passed over, as every client of protocol buffers does.
        """
        values: Values = {name: [] for name, field in self._fields.items() if field.many}
        for number, raw in _fields(data):
            name = self._names.get(number)
            if name is None:
                continue
            field = self._fields[name]
            value = _decoded(raw, field.kind)
            if field.many:
                values[name].append(value)
            else:
                values[name] = value
        for name, field in self._fields.items():
            if field.required and name not in values:
                raise MalformedError(f"the message lacks {name}")
        return values

    def encode(self, values: Values) -> bytes:
        """Write a message; what is None is left out."""
        out = bytearray()
        for name, value in values.items():
            field = self._fields[name]
            for one in value if field.many else (value,):
                if one is not None:
                    out += _encoded(field, one)
        return bytes(out)


def one(number: int, kind: Kind) -> Field:
    """Give a field that may be left out."""
    return Field(number, kind)


def must(number: int, kind: Kind) -> Field:
    """Give a field without which a message is none."""
    return Field(number, kind, required=True)


def many(number: int, kind: Kind) -> Field:
    """Give a field that may come any number of times."""
    return Field(number, kind, many=True)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        size = _FIXED_SIZES.get(wire_type)
        if wire_type == _LENGTH:
            size, at = _varint(data, at)
        if size is None or at + size > len(data):
            raise MalformedError(f"field {number} cannot be read")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise MalformedError("a number has no end")


def _decoded(raw: int | bytes, kind: Kind) -> Any:
    if isinstance(raw, int):
        if kind not in ("int", "bool"):
            raise MalformedError("a number where there should be none")
        # Negative numbers travel as their complement in 64 bits.
        return bool(raw) if kind == "bool" else (raw - 2**64 if raw >= 2**63 else raw)
    if isinstance(kind, Message):
        return kind.decode(raw)
    if kind == "bytes":
        return raw
    if kind != "text":
        raise MalformedError("bytes where there should be a number")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise MalformedError("text that is not UTF-8") from None


def _encoded(field: Field, value: Any) -> bytes:
    if field.kind in ("int", "bool"):
        return _encoded_varint(field.number << 3 | _VARINT) + _encoded_varint(int(value) & (2**64 - 1))
    if isinstance(field.kind, Message):
        data = field.kind.encode(value)
    else:
        data = value.encode() if isinstance(value, str) else value
    return _encoded_varint(field.number << 3 | _LENGTH) + _encoded_varint(len(data)) + data


def _encoded_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
