"""RSA keys that nobody else trusts, made anew wherever a local service begins, so that none lies about.

Arithmetic as in a textbook: it keeps no secret that is worth a better one.
"""

from __future__ import annotations

import hashlib
import math
import random
from dataclasses import dataclass, field
from functools import reduce

from shared.inbound.rsa import DIGEST_INFO, HashName

EXPONENT = 65_537
_ROUNDS = 24  # of Miller and Rabin: no composite number of this size passes by chance
_SMALL_PRIMES = math.prod(n for n in range(3, 2_000, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2)))


@dataclass(frozen=True)
class PrivateKey:
    """A key for signing; what checks is its `modulus`, with `EXPONENT`."""

    modulus: int
    private_exponent: int = field(repr=False)

    @classmethod
    def make(cls, draw: random.Random, *, bits: int) -> PrivateKey:
        """Make a key."""
        one, other = (_prime(draw, bits // 2) for _ in range(2))
        return cls(one * other, pow(EXPONENT, -1, math.lcm(one - 1, other - 1)))

    def sign(self, text: bytes, hash_name: HashName) -> bytes:
        """Sign a text (PKCS #1 v1.5)."""
        size = (self.modulus.bit_length() + 7) // 8
        ending = b"\x00" + DIGEST_INFO[hash_name] + hashlib.new(hash_name, text).digest()
        block = b"\x00\x01".ljust(size - len(ending), b"\xff") + ending
        return pow(int.from_bytes(block, "big"), self.private_exponent, self.modulus).to_bytes(size, "big")


def _prime(draw: random.Random, bits: int) -> int:
    """Find a prime with the two highest bits set, so that two of them make a key of its full size."""
    while True:
        number = draw.getrandbits(bits) | 0b11 << (bits - 2) | 1
        if (number - 1) % EXPONENT and math.gcd(number, _SMALL_PRIMES) == 1 and _is_prime(number, draw):
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
