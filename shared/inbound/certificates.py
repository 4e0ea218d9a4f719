"""The public key of an X.509 certificate: with one, MNS has its pushes checked."""

from __future__ import annotations

import re
from base64 import b64decode

from shared.errors import ParseError
from shared.inbound.rsa import PublicKey

_LAYER = "certificate"
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")

# Tags of DER (X.690).
_INTEGER, _BITS, _NAME, _SEQUENCE, _VERSION = 0x02, 0x03, 0x06, 0x30, 0xA0
_RSA = bytes.fromhex("2a864886f70d010101")
# Captured pushes were signed with 512, which anybody with some days of computing can factor.
_LEAST_BITS = 512
# Of the members of a certificate that is signed, without its version: the sixth (RFC 5280, 4.1).
_PUBLIC_KEY = 5


def public_key(certificate: bytes) -> PublicKey:
    """Read the key of a certificate, PEM or DER; raise `ParseError` for what has no RSA key.

    Who issued it, and for how long, is not looked at: it is trusted for the place that it comes from.
    """
    try:
        key = _rsa_key(_der(certificate))
    except (IndexError, ValueError):
        raise ParseError("no certificate with an RSA key", layer=_LAYER) from None
    if not key.is_usual(least_bits=_LEAST_BITS):
        raise ParseError("an RSA key of no usual size", layer=_LAYER, bits=key.bits)
    return key


def _der(certificate: bytes) -> bytes:
    """Take the first certificate of a PEM file; those that issued it come after it."""
    pem = _PEM.search(certificate)
    return b64decode(b"".join(pem[1].split()), validate=True) if pem else certificate


def _rsa_key(der: bytes) -> PublicKey:
    signed = _members(_members(_only(der, _SEQUENCE))[0])
    fields = signed[1:] if signed[0][0] == _VERSION else signed
    algorithm, bits = _members(fields[_PUBLIC_KEY])
    if _members(algorithm)[0] != (_NAME, _RSA) or bits[0] != _BITS or bits[1][0] != 0:
        raise ValueError
    (_, modulus), (_, exponent) = _members(_only(bits[1][1:], _SEQUENCE), every=_INTEGER)
    return PublicKey(int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big"))


def _only(der: bytes, tag: int) -> tuple[int, bytes]:
    (element,) = _elements(der)
    if element[0] != tag:
        raise ValueError
    return element


def _members(element: tuple[int, bytes], *, every: int | None = None) -> list[tuple[int, bytes]]:
    tag, content = element
    found = _elements(content)
    if tag != _SEQUENCE or (every is not None and {one[0] for one in found} != {every}):
        raise ValueError
    return found


def _elements(der: bytes) -> list[tuple[int, bytes]]:
    """Take elements apart that stand one after the other; each is a tag and a content."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(der):
        tag, length, start = der[at], der[at + 1], at + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[at + 2 : start], "big")
        at = start + length
        if at > len(der):
            raise ValueError
        found.append((tag, der[start:at]))
    return found
