"""Files of the archive: by a link that lives for minutes, or as bytes where the store makes no links.

What is shown in a page is pictures alone, by the type that was read from their own first bytes when they were
kept. All else is saved, never opened: it is a stranger's.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from shared import evidence_rows
from shared.archive import BYTES, CONTENT_TYPES
from shared.console.answers import Answer, file, redirect
from shared.console.routes import EvidenceFile, RawFile
from shared.errors import RefusedRequestError
from shared.job_row import read_job
from shared.pages.pictures import PICTURES
from shared.ports import ObjectLinks, Services

LINK_SECONDS = 5 * 60
"""How long a link can be followed; one that was begun goes on."""
MAX_BYTES = 16 * 1024 * 1024
"""Most bytes of a file that goes through the function: in base64, below the 32 MB of an answer
(function-compute.md 1.6)."""


def evidence_file(services: Services, links: ObjectLinks | None, asked: EvidenceFile) -> Answer:
    """Answer with a picture or file; raise `RefusedRequestError` with 404 for one that is not kept."""
    row = evidence_rows.read_one(services.ledger, asked.key, asked.name)
    if row is None:
        raise _missing("the job has no such evidence")
    if row.status != "kept" or row.key is None:
        raise _missing(f"it is not kept: {row.status}")
    return _file(services, links, row.key, row.content_type or BYTES)


def raw_file(services: Services, links: ObjectLinks | None, asked: RawFile) -> Answer:
    """Answer with a part of a raw answer; raise `RefusedRequestError` with 404 where there is none."""
    job = read_job(services.ledger, asked.key)
    parts = {} if job is None else {part.name: part for part in job.raw_parts}
    if asked.part not in parts:
        raise _missing("the job has no such part")
    part = parts[asked.part]
    return _file(services, links, part.key, CONTENT_TYPES[part.format])


def origin_of(links: ObjectLinks | None) -> str | None:
    """Tell where links lead, for pages to allow pictures from there."""
    if links is None:
        return None
    parts = urlsplit(links.link("evidence", seconds=1))
    return f"{parts.scheme}://{parts.netloc}"


def _file(services: Services, links: ObjectLinks | None, key: str, content_type: str) -> Answer:
    is_shown, name = content_type in PICTURES, key.rpartition("/")[2]
    if links is not None:
        saved_as = None if is_shown else name
        return redirect(links.link(key, seconds=LINK_SECONDS, saved_as=saved_as))
    size = services.objects.info(key).size
    if size > MAX_BYTES:
        raise RefusedRequestError(
            f"it has {size} bytes, too many to come this way; in the archive it is {key}",
            why="size",
            status=413,
        )
    return file(services.objects.get(key), content_type if is_shown else BYTES, name=name, is_shown=is_shown)


def _missing(message: str) -> RefusedRequestError:
    return RefusedRequestError(message, why="no_file", status=404)
