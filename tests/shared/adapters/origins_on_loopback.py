"""What lets downloads of a test reach a server on the loopback interface, which nothing deployed may."""

from __future__ import annotations

from ipaddress import IPv4Network

from localcloud.evidence.server import EvidenceServer
from shared.downloads import VENDOR, HostRule, Origins

LOOPBACK = IPv4Network("127.0.0.0/8")


def loopback_origins(server: EvidenceServer, *hosts: str) -> Origins:
    """Admit the server by its address, and by these names, which a resolver of the test leads to it."""
    named = [HostRule.parse(f"{host}:{server.port}") for host in hosts]
    return Origins((VENDOR, HostRule.parse(server.host), *named), (LOOPBACK,))
