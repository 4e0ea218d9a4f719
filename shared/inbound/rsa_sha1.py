"""RSA signatures over SHA-1 (PKCS #1 v1.5) are checked here, with the public key of an X.509 certificate.

Checking needs no secret: one `pow`, and the block that it gives is compared, whole, with the only one that
is right (RFC 8017, 8.2.2). Nothing of a padding is read, which is where such checks went wrong elsewhere. A
library would be 15 MB in every package and load for 30 ms, for this one sender; tests hold this against one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode
from dataclasses import dataclass

from shared.errors import ParseError

_LAYER = "certificate"
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")

# Tags of DER (X.690).
_INTEGER, _BITS, _NAME, _SEQUENCE, _VERSION = 0x02, 0x03, 0x06, 0x30, 0xA0
_RSA = bytes.fromhex("2a864886f70d010101")
_SHA1 = bytes.fromhex("3021300906052b0e03021a05000414")
# Captured pushes were signed with 512, which anybody with some days of computing can factor.
_KEY_BITS = range(512, 8193)
_STRONG_BITS = 1024
_EXPONENTS = range(3, 2**32, 2)
# Of the members of a certificate that is signed, without its version: the sixth (RFC 5280, 4.1).
_PUBLIC_KEY = 5


@dataclass(frozen=True)
class PublicKey:
    """An RSA key for checking."""

    modulus: int
    exponent: int

    @property
    def is_strong(self) -> bool:
        """Tell whether nobody else can have found out how to sign with it."""
        return self.modulus.bit_length() >= _STRONG_BITS

    def signed(self, text: bytes, signature: bytes) -> bool:
        """Tell whether the owner of the key signed this text."""
        size = (self.modulus.bit_length() + 7) // 8
        number = int.from_bytes(signature, "big")
        if len(signature) != size or number >= self.modulus:
            return False
        ending = b"\x00" + _SHA1 + hashlib.sha1(text).digest()
        expected = b"\x00\x01" + b"\xff" * (size - 2 - len(ending)) + ending
        block = pow(number, self.exponent, self.modulus).to_bytes(size, "big")
        return hmac.compare_digest(block, expected)


def public_key(certificate: bytes) -> PublicKey:
    """Read the key of a certificate, PEM or DER; raise `ParseError` for what has no RSA key.

    Who issued it, and for how long, is not looked at: it is trusted for the place that it comes from.
    """
    try:
        key = _rsa_key(_der(certificate))
    except (IndexError, ValueError):
        raise ParseError("no certificate with an RSA key", layer=_LAYER) from None
    if key.modulus.bit_length() not in _KEY_BITS or key.exponent not in _EXPONENTS:
        raise ParseError("an RSA key of no usual size", layer=_LAYER, bits=key.modulus.bit_length())
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
