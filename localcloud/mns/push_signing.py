"""How MNS signs what it pushes (media-jobs.md 2), with a key and a certificate that nobody else trusts.

Made anew wherever a local MNS begins, so that no key lies about.
"""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcloud.rsa import EXPONENT, PrivateKey

# What a certificate is made of (RFC 5280), as DER.
_RSA_KEY = bytes.fromhex("300d06092a864886f70d0101010500")
_SIGNED_WITH = bytes.fromhex("300d06092a864886f70d0101050500")
_COMMON_NAME = bytes.fromhex("0603550403")
_ALWAYS = b"\x17\x0d200101000000Z\x17\x0d491231235959Z"


@dataclass(frozen=True)
class PushSigner:
    """Signs pushes. `certificate` is in PEM, as it lies at `certificate_url`."""

    key: PrivateKey
    certificate: bytes
    certificate_url: str

    @classmethod
    def make(cls, draw: random.Random, *, region: str, bits: int = 1_024) -> PushSigner:
        """Make a key and a certificate of it."""
        key = PrivateKey.make(draw, bits=bits)
        der = _certificate(key)
        name = f"local-{hashlib.sha256(der).hexdigest()[:16]}.pem"
        pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
        return cls(key, pem, f"https://mns-cert.oss-{region}.aliyuncs.com/{name}")

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
        signature = self.key.sign("\n".join(lines).encode(), "sha1")
        return {**whole, "authorization": base64.b64encode(signature).decode()}


def _certificate(own: PrivateKey) -> bytes:
    key = _der(0x30, _integer(own.modulus), _integer(EXPONENT))
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
    return _der(0x30, signed, _SIGNED_WITH, _der(0x03, b"\x00", own.sign(signed, "sha1")))


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def _integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))
