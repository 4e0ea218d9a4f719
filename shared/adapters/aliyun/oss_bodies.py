"""The bytes of an object as they come from OSS, and whether they are those that stand there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from shared.adapters.aliyun.oss_checksums import Crc64
from shared.adapters.aliyun.oss_errors import damaged
from shared.errors import StoreUnavailableError

_CHUNK_BYTES = 256 * 1024
_CHECKSUM = "x-oss-hash-crc64ecma"


@dataclass(frozen=True)
class OssObject:
    """Where an object is, and by which name it goes in errors."""

    bucket: str
    name: str
    key: str


def open_body(client: Any, place: OssObject, *, span: str | None = None) -> Any:
    """Ask for an object, or for a range of bytes; None when the object ends before that.

    Raise what the vendor's client raises.
    """
    import alibabacloud_oss_v2 as oss

    request = oss.GetObjectRequest(
        bucket=place.bucket,
        key=place.name,
        range_header=span,
        # Else a range beyond the end would be answered with the whole object.
        range_behavior="standard" if span else None,
    )
    try:
        return client.get_object(request)
    except oss.exceptions.OperationError as error:
        if span and getattr(error.unwrap(), "status_code", None) == 416:
            return None
        raise


def read_body(answer: Any, place: OssObject, *, left_ms: Callable[[], int]) -> Iterator[bytes]:
    """Give the bytes of an answer, and close it.

    Raise `StoreUnavailableError` when they are cut off, do not have the checksum of the object, or come
    too slowly. A range has no checksum of its own, nor has what was encoded for the way.
    """
    import requests

    summed, is_cut = Crc64(), False
    with answer.body:
        try:
            for chunk in answer.body.iter_bytes(block_size=_CHUNK_BYTES):
                if left_ms() <= 0:
                    raise StoreUnavailableError("no time left to read from OSS", key=place.key)
                summed.update(chunk)
                yield chunk
        except requests.RequestException:
            is_cut = True
    # Raised outside of the handler: the messages of requests hold whole URLs.
    if is_cut:
        raise damaged("it was cut off", key=place.key)
    told = answer.headers.get(_CHECKSUM)
    is_comparable = answer.status_code == 200 and "content-encoding" not in answer.headers
    if is_comparable and told is not None and told != str(summed):
        raise damaged("its checksum differs", key=place.key)
