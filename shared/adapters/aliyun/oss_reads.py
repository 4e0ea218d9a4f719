"""What is read of an object of OSS, in whichever bucket it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.adapters.aliyun.oss_bodies import OssObject, open_body, read_body
from shared.adapters.aliyun.oss_client import OssClient
from shared.adapters.object_keys import check_span
from shared.errors import FileTooLargeError
from shared.ports import ObjectInfo


def read_object(client: OssClient, place: OssObject, *, most: int | None = None) -> bytes:
    """Read a whole object, again from its start when it is cut or damaged on the way.

    Raise `FileTooLargeError` for one of more than `most` bytes, of which none are read.
    """

    def once(sdk: Any) -> bytes:
        answer = open_body(sdk, place)
        if most is not None and (answer.content_length or 0) > most:
            answer.body.close()
            raise FileTooLargeError("it is to be read piece by piece", file=place.key)
        return b"".join(read_body(answer, place, left_ms=client.left_ms))

    return client.run(once, key=place.key)


def read_chunks(client: OssClient, place: OssObject, *, start: int, end: int | None) -> Iterator[bytes]:
    """Give the bytes from `start` up to `end`, which is left out, piece by piece.

    The call is tried again until it is answered; a body that is cut is not.
    """
    check_span(start, end)
    last = "" if end is None else str(end - 1)
    span = f"bytes={start}-{last}" if start or last else None
    answer = client.run(lambda sdk: open_body(sdk, place, span=span), key=place.key)
    if answer is not None:
        yield from read_body(answer, place, left_ms=client.left_ms)


def read_info(client: OssClient, place: OssObject) -> ObjectInfo:
    """Tell what is known of an object."""
    head = client.run(lambda sdk: read_head(sdk, place), key=place.key)
    return ObjectInfo(
        head.content_length, int(head.last_modified.timestamp()) * 1000, content_type=head.content_type
    )


def read_head(sdk: Any, place: OssObject) -> Any:
    """Ask for the headers of an object; raise what the vendor's client raises."""
    import alibabacloud_oss_v2 as oss

    return sdk.head_object(oss.HeadObjectRequest(bucket=place.bucket, key=place.name))
