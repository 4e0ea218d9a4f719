"""RSA signatures (PKCS #1 v1.5) are checked here: of pushes of MNS, and of tokens for the console.

Checking needs no secret: one `pow`, and the block that it gives is compared, whole, with the only one that
is right (RFC 8017, 8.2.2). Nothing of a padding is read, which is where such checks went wrong elsewhere. A
library would be 15 MB in every package and load for 30 ms, for these two; tests hold this against two.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

HashName = Literal["sha1", "sha256", "sha384", "sha512"]

DIGEST_INFO: dict[HashName, bytes] = {
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
"""How a signature names its hash (RFC 8017, 9.2, note 1)."""

_STRONG_BITS = 1024
_EXPONENTS = range(3, 2**32, 2)
_LONGEST_BITS = 8192


@dataclass(frozen=True)
class PublicKey:
    """An RSA key for checking."""

    modulus: int
    exponent: int

    @property
    def bits(self) -> int:
        """Tell the size of the key."""
        return self.modulus.bit_length()

    @property
    def is_strong(self) -> bool:
        """Tell whether nobody else can have found out how to sign with it."""
        return self.bits >= _STRONG_BITS

    def is_usual(self, *, least_bits: int) -> bool:
        """Tell whether its numbers are such as keys have, and none that takes long to reckon with."""
        return least_bits <= self.bits <= _LONGEST_BITS and self.exponent in _EXPONENTS

    def signed(self, text: bytes, signature: bytes, *, hash_name: HashName) -> bool:
        """Tell whether the owner of the key signed this text."""
        size = (self.bits + 7) // 8
        number = int.from_bytes(signature, "big")
        if len(signature) != size or number >= self.modulus:
            return False
        ending = b"\x00" + DIGEST_INFO[hash_name] + hashlib.new(hash_name, text).digest()
        # At least eight bytes of padding (RFC 8017, 9.2, step 3): a key of 512 bits is too small for SHA-512.
        filling = size - 2 - len(ending)
        if filling < 8:
            return False
        expected = b"\x00\x01" + b"\xff" * filling + ending
        block = pow(number, self.exponent, self.modulus).to_bytes(size, "big")
        return hmac.compare_digest(block, expected)
