"""What is fetched from addresses that a vendor's answer names: one file at a time, checked, and gone again.

The port, and from where anything is fetched at all. `shared.adapters.https_downloads` is the internet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import BinaryIO, Protocol

from shared.errors import DownloadRefusedError as DownloadRefusedError
from shared.errors import GoneError as GoneError

Network = IPv4Network | IPv6Network

_HOST = re.compile(r"(?P<below>\.)?(?P<name>[a-z0-9_-]+(\.[a-z0-9_-]+)*)(:(?P<port>[0-9]{1,5}))?", re.ASCII)
_WEB_PORTS = (80, 443)


@dataclass(frozen=True)
class Download:
    """One whole file, which `open` gives from its start, each time anew.

    `content_type` and `extension` (`.jpg`) are told by its first bytes, never by its sender or its address.
    """

    open: Callable[[], BinaryIO]
    size: int
    sha256: str
    content_type: str
    extension: str


class Downloads(Protocol):
    """Fetches files by address. No error text has the query of an address: a signed one is a secret."""

    def download(self, url: str, *, deadline: int) -> AbstractContextManager[Download]:
        """Fetch the file for the length of a `with` block, after which nothing of it is left here.

        Entering raises `DownloadRefusedError` for what will never be taken, `GoneError` when the server
        has no such file or does not show it, `StoreUnavailableError` when there is no room for it here,
        and another `TemporaryError` for everything else, which includes `deadline` (epoch milliseconds)
        passing first.
        """
        ...


@dataclass(frozen=True)
class HostRule:
    """A host that files may come from, or all below a domain: on the ports of the web, or on `port` alone."""

    name: str
    below: bool = False
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> HostRule:
        """Read `host`, `.domain` or `host:port`; raise `ValueError` for anything else."""
        found = _HOST.fullmatch(text.lower())
        if not found or not 0 < int(found["port"] or 1) < 65_536:
            raise ValueError("must look like pictures.example.com, .example.com or 10.1.2.3:8080")
        return cls(
            found["name"], below=bool(found["below"]), port=int(found["port"]) if found["port"] else None
        )

    def admits(self, host: str, port: int) -> bool:
        """Tell whether a connection to this host and port may be made."""
        name = host.lower().removesuffix(".")
        is_named = name.endswith(f".{self.name}") if self.below else name == self.name
        return is_named and (port in _WEB_PORTS if self.port is None else port == self.port)


VENDOR = HostRule("aliyuncs.com", below=True)
"""Where the vendor's own pictures lie: in OSS, even those of VOD."""


@dataclass(frozen=True)
class Origins:
    """Which hosts files may come from, and in which networks these may be although they are not public."""

    hosts: tuple[HostRule, ...] = (VENDOR,)
    networks: tuple[Network, ...] = ()

    def admit(self, host: str, port: int) -> bool:
        """Tell whether a connection to this host and port may be made, by its name alone."""
        return any(rule.admits(host, port) for rule in self.hosts)
