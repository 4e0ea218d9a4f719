"""How MNS signs what it pushes (media-jobs.md 2), with a key and a certificate that nobody else trusts.

Made anew wherever a local MNS begins, so that no key lies about. Arithmetic as in a textbook: it keeps no
secret that is worth a better one.
"""

from __future__ import annotations

import base64
import hashlib
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

_EXPONENT = 65_537
_ROUNDS = 24  # of Miller and Rabin: no composite number of this size passes by chance
_SMALL_PRIMES = math.prod(n for n in range(3, 2_000, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2)))
_SHA1 = bytes.fromhex("3021300906052b0e03021a05000414")

# What a certificate is made of (RFC 5280), as DER.
_RSA_KEY = bytes.fromhex("300d06092a864886f70d0101010500")
_SIGNED_WITH = bytes.fromhex("300d06092a864886f70d0101050500")
_COMMON_NAME = bytes.fromhex("0603550403")
_ALWAYS = b"\x17\x0d200101000000Z\x17\x0d491231235959Z"


@dataclass(frozen=True)
class PushSigner:
    """Signs pushes. `certificate` is in PEM, as it lies at `certificate_url`."""

    modulus: int
    private_exponent: int
    certificate: bytes
    certificate_url: str

    @classmethod
    def make(cls, draw: random.Random, *, region: str, bits: int = 1_024) -> PushSigner:
        """Make a key and a certificate of it."""
        one, other = (_prime(draw, bits // 2) for _ in range(2))
        modulus = one * other
        private = pow(_EXPONENT, -1, math.lcm(one - 1, other - 1))
        der = _certificate(modulus, private)
        name = f"local-{hashlib.sha256(der).hexdigest()[:16]}.pem"
        pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
        return cls(modulus, private, pem, f"https://mns-cert.oss-{region}.aliyuncs.com/{name}")

    def put(self, folder: Path) -> None:
        """Put the certificate where `LEDGER_PUSH_CERTIFICATES` finds it, by the end of its address."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / self.certificate_url.rpartition("/")[2]).write_bytes(self.certificate)

    def sign(self, headers: Mapping[str, str], *, path: str) -> dict[str, str]:
        """Give a push's headers, whose names are in lower case, with those of its signature."""
        # In samples it begins with http, whatever is told of it (media-jobs.md 2).
        url = self.certificate_url.replace("https:", "http:", 1)
        whole = {**headers, "x-mns-signing-cert-url": base64.b64encode(url.encode()).decode()}
        own = [f"{name}:{whole[name]}" for name in sorted(whole) if name.startswith("x-mns-")]
        lines = ["POST", whole["content-md5"], whole["content-type"], whole["date"], *own, path]
        signature = _signature("\n".join(lines).encode(), self.modulus, self.private_exponent)
        return {**whole, "authorization": base64.b64encode(signature).decode()}


def _signature(text: bytes, modulus: int, private: int) -> bytes:
    size = (modulus.bit_length() + 7) // 8
    ending = b"\x00" + _SHA1 + hashlib.sha1(text).digest()
    block = b"\x00\x01".ljust(size - len(ending), b"\xff") + ending
    return pow(int.from_bytes(block, "big"), private, modulus).to_bytes(size, "big")


def _certificate(modulus: int, private: int) -> bytes:
    key = _der(0x30, _integer(modulus), _integer(_EXPONENT))
    name = _der(0x30, _der(0x31, _der(0x30, _COMMON_NAME, _der(0x0C, b"local MNS"))))
    signed = _der(
        0x30,
        _der(0xA0, _integer(2)),  # version 3
        _integer(1),
        _SIGNED_WITH,
        name,
        _der(0x30, _ALWAYS),
        name,
        _der(0x30, _RSA_KEY, _der(0x03, b"\x00", key)),
    )
    return _der(0x30, signed, _SIGNED_WITH, _der(0x03, b"\x00", _signature(signed, modulus, private)))


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def _integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _prime(draw: random.Random, bits: int) -> int:
    """Find a prime with the two highest bits set, so that two of them make a key of its full size."""
    while True:
        number = draw.getrandbits(bits) | 0b11 << (bits - 2) | 1
        if (number - 1) % _EXPONENT and math.gcd(number, _SMALL_PRIMES) == 1 and _is_prime(number, draw):
            return number


def _is_prime(number: int, draw: random.Random) -> bool:
    twos = ((number - 1) & -(number - 1)).bit_length() - 1
    odd = (number - 1) >> twos
    for _ in range(_ROUNDS):
        power = pow(draw.randrange(2, number - 1), odd, number)
        squares = reduce(lambda found, _: [*found, found[-1] ** 2 % number], range(twos - 1), [power])
        if power != 1 and number - 1 not in squares:
            return False
    return True
