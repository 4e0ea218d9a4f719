"""Rows on the wire: PlainBuffer, tag by tag, with a checksum for each cell and each row.

The format: local-servers.md 2.2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from localcloud.tablestore.protobuf import MalformedError


class Edge(Enum):
    """The ends of every range of keys, below and above each value."""

    LEAST = 0x09
    MOST = 0x0A


class Operation(Enum):
    """What an update does to a cell, where it does not write it."""

    DELETE_ALL = 0x1
    DELETE_ONE = 0x3
    INCREMENT = 0x4


Value: TypeAlias = "str | int | float | bool | bytes"
KeyValue: TypeAlias = "Value | Edge"

_HEADER = struct.pack("<I", 0x75)
_KEY, _DATA, _CELL, _NAME, _VALUE, _OPERATION, _TIMESTAMP, _DELETED, _ROW_SUM, _CELL_SUM = range(0x1, 0xB)
_INTEGER, _DOUBLE, _BOOLEAN, _STRING, _BLOB = 0x0, 0x1, 0x2, 0x3, 0x7


@dataclass(frozen=True)
class Cell:
    """A column of a row; without a value only where an operation needs none. Times are epoch milliseconds."""

    name: str
    value: KeyValue | None = None
    operation: Operation | None = None
    timestamp: int | None = None


@dataclass(frozen=True)
class WireRow:
    """A row, or what shall be done to one."""

    key: tuple[Cell, ...]
    cells: tuple[Cell, ...] = ()
    is_deletion: bool = False


def decode_rows(data: bytes) -> list[WireRow]:
    """Read rows to the end; raise `MalformedError` for anything else, a wrong checksum with it."""
    reader = _Reader(data)
    if reader.take(4) != _HEADER:
        raise MalformedError("no PlainBuffer header")
    rows = []
    while reader.peek() == _KEY:
        rows.append(_read_row(reader))
    # The client for Node.js ends a row with zeros (local-servers.md 2.2).
    if any(reader.rest()):
        raise MalformedError("something follows the last row")
    return rows


def decode_row(data: bytes) -> WireRow:
    """Read exactly one row."""
    rows = decode_rows(data)
    if len(rows) != 1:
        raise MalformedError(f"{len(rows)} rows where there should be one")
    return rows[0]


def encode_rows(rows: Iterable[WireRow]) -> bytes:
    """Write rows; no row is no byte at all, as the clients expect it."""
    body = b"".join(map(_written_row, rows))
    return _HEADER + body if body else b""


def decode_value(data: bytes) -> Value:
    """Read a value that stands alone, as in a condition."""
    value = _value(data)
    if isinstance(value, Edge):
        raise MalformedError("an edge is no value")
    return value


def encode_value(value: KeyValue) -> bytes:
    """Write a value as it stands in a condition."""
    if isinstance(value, Edge):
        return bytes([value.value])
    if isinstance(value, bool):
        return struct.pack("<B?", _BOOLEAN, value)
    if isinstance(value, int):
        return struct.pack("<Bq", _INTEGER, value)
    if isinstance(value, float):
        return struct.pack("<Bd", _DOUBLE, value)
    raw, kind = (value.encode(), _STRING) if isinstance(value, str) else (value, _BLOB)
    return struct.pack("<BI", kind, len(raw)) + raw


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise MalformedError("a row ends in the middle")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def peek(self) -> int:
        return self._data[self._at] if self._at < len(self._data) else 0

    def has(self, tag: int) -> bool:
        """Pass over a tag if it is the next."""
        found = self.peek() == tag
        self._at += found
        return found

    def expect(self, tag: int) -> None:
        if not self.has(tag):
            raise MalformedError(f"tag {tag:#x} is not where it should be")

    def byte(self) -> int:
        return self.take(1)[0]

    def sized(self) -> bytes:
        (size,) = struct.unpack("<I", self.take(4))
        return self.take(size)

    def rest(self) -> bytes:
        return self._data[self._at :]


def _read_row(reader: _Reader) -> WireRow:
    reader.expect(_KEY)
    sums = bytearray()
    key = tuple(_read_cells(reader, sums))
    cells = tuple(_read_cells(reader, sums)) if reader.has(_DATA) else ()
    is_deletion = reader.has(_DELETED)
    reader.expect(_ROW_SUM)
    if reader.byte() != _crc8(sums + bytes([is_deletion])):
        raise MalformedError("the checksum of a row is wrong")
    return WireRow(key, cells, is_deletion)


def _read_cells(reader: _Reader, sums: bytearray) -> list[Cell]:
    cells = []
    while reader.has(_CELL):
        reader.expect(_NAME)
        name = reader.sized()
        raw = reader.sized() if reader.has(_VALUE) else b""
        operation = reader.take(1) if reader.has(_OPERATION) else b""
        timestamp = reader.take(8) if reader.has(_TIMESTAMP) else b""
        reader.expect(_CELL_SUM)
        # On the wire the operation comes before the time; in the checksum, after it.
        total = _crc8(name + raw + timestamp + operation)
        if reader.byte() != total:
            raise MalformedError("the checksum of a cell is wrong")
        sums.append(total)
        cells.append(
            Cell(
                _text(name),
                _value(raw) if raw else None,
                _operation(operation[0]) if operation else None,
                int.from_bytes(timestamp, "little", signed=True) if timestamp else None,
            )
        )
    return cells


def _value(raw: bytes) -> KeyValue:
    kind, data = raw[:1], raw[1:]
    try:
        if kind in (b"\x09", b"\x0a") and not data:
            return Edge(kind[0])
        if kind == bytes([_BOOLEAN]):
            return bool(struct.unpack("<?", data)[0])
        if kind == bytes([_INTEGER]):
            return int(struct.unpack("<q", data)[0])
        if kind == bytes([_DOUBLE]):
            return float(struct.unpack("<d", data)[0])
        if kind in (bytes([_STRING]), bytes([_BLOB])):
            (size,) = struct.unpack("<I", data[:4])
            if len(data) == 4 + size:
                return _text(data[4:]) if kind == bytes([_STRING]) else data[4:]
    except struct.error:
        pass
    raise MalformedError("a value cannot be read")


def _operation(code: int) -> Operation:
    try:
        return Operation(code)
    except ValueError:
        raise MalformedError(f"operation {code:#x} on a cell is unknown") from None


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise MalformedError("text that is not UTF-8") from None


def _written_row(row: WireRow) -> bytes:
    key, sums = _written_cells(row.key)
    cells, more = _written_cells(row.cells)
    sums += more + bytes([row.is_deletion])
    data = bytes([_DATA]) + cells if row.cells else b""
    deleted = bytes([_DELETED]) if row.is_deletion else b""
    return bytes([_KEY]) + key + data + deleted + bytes([_ROW_SUM, _crc8(sums)])


def _written_cells(cells: Sequence[Cell]) -> tuple[bytes, bytes]:
    """Give the cells' bytes, and their checksums."""
    out, sums = bytearray(), bytearray()
    for cell in cells:
        name = cell.name.encode()
        raw = b"" if cell.value is None else encode_value(cell.value)
        operation = b"" if cell.operation is None else bytes([cell.operation.value])
        timestamp = b"" if cell.timestamp is None else struct.pack("<q", cell.timestamp)
        out += bytes([_CELL, _NAME]) + struct.pack("<I", len(name)) + name
        if raw:
            out += bytes([_VALUE]) + struct.pack("<I", len(raw)) + raw
        if operation:
            out += bytes([_OPERATION]) + operation
        if timestamp:
            out += bytes([_TIMESTAMP]) + timestamp
        total = _crc8(name + raw + timestamp + operation)
        out += bytes([_CELL_SUM, total])
        sums.append(total)
    return bytes(out), bytes(sums)


def _crc8_of_byte(value: int) -> int:
    for _ in range(8):
        value = (value << 1) ^ (0x07 if value & 0x80 else 0)
    return value & 0xFF


_CRC8 = bytes(map(_crc8_of_byte, range(256)))


def _crc8(data: bytes | bytearray) -> int:
    total = 0
    for byte in data:
        total = _CRC8[total ^ byte]
    return total
