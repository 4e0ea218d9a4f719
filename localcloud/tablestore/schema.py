"""What a table is, and what fits it: names, keys, sizes (tablestore-oss.md 1.1, 1.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from localcloud.tablestore.plain_buffer import Cell, Edge, KeyValue, Value
from localcloud.tablestore.protobuf import Values
from localcloud.tablestore.refusals import RefusedError, invalid, unsupported

MAX_TABLES = 64  # indexes included
MAX_COLUMNS = 1_024  # of one write
_MAX_KEY_COLUMNS = 4
_MAX_DEFINED = 32
_MAX_INDEXES = 5
_MAX_KEY_BYTES = 1_024
_MAX_VALUE_BYTES = 2 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_KEY_TYPES: Mapping[int, type] = {1: int, 2: str, 3: bytes}
_DEFINED_TYPES: Mapping[int, type] = {1: int, 2: float, 3: bool, 4: str, 7: bytes}
_INDEX_KEY_TYPES = (int, str, bytes)
_KEY_TYPE_OF_DEFINED = {1: 1, 4: 2, 7: 3}
_GLOBAL_INDEX, _ASYNCHRONOUS = 0, 0
_FOREVER, _ONE_DAY_S = -1, 86_400


@dataclass(frozen=True)
class IndexSchema:
    """A secondary index: `key` is what was chosen with the rest of the table's key behind it."""

    name: str
    chosen: tuple[str, ...]
    key: tuple[str, ...]
    covers: tuple[str, ...]


@dataclass(frozen=True)
class TableSchema:
    """A table as `CreateTable` describes it; `message` is that description."""

    message: Values

    @property
    def name(self) -> str:
        """Give the table's name."""
        return str(self.message["table_meta"]["table_name"])

    @cached_property
    def key(self) -> Mapping[str, type]:
        """Give the key columns and their types, in order."""
        return {one["name"]: _KEY_TYPES[one["type"]] for one in self.message["table_meta"]["primary_key"]}

    @cached_property
    def defined(self) -> Mapping[str, type]:
        """Give the predefined columns and their types."""
        columns = self.message["table_meta"]["defined_column"]
        return {one["name"]: _DEFINED_TYPES[one["type"]] for one in columns}

    @cached_property
    def indexes(self) -> tuple[IndexSchema, ...]:
        """Give the indexes."""
        return tuple(self._index(meta) for meta in self.message["index_metas"])

    def _index(self, meta: Values) -> IndexSchema:
        chosen = tuple(meta["primary_key"])
        rest = tuple(name for name in self.key if name not in chosen)
        return IndexSchema(meta["name"], chosen, chosen + rest, tuple(meta["defined_column"]))

    def check_key(self, cells: Iterable[Cell], *, edges: bool = False) -> tuple[KeyValue, ...]:
        """Give the values of a key that fits; `edges` lets the ends of ranges through."""
        given = tuple(cells)
        if len(given) != len(self.key):
            raise _wrong_key(f"Validate PK size fail. Input: {len(given)}, Meta: {len(self.key)}.")
        return tuple(
            _checked_key_value(cell, name, kind, edges=edges)
            for cell, (name, kind) in zip(given, self.key.items(), strict=True)
        )

    def check_column(self, name: str, value: Value) -> None:
        """Refuse a column that cannot be one of this table's."""
        check_name("column", name)
        if name in self.key:
            raise invalid(f"Attribute column name '{name}' is the name of a primary key column.")
        wanted = self.defined.get(name)
        if wanted is not None and type(value) is not wanted:
            raise invalid(f"The type of the predefined column '{name}' does not match.")
        size = (
            len(value.encode()) if isinstance(value, str) else len(value) if isinstance(value, bytes) else 8
        )
        if size > _MAX_VALUE_BYTES:
            raise invalid(
                f"The length of attribute column: '{name}' exceeded the MaxLength:{_MAX_VALUE_BYTES}"
                f" with CurrentLength:{size}."
            )


def new_table(message: Values) -> TableSchema:
    """Check what `CreateTable` asks for."""
    meta = message["table_meta"]
    check_name("table", meta["table_name"])
    if not 1 <= len(meta["primary_key"]) <= _MAX_KEY_COLUMNS:
        raise invalid("The number of primary key columns must be in range: [1, 4].")
    if len(meta["defined_column"]) > _MAX_DEFINED:
        raise invalid("The number of predefined columns must be in range: [0, 32].")
    for column in meta["primary_key"]:
        check_name("column", column["name"])
        if column["type"] not in _KEY_TYPES or "option" in column:
            raise unsupported("such primary key column")
    for column in meta["defined_column"]:
        check_name("column", column["name"])
        if column["type"] not in _DEFINED_TYPES:
            raise invalid(f"Invalid type of the predefined column '{column['name']}'.")
    bare = TableSchema({"table_meta": meta, "table_options": options(message), "index_metas": []})
    return _with_indexes(bare, message["index_metas"])


def with_index(table: TableSchema, meta: Values) -> TableSchema:
    """Give a table with one more index."""
    return _with_indexes(table, [*table.message["index_metas"], meta])


def without_index(table: TableSchema, name: str) -> TableSchema:
    """Give a table without an index."""
    kept = [meta for meta in table.message["index_metas"] if meta["name"] != name]
    return TableSchema({**table.message, "index_metas": kept})


def index_as_table(table: TableSchema, index: IndexSchema) -> TableSchema:
    """Describe an index as whoever reads it sees it."""
    meta = table.message["table_meta"]
    types = {one["name"]: one["type"] for one in meta["primary_key"]}
    for one in meta["defined_column"]:
        if one["name"] in index.chosen:
            types[one["name"]] = _KEY_TYPE_OF_DEFINED[one["type"]]
    key = [{"name": name, "type": types[name]} for name in index.key]
    own = {"table_name": index.name, "primary_key": key, "defined_column": []}
    return TableSchema({**table.message, "table_meta": own, "index_metas": []})


def options(message: Values, before: Values | None = None) -> Values:
    """Give whole table options: what was asked for over what there is."""
    wanted = {
        "time_to_live": _FOREVER,
        "max_versions": 1,
        "deviation_cell_version_in_sec": _ONE_DAY_S,
        "allow_update": True,
        **(before or {}),
        **message.get("table_options", {}),
    }
    if wanted["max_versions"] != 1:
        raise unsupported("table with more than one version of a cell")
    if wanted["time_to_live"] != _FOREVER and wanted["time_to_live"] < _ONE_DAY_S:
        raise invalid("time_to_live must be -1 or at least 86400.")
    return wanted


def check_name(what: str, name: str) -> None:
    """Refuse a name that no table, index or column can have."""
    if not _NAME.fullmatch(name):
        raise invalid(f"Invalid {what} name: '{name}'.")


def _with_indexes(table: TableSchema, metas: list[Values]) -> TableSchema:
    made = TableSchema({**table.message, "index_metas": metas})
    if len(metas) > _MAX_INDEXES or len({meta["name"] for meta in metas}) < len(metas):
        raise invalid("A table has at most 5 indexes, each with a name of its own.")
    made_options = made.message["table_options"]
    if metas and made_options["time_to_live"] != _FOREVER and made_options["allow_update"]:
        raise invalid("Don't support allow update operation on table with index and ttl.")
    for meta, index in zip(metas, made.indexes, strict=True):
        check_name("index", index.name)
        if meta["index_type"] != _GLOBAL_INDEX or meta["index_update_mode"] != _ASYNCHRONOUS:
            raise unsupported("local secondary index")
        types = {**made.defined, **made.key}
        if not index.chosen or any(types.get(name) not in _INDEX_KEY_TYPES for name in index.chosen):
            raise invalid(f"Index '{index.name}' needs predefined or primary key columns of a key's type.")
        if any(name not in made.defined for name in index.covers):
            raise invalid(f"Index '{index.name}' covers a column that is not predefined.")
    return made


def _checked_key_value(cell: Cell, name: str, kind: type, *, edges: bool) -> KeyValue:
    if cell.name != name:
        raise _wrong_key(f"Validate PK name fail. Input: {cell.name}, Meta: {name}.")
    if isinstance(cell.value, Edge) and edges:
        return cell.value
    if type(cell.value) is not kind:
        raise _wrong_key(f"Validate PK type fail. Column: {name}.")
    value = cell.value
    size = len(value.encode()) if isinstance(value, str) else len(value) if isinstance(value, bytes) else 8
    if size > _MAX_KEY_BYTES:
        raise invalid(
            f"The length of primary key column: '{name}' exceeds the MaxLength:{_MAX_KEY_BYTES}"
            f" with CurrentLength:{size}."
        )
    assert value is not None
    return value


def _wrong_key(message: str) -> RefusedError:
    return RefusedError(400, "OTSInvalidPK", message)
