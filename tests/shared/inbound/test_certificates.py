"""A certificate has the key that another library reads from it, or is refused."""

from __future__ import annotations

import base64
import random

import pytest
from Crypto.PublicKey import RSA
from hypothesis import given
from hypothesis import strategies as st

from localcloud.mns.push_signing import PushSigner
from shared.errors import ParseError
from shared.inbound.certificates import public_key
from shared.inbound.rsa import PublicKey
from tests.callers import CERTIFICATES

SIGNER = PushSigner.make(random.Random(1), region="cn-shanghai")
KEY = public_key(SIGNER.certificate)
DER = base64.b64decode(b"".join(SIGNER.certificate.split(b"\n")[1:-2]))
CHAIN = SIGNER.certificate + b"\n" + next(CERTIFICATES.iterdir()).read_bytes()


@pytest.mark.parametrize("certificate", [SIGNER.certificate, DER, CHAIN], ids=["PEM", "DER", "chain"])
def test_a_certificate_has_the_key_that_another_library_reads_from_it(certificate: bytes) -> None:
    theirs, own = RSA.import_key(certificate), public_key(certificate)

    assert (own.modulus, own.exponent) == (theirs.n, theirs.e)


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
