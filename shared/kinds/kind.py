"""What the rest of the project needs to know of one vendor query API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.kinds.findings_beside import NOWHERE, Lines
from shared.record import JobRecord
from shared.toolkit.strict_json import Tree
from shared.vendor import ApiRequest, Format, Part


@dataclass(frozen=True)
class JobQuery:
    """What a query needs: the vendor's job id, and the region and account that it was submitted in.

    `output` is where the job was told to write, as far as it is known: a whole
    `oss://bucket.oss-region.aliyuncs.com/key`, or a place that ends in `/`.
    """

    job_id: str
    region: str | None = None
    user_id: str | None = None
    output: str | None = None


@dataclass(frozen=True)
class ResultFile:
    """A file that a finished job wrote and its record is made from; `uri` is None if nobody knows where."""

    part: str
    format: Format
    uri: str | None


def no_files(parts: Sequence[Part], query: JobQuery) -> Sequence[ResultFile]:
    """Say that the answer is all there is."""
    return ()


@dataclass(frozen=True)
class Kind:
    """One query API: how to ask it, and what its answer means.

    `tree` decodes a raw part into what the pointers of a record walk in. `normalize` is pure and
    total: it raises `ParseError` for bytes that are no such answer, `JobNotFoundError` for an
    answer that there is no such job, and returns a record for everything else, running jobs
    included. `files` names what must be fetched beside the answer; a part that is missing all the
    same is no error of `normalize`. `normalizer_version` grows with every change that gives another
    record for the same answer.

    `normalize_large` is for kinds that may find more than a record has room for: it does as `normalize`,
    and writes the rest as lines.
    """

    name: str
    product: str
    normalizer_version: int
    request: Callable[[JobQuery], ApiRequest]
    tree: Callable[[Part], Tree]
    normalize: Callable[[Sequence[Part]], JobRecord]
    files: Callable[[Sequence[Part], JobQuery], Sequence[ResultFile]] = no_files
    normalize_large: Callable[[Sequence[Part], Lines], JobRecord] | None = None

    def record(self, parts: Sequence[Part], lines: Lines = NOWHERE) -> JobRecord:
        """Normalize, and write what the record has no room for."""
        return self.normalize(parts) if self.normalize_large is None else self.normalize_large(parts, lines)
