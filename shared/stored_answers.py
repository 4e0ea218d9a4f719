"""The writes that keep an answer: its raw parts, its record, and the findings beside that.

All are content-addressed, so each may be done at any time and again; the commit of the row comes after all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from shared import archive
from shared.answers import Answered
from shared.job_row import JobRow
from shared.ports import Services
from shared.vendor import LargePart, Part

Put = Callable[[], object]


def put_part(services: Services, key: str, part: Part, *, content_type: str) -> Put:
    """Give the write of a raw part."""
    if isinstance(part, LargePart):
        return partial(_put_file, services, key, part.open, content_type)
    return partial(services.objects.put_new, key, part.body, content_type=content_type)


def put_raw(services: Services, answered: Answered) -> list[Put]:
    """Give the writes of what was received."""
    return [
        put_part(services, stored.key, part, content_type=archive.CONTENT_TYPES[part.format])
        for stored, part in zip(answered.parts, answered.raw, strict=True)
    ]


def put_version(services: Services, row: JobRow, answered: Answered) -> list[Put]:
    """Give the writes of the record, and of findings that it has no room for."""
    types, more = archive.CONTENT_TYPES, answered.record.findings_more
    key = archive.version_key(row.ref, answered.digest)
    version = partial(services.objects.put_new, key, answered.stored, content_type=types["json"])
    if more is None:
        return [version]
    beside = archive.findings_key(row.ref, more)
    return [version, partial(_put_file, services, beside, answered.lines.open, types["ndjson"])]


def _put_file(services: Services, key: str, open_file: Callable[[], BinaryIO], content_type: str) -> None:
    with open_file() as file:
        services.objects.put_file(key, file, content_type=content_type)
