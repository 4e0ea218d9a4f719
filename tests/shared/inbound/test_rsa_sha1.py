"""Signatures over SHA-1 hold for one text, one key and one form, as another library has it."""

from __future__ import annotations

import base64
import hashlib
import random

import pytest
from Crypto.Hash import SHA1
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15
from hypothesis import given
from hypothesis import strategies as st

from localcloud.mns.push_signing import PushSigner
from shared.errors import ParseError
from shared.inbound.rsa_sha1 import PublicKey, public_key
from tests.callers import CERTIFICATES

SIGNER = PushSigner.make(random.Random(1), region="cn-shanghai")
KEY = public_key(SIGNER.certificate)
THEIRS = RSA.construct((SIGNER.modulus, 65_537, SIGNER.private_exponent))
SIZE = SIGNER.modulus.bit_length() // 8
TEXT = b"what MNS signs"
SIGNATURE = pkcs1_15.new(THEIRS).sign(SHA1.new(TEXT))
DER = base64.b64decode(b"".join(SIGNER.certificate.split(b"\n")[1:-2]))
CHAIN = SIGNER.certificate + b"\n" + next(CERTIFICATES.iterdir()).read_bytes()


def made(block: bytes) -> bytes:
    """Sign a block as it is, with whatever padding it has."""
    number = pow(int.from_bytes(block, "big"), SIGNER.private_exponent, SIGNER.modulus)
    return number.to_bytes(SIZE, "big")


@pytest.mark.parametrize("certificate", [SIGNER.certificate, DER, CHAIN], ids=["PEM", "DER", "chain"])
def test_a_certificate_has_the_key_that_another_library_reads_from_it(certificate: bytes) -> None:
    theirs, own = RSA.import_key(certificate), public_key(certificate)

    assert (own.modulus, own.exponent) == (theirs.n, theirs.e)


@given(text=st.binary(max_size=200))
def test_what_another_library_signs_is_signed(text: bytes) -> None:
    signature = pkcs1_15.new(THEIRS).sign(SHA1.new(text))

    assert KEY.signed(text, signature)
    assert not KEY.signed(text + b"\0", signature)


@given(at=st.integers(0, SIZE - 1), change=st.integers(1, 255))
def test_a_signature_with_any_byte_changed_is_none(at: int, change: int) -> None:
    changed = bytearray(SIGNATURE)
    changed[at] ^= change

    assert not KEY.signed(TEXT, bytes(changed))


@pytest.mark.parametrize(
    "signature",
    [b"", SIGNATURE[1:], b"\0" + SIGNATURE, b"\xff" * SIZE, b"\0" * SIZE],
    ids=["empty", "short", "long", "larger than the key", "zero"],
)
def test_what_is_no_signature_of_the_key_is_none(signature: bytes) -> None:
    assert not KEY.signed(TEXT, signature)


def test_only_the_one_padding_is_taken_that_is_right() -> None:
    info = bytes.fromhex("3021300906052b0e03021a05000414") + hashlib.sha1(TEXT).digest()
    without_null = bytes.fromhex("301f300706052b0e03021a0414") + hashlib.sha1(TEXT).digest()

    def padded(ending: bytes, filling: bytes = b"\xff", kind: bytes = b"\x00\x01") -> bytes:
        return kind + filling * (SIZE - 3 - len(ending)) + b"\0" + ending

    assert KEY.signed(TEXT, made(padded(info)))
    wrong = [
        padded(info, filling=b"\xfe"),
        padded(info, kind=b"\x00\x02"),
        padded(without_null),
        # Bleichenbacher's forgery of 2006: a short padding, and what nobody reads behind the digest.
        b"\x00\x01" + b"\xff" * 8 + b"\0" + info + b"\x01" * (SIZE - 11 - len(info)),
    ]
    assert [block for block in wrong if KEY.signed(TEXT, made(block))] == []


@pytest.mark.parametrize("cut", [0, 1, 2, 40, 200, -1])
def test_a_certificate_that_ends_early_is_refused(cut: int) -> None:
    assert public_key(DER) == KEY
    with pytest.raises(ParseError):
        public_key(DER[:cut])


@given(junk=st.binary(max_size=300))
def test_what_is_no_certificate_is_refused(junk: bytes) -> None:
    with pytest.raises(ParseError):
        public_key(junk)


@given(data=st.data())
def test_a_certificate_with_a_byte_changed_has_a_key_or_is_refused(data: st.DataObject) -> None:
    changed = bytearray(DER)
    changed[data.draw(st.integers(0, len(DER) - 1))] ^= data.draw(st.integers(1, 255))

    try:
        found = public_key(bytes(changed))
    except ParseError:
        return
    assert isinstance(found, PublicKey)


def test_a_key_that_is_too_small_is_refused() -> None:
    small = PushSigner.make(random.Random(2), region="cn-shanghai", bits=384)

    with pytest.raises(ParseError, match="bits=384"):
        public_key(small.certificate)
