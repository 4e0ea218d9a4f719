"""Which addresses the whole internet reaches, and how a host name is turned into some of them.

By lists of our own, after IANA's registries of special-purpose addresses: what Python's `is_global`
says of the same address differs from one version to the next.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from shared.downloads import Network

Resolve = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a host for a port, the best first; raises `OSError` when it has none."""

_NOT_PUBLIC_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba Cloud's own services, 100.100.100.200 with the keys
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",  # the last one is everybody: 255.255.255.255
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo and others that lead elsewhere
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address in disguise, and nobody's server
        "3fff::/20",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")

# No exception leads here: whoever asks may get the keys of the machine.
_NEVER = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this machine, on Linux
        "100.100.100.200/32",
        "169.254.0.0/16",
    )
)


class PrivateAddressError(Exception):
    """A host has addresses, and not one of them is public."""


def is_public(address: str) -> bool:
    """Tell whether the whole internet reaches this address; raise `ValueError` for what is none."""
    meant = _meant(address)
    if isinstance(meant, IPv4Address):
        return not any(meant in network for network in _NOT_PUBLIC_4)
    return meant in _GLOBAL_6 and not any(meant in network for network in _NOT_PUBLIC_6)


def is_excepted(address: str, networks: Sequence[Network]) -> bool:
    """Tell whether an address that is not public is in one of these networks, and gives no keys away."""
    meant = _meant(address)
    if meant.is_link_local or meant.is_unspecified or any(meant in network for network in _NEVER):
        return False
    return any(meant in network for network in networks)


def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that no name server takes
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from error
    return tuple(str(where[0]) for *_, where in found)


def public_addresses(
    host: str, port: int, resolve: Resolve, *, excepted: Sequence[Network] = ()
) -> Sequence[str]:
    """Give the public addresses of a host, and those in `excepted`.

    Raise `PrivateAddressError` when all that it has are others.
    """
    found = resolve(host, port)
    public = tuple(one for one in found if is_public(one) or is_excepted(one, excepted))
    if not public:
        raise PrivateAddressError(f"{host} has no public address, but {', '.join(sorted(set(found)))}")
    return public


def _meant(address: str) -> IPv4Address | IPv6Address:
    """Read an address; of `::ffff:a.b.c.d`, and of what a NAT64 gateway makes of one, give the IPv4 one."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv4Address):
        return parsed
    if parsed in _NAT64:
        return IPv4Address(int(parsed) & 0xFFFF_FFFF)
    return parsed.ipv4_mapped or parsed
