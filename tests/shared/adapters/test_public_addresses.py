"""Which addresses are taken for public ones."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.public_addresses import PrivateAddressError, is_public, public_addresses, resolve

PUBLIC = [
    "8.8.8.8",
    "47.88.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.32.0.1",
    "2001:4860:4860::8888",
    "2400:3200::1",
]
PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.5",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "64:ff9b:1::8.8.8.8",
    "100::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_any_other_address_is_not(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_disguise_is_what_it_is_by_itself(address: IPv4Address) -> None:
    assert is_public(f"::ffff:{address}") == is_public(f"64:ff9b::{address}") == is_public(str(address))


@given(st.ip_addresses())
def test_nothing_is_public_that_python_calls_private(address: object) -> None:
    """Python's own lists differ by version, but none of them calls a private address global."""
    parsed = ip_address(str(address))
    inner = getattr(parsed, "ipv4_mapped", None) or parsed

    assert not (is_public(str(address)) and (inner.is_loopback or inner.is_link_local or inner.is_multicast))
    assert not (is_public(str(address)) and inner.is_private)


def test_of_many_addresses_the_public_ones_are_left() -> None:
    found = ["10.0.0.1", "8.8.8.8", "::1", "2400:3200::1"]

    assert public_addresses("host", 443, lambda *_: found) == ("8.8.8.8", "2400:3200::1")


def test_a_host_of_private_addresses_is_told_with_them() -> None:
    with pytest.raises(PrivateAddressError, match=r"metadata has no public address, but 100\.100\.100\.200$"):
        public_addresses("metadata", 80, lambda *_: ["100.100.100.200"] * 2)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost"])
def test_a_loopback_address_is_found_however_it_is_written(host: str) -> None:
    assert not any(map(is_public, resolve(host, 80)))


def test_a_label_that_no_name_server_takes_has_no_address() -> None:
    with pytest.raises(OSError, match="not a host name"):
        resolve(f"{'a' * 64}.example", 443)
