"""Where things are, as a URL in a setting says it: a folder or a bucket, a file or an instance, a service.

Pure. What a URL may say beside its place stands in its query: `oss://bucket/prefix?region=cn-shanghai`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from shared.vendor import REGION_PATTERN, USER_ID_PATTERN

_SHOWN = 60
_FC_NAME = "[A-Za-z_][A-Za-z0-9_-]{0,127}"


@dataclass(frozen=True)
class Network:
    """How a service is reached: its region, over which network, and how patiently.

    Where a URL is silent, `region` and the times are None: LEDGER_REGION and the adapter's own hold then.
    """

    region: str | None = None
    is_internal: bool = False
    """Whether we are inside that region's network: traffic is free there."""
    connect_ms: int | None = None
    read_ms: int | None = None


@dataclass(frozen=True)
class Folder:
    """`file:///folder`."""

    path: str


@dataclass(frozen=True)
class Bucket:
    """`oss://bucket/prefix`."""

    name: str
    prefix: str = ""
    network: Network = Network()
    encryption: str | None = None
    kms_key: str | None = None


@dataclass(frozen=True)
class EveryBucket:
    """`oss:`, the bucket that an address names."""

    network: Network = Network()


@dataclass(frozen=True)
class SqliteFile:
    """`sqlite:///file`."""

    path: str


@dataclass(frozen=True)
class Instance:
    """`ots://instance`; `prefix` stands before the name of every table."""

    name: str
    prefix: str = ""
    network: Network = Network()


@dataclass(frozen=True)
class Inline:
    """`inline:`, functions that run in this process."""


@dataclass(frozen=True)
class Fc3:
    """`fc3:`; `prefix` stands before the name of each of our functions, which are of `account`."""

    prefix: str = ""
    account: str | None = None
    network: Network = Network()


@dataclass(frozen=True)
class Fc2:
    """`fc2://service`; `prefix` and `account` as those of `Fc3`."""

    service: str
    prefix: str = ""
    account: str | None = None
    network: Network = Network()


def objects(url: str) -> Folder | Bucket:
    """Read LEDGER_OBJECTS; raise `ValueError` saying what is allowed, as all of these do."""
    place: Folder | Bucket = _read(url, {"file": _folder, "oss": _bucket})
    return place


def tables(url: str) -> SqliteFile | Instance:
    """Read LEDGER_TABLES."""
    place: SqliteFile | Instance = _read(url, {"sqlite": _sqlite_file, "ots": _instance})
    return place


def result_files(url: str) -> Folder | EveryBucket:
    """Read LEDGER_RESULT_FILES."""
    place: Folder | EveryBucket = _read(url, {"file": _folder, "oss": _every_bucket})
    return place


def push_certificates(url: str) -> Folder:
    """Read LEDGER_PUSH_CERTIFICATES."""
    place: Folder = _read(url, {"file": _folder})
    return place


def invoker(url: str) -> Inline | Fc3 | Fc2:
    """Read LEDGER_INVOKER."""
    place: Inline | Fc3 | Fc2 = _read(url, {"inline": _inline, "fc3": _fc3, "fc2": _fc2})
    return place


class _Parameters:
    """The query of a URL; what nobody takes is refused."""

    def __init__(self, query: str) -> None:
        pairs = parse_qsl(query, keep_blank_values=True)
        self._left = dict(pairs)
        self._known: list[str] = []
        if len(self._left) < len(pairs):
            raise ValueError("a parameter is there twice")

    def take(self, name: str, pattern: str, like: str) -> str | None:
        """Give the value of a parameter, if it is there and matches; `like` says what it must look like."""
        self._known.append(name)
        value = self._left.pop(name, None)
        if value is not None and not re.fullmatch(pattern, value):
            raise ValueError(f"{name} must be {like}, not {value[:_SHOWN]!r}")
        return value

    def network(self) -> Network:
        """Take what any service may be given."""
        region = self.take("region", REGION_PATTERN, "a region such as cn-shanghai")
        network = self.take("network", "internal|public", "internal or public")
        times = {}
        for name in ("connect_ms", "read_ms"):
            value = self.take(name, "[1-9][0-9]{0,5}", "milliseconds, from 1 to 999999")
            times[name] = int(value) if value else None
        return Network(region, network == "internal", **times)

    def check_all_taken(self) -> None:
        """Refuse what nobody took."""
        for name in self._left:
            known = ", ".join(self._known) or "none"
            raise ValueError(f"unknown parameter {name[:_SHOWN]!r}: known are {known}")


# Without parameters: whatever tells of an error masks the queries of URLs.
_EXAMPLES = {
    "file": "file:///folder",
    "sqlite": "sqlite:///file",
    "oss": "oss://bucket/prefix",
    "ots": "ots://instance",
    "inline": "inline:",
    "fc3": "fc3:?prefix=media-ledger-",
    "fc2": "fc2://service",
}


def _read(url: str, readers: Mapping[str, Callable[[str, _Parameters], Any]]) -> Any:
    scheme, colon, rest = url.partition(":")
    reader = readers.get(scheme)
    if not colon or reader is None:
        raise ValueError(f"must look like {' or '.join(_EXAMPLES[known] for known in readers)}")
    where, _, query = rest.partition("?")
    parameters = _Parameters(query)
    place = reader(where, parameters)
    parameters.check_all_taken()
    return place


def _local(where: str, example: str) -> str:
    if not where.startswith("///"):
        raise ValueError(f"must look like {example}")
    return unquote(where[2:])


def _folder(where: str, parameters: _Parameters) -> Folder:
    return Folder(_local(where, _EXAMPLES["file"]))


def _sqlite_file(where: str, parameters: _Parameters) -> SqliteFile:
    return SqliteFile(_local(where, _EXAMPLES["sqlite"]))


def _bucket(where: str, parameters: _Parameters) -> Bucket:
    found = re.fullmatch(r"//([a-z0-9][a-z0-9-]{1,61}[a-z0-9])(?:/(.*))?", where)
    if found is None:
        raise ValueError(f"must look like {_EXAMPLES['oss']}, the bucket in lower case")
    prefix = unquote(found[2] or "").strip("/")
    if any(part in ("", ".", "..") for part in prefix.split("/")) and prefix:
        raise ValueError("its prefix must have no empty parts and no dots alone")
    encryption = parameters.take("encryption", "AES256|KMS|SM4", "AES256, KMS or SM4")
    kms_key = parameters.take("kms_key", r"[\w-]{1,128}", "the id of a key of KMS")
    if kms_key and encryption != "KMS":
        raise ValueError("kms_key goes with encryption=KMS")
    return Bucket(found[1], prefix, parameters.network(), encryption, kms_key)


def _every_bucket(where: str, parameters: _Parameters) -> EveryBucket:
    if where:
        raise ValueError("must be oss: without a bucket: the address of a file names its own")
    return EveryBucket(parameters.network())


def _instance(where: str, parameters: _Parameters) -> Instance:
    # The names that Tablestore allows (function-compute.md 4a).
    found = re.fullmatch(r"//([a-zA-Z][-a-zA-Z0-9]{1,14}[a-zA-Z0-9])", where)
    if found is None:
        raise ValueError(f"must look like {_EXAMPLES['ots']}, the instance's name of 3 to 16 characters")
    prefix = parameters.take("prefix", "[A-Za-z_][A-Za-z0-9_]{0,63}", "letters, digits and underscores")
    return Instance(found[1], prefix or "", parameters.network())


def _inline(where: str, parameters: _Parameters) -> Inline:
    if where:
        raise ValueError("must be inline: without anything")
    return Inline()


def _fc3(where: str, parameters: _Parameters) -> Fc3:
    if where:
        raise ValueError(f"must look like {_EXAMPLES['fc3']}: functions of FC 3.0 are in no service")
    return Fc3(*_functions(parameters))


def _fc2(where: str, parameters: _Parameters) -> Fc2:
    found = re.fullmatch(rf"//({_FC_NAME})", where)
    if found is None:
        raise ValueError(f"must look like {_EXAMPLES['fc2']}")
    return Fc2(found[1], *_functions(parameters))


def _functions(parameters: _Parameters) -> tuple[str, str | None, Network]:
    prefix = parameters.take("prefix", _FC_NAME, "how a function's name may begin")
    account = parameters.take("account", USER_ID_PATTERN, "the number of an account")
    return prefix or "", account, parameters.network()
