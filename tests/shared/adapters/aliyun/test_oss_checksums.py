"""What is said of a body to OSS, and what OSS says of it."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.aliyun.oss_checksums import Crc64, checksums


def test_the_sums_are_those_that_are_published() -> None:
    # RFC 1321, A.5, in Base64; and 0x995dc9bbdf1939fa, the check value of CRC-64/XZ
    assert checksums(b"").md5 == "1B2M2Y8AsgTpgAmY7PhCfg=="
    assert checksums(b"123456789").crc64 == "11051210869376104954"


@given(st.binary(max_size=300), st.integers(0, 300))
def test_a_file_has_the_sums_of_its_bytes_wherever_it_stands(body: bytes, place: int) -> None:
    file = io.BytesIO(body)
    file.seek(place)

    assert checksums(file) == checksums(body)


@given(st.lists(st.binary(max_size=50)))
def test_a_sum_does_not_follow_how_bytes_come(chunks: list[bytes]) -> None:
    summed = Crc64()
    for chunk in chunks:
        summed.update(chunk)

    assert str(summed) == checksums(b"".join(chunks)).crc64
