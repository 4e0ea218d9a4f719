"""Signatures hold for one text, one key, one hash and one form, as another library has it."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import pytest
from Crypto.Hash import SHA1, SHA256, SHA384, SHA512
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15
from hypothesis import given
from hypothesis import strategies as st

from localcloud.mns.push_signing import PushSigner
from shared.inbound.rsa import DIGEST_INFO, HashName, PublicKey

SIGNER = PushSigner.make(random.Random(1), region="cn-shanghai")
KEY = PublicKey(SIGNER.key.modulus, 65_537)
THEIRS = RSA.construct((SIGNER.key.modulus, 65_537, SIGNER.key.private_exponent))
SIZE = SIGNER.key.modulus.bit_length() // 8
TEXT = b"what is signed"
HASHES: dict[HashName, Any] = {"sha1": SHA1, "sha256": SHA256, "sha384": SHA384, "sha512": SHA512}
SIGNATURE = pkcs1_15.new(THEIRS).sign(SHA256.new(TEXT))


def made(block: bytes) -> bytes:
    """Sign a block as it is, with whatever padding it has."""
    number = pow(int.from_bytes(block, "big"), SIGNER.key.private_exponent, SIGNER.key.modulus)
    return number.to_bytes(SIZE, "big")


@pytest.mark.parametrize("name", HASHES)
@given(text=st.binary(max_size=200))
def test_what_another_library_signs_is_signed_with_that_hash_alone(name: HashName, text: bytes) -> None:
    signature = pkcs1_15.new(THEIRS).sign(HASHES[name].new(text))

    assert [one for one in HASHES if KEY.signed(text, signature, hash_name=one)] == [name]
    assert not KEY.signed(text + b"\0", signature, hash_name=name)


@given(at=st.integers(0, SIZE - 1), change=st.integers(1, 255))
def test_a_signature_with_any_byte_changed_is_none(at: int, change: int) -> None:
    changed = bytearray(SIGNATURE)
    changed[at] ^= change

    assert not KEY.signed(TEXT, bytes(changed), hash_name="sha256")


@pytest.mark.parametrize(
    "signature",
    [b"", SIGNATURE[1:], b"\0" + SIGNATURE, b"\xff" * SIZE, b"\0" * SIZE],
    ids=["empty", "short", "long", "larger than the key", "zero"],
)
def test_what_is_no_signature_of_the_key_is_none(signature: bytes) -> None:
    assert not KEY.signed(TEXT, signature, hash_name="sha256")


def test_only_the_one_padding_is_taken_that_is_right() -> None:
    info = DIGEST_INFO["sha256"] + hashlib.sha256(TEXT).digest()
    # Without the parameters of the hash, which some leave out.
    without_null = bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20" + info[-32:]

    def padded(ending: bytes, filling: bytes = b"\xff", kind: bytes = b"\x00\x01") -> bytes:
        return kind + filling * (SIZE - 3 - len(ending)) + b"\0" + ending

    assert KEY.signed(TEXT, made(padded(info)), hash_name="sha256")
    wrong = [
        padded(info, filling=b"\xfe"),
        padded(info, kind=b"\x00\x02"),
        padded(without_null),
        # Bleichenbacher's forgery of 2006: a short padding, and what nobody reads behind the digest.
        b"\x00\x01" + b"\xff" * 8 + b"\0" + info + b"\x01" * (SIZE - 11 - len(info)),
    ]
    assert [block for block in wrong if KEY.signed(TEXT, made(block), hash_name="sha256")] == []


def test_a_key_that_is_too_small_for_a_hash_has_signed_nothing_with_it() -> None:
    small = PushSigner.make(random.Random(2), region="cn-shanghai", bits=512)
    key, size = PublicKey(small.key.modulus, 65_537), small.key.modulus.bit_length() // 8

    assert not key.signed(TEXT, bytes(size), hash_name="sha512")
