"""The record that a settled job has, for a later answer to be held against."""

from __future__ import annotations

import logging
from dataclasses import replace

from shared import archive, large_parts
from shared.answers import Answered
from shared.asking import normalized
from shared.errors import ObjectNotFoundError, ParseError, PermanentError
from shared.findings_file import FindingsFile
from shared.job_row import JobRow
from shared.ports import Services
from shared.record import read_record

LOG = logging.getLogger(__name__)


def beside_the_present(services: Services, row: JobRow, answered: Answered) -> Answered:
    """Give an answer with the record that it replaces, if there is one that can be read."""
    present = row.text("digest")
    if present is None or answered.present is not None:
        return answered
    try:
        stored = services.objects.get(archive.version_key(row.ref, present))
        return replace(answered, present=read_record(stored))
    except (ObjectNotFoundError, ParseError) as error:
        LOG.warning("the present record cannot be compared: %s", error, extra={"job": row.key})
        return answered


def beside_ours(services: Services, row: JobRow, answered: Answered) -> Answered:
    """Give an answer with what our normalizer makes of the recorded one, if a newer one made that record.

    Records of two normalizers differ, whatever the answers do. But while a release is rolled out an older
    instance may be the last that asks about a job: what the vendor has changed must not end with it.
    """
    if answered.record.normalizer_version >= row.count("normalizer_version"):
        return answered
    try:
        raw = tuple(large_parts.archived(services, one) for one in row.raw_parts)
        with FindingsFile() as lines:
            ours = normalized(row, services.kinds[row.ref.kind], raw, (), lines)
        return replace(answered, present=ours.record)
    except PermanentError as error:
        # Taken for another answer: a record of the older normalizer can be replayed, a lost answer cannot.
        LOG.warning("the recorded answer cannot be compared: %s", error, extra={"job": row.key})
        return answered
