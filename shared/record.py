"""The published schema: one normalized document per job, and its canonical bytes.

A record is a pure function of the vendor's answer. What we observed ourselves (request ids, times of
ours, drift, deliveries) is not in it, so the same answer always gives the same bytes. The JSON Schema
in `docs/schema/` is generated from these models.

Positions in media are whole milliseconds, times UTC ISO 8601 with milliseconds, regions
`[x1, y1, x2, y2]` in pixels. A `source` is an address in a raw part (see `documents.pointers`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from itertools import chain
from math import isfinite
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import ParseError

if TYPE_CHECKING:
    from typing import TypeVar

    from pydantic import GetCoreSchemaHandler, TypeAdapter
    from pydantic_core import CoreSchema
    from typing_extensions import dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(frozen_default=True, kw_only_default=True)
    def _part(kind: type[T]) -> type[T]: ...
else:
    # A type checker holds a part to be frozen. Python does not: making one would take three times as long.
    _part = dataclass(slots=True, kw_only=True, unsafe_hash=True)

Status = Literal["running", "succeeded", "failed"]
Modality = Literal["video", "image", "text", "audio"]


_CONFIG = ConfigDict(
    frozen=True,
    extra="forbid",
    allow_inf_nan=False,  # JSON has neither
    json_schema_serialization_defaults_required=True,  # every field is stored, null or not
)


class _Part:
    """A part of a record: of the right types when it was read, and checked for them when it is written."""

    __slots__ = ()
    __pydantic_config__ = _CONFIG

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Have pydantic write the fields in the order of their names (`canonical_bytes`)."""
        schema: Any = handler(source)
        schema["schema"]["fields"].sort(key=itemgetter("name"))
        schema["fields"].sort()
        return schema  # type: ignore[no-any-return]  # of this one kind, a dataclass's, the fields are known


def _refuse_what_json_cannot_say(number: float | None) -> None:
    if number is not None and not isfinite(number):
        raise ValueError("no finite number")


@_part
class Score(_Part):
    """How sure or how much, in the vendor's own digits. `value` is null when they are no number."""

    text: str
    value: float | None
    scale: str | None = None

    def __post_init__(self) -> None:
        _refuse_what_json_cannot_say(self.value)


@_part
class Job(_Part):
    """Which job the answer says it is about."""

    kind: str
    job_id: str
    function: str | None = None
    user_id: str | None = None
    pipeline_id: str | None = None
    template_id: str | None = None
    name: str | None = None
    user_data: str | None = None
    params: str | None = None


@_part
class Media(_Part):
    """What went into the job and where its result was to go."""

    input: str | None = None
    media_id: str | None = None
    output: str | None = None


@_part
class VendorError(_Part):
    """What the vendor says went wrong."""

    code: str | None
    message: str | None


@_part
class Times(_Part):
    """The vendor's times. Implausible ones are kept and flagged, never mended."""

    created: str | None = None
    completed: str | None = None
    flags: tuple[str, ...] = ()


@_part
class Module(_Part):
    """The vendor's verdict on one module of the media: `video`, `image-cover`, `text-title`, `audio`."""

    name: str
    labels: tuple[str, ...]
    suggestion: str | None
    source: str


@_part
class Verdict(_Part):
    """What the vendor says at the top, and the worst it says below; both, as they may contradict."""

    suggestion: str | None = None
    labels: tuple[str, ...] = ()
    abnormal_modules: tuple[str, ...] = ()
    computed_suggestion: str | None = None
    modules: tuple[Module, ...] = ()


@_part
class Finding(_Part):
    """One thing the vendor saw: what, where in time and frame, how sure, with which evidence.

    A label alone is no verdict: `suggestion` may still be `pass`. `canonical_label` is null for a
    label that the taxonomy does not know.
    """

    id: str
    modality: Modality
    check: str | None
    label: str | None
    canonical_label: str | None
    suggestion: str | None = None
    scores: tuple[Score, ...] = ()
    start_ms: int | None = None
    end_ms: int | None = None
    frame: int | None = None
    regions: tuple[tuple[float, float, float, float], ...] = ()
    count: int | None = None
    text: str | None = None
    evidence: tuple[str, ...] = ()
    source: str
    other_sources: tuple[str, ...] = ()
    """Where else the vendor says the same."""

    def __post_init__(self) -> None:
        for number in chain.from_iterable(self.regions):
            _refuse_what_json_cannot_say(number)


@_part
class Output(_Part):
    """One file or segment that a job made."""

    kind: str
    uri: str | None = None
    url: str | None = None
    media_id: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    scores: tuple[Score, ...] = ()
    title: str | None = None
    source: str


@_part
class Measure(_Part):
    """Something the vendor measured that is no finding: a counter, an average, a harmless frame."""

    name: str
    value: float | None
    text: str | None
    unit: str | None = None
    channel: str | None = None
    label: str | None = None
    suggestion: str | None = None
    start_ms: int | None = None
    content: str | None = None
    evidence: tuple[str, ...] = ()
    source: str

    def __post_init__(self) -> None:
        _refuse_what_json_cannot_say(self.value)


@_part
class Evidence(_Part):
    """A picture or file that findings and measures point at by `id`; `url` has no query."""

    id: str
    url: str
    source: str


@_part
class Unmapped(_Part):
    """A leaf of the raw answer that this version does not understand."""

    source: str
    value: str


@_part
class Repair(_Part):
    """A place where the raw document had to be read more kindly than its format allows."""

    source: str
    what: str


@_part
class FindingsMore(_Part):
    """Findings that did not fit: how many there are, and the hash of the object that holds them.

    The object has one finding to a line (`finding_line`), in the order in which the vendor tells them.
    """

    count: int
    sha256: str


class JobRecord(BaseModel):
    """One job, normalized."""

    model_config = _CONFIG

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """See `_Part`."""
        schema: Any = handler(source)
        schema["schema"]["fields"] = dict(sorted(schema["schema"]["fields"].items()))
        return schema  # type: ignore[no-any-return]  # of this one kind, a model's, the fields are known

    schema_version: Literal[1] = 1
    normalizer_version: int
    job: Job
    media: Media
    status: Status
    vendor_status: str
    incomplete: bool
    error: VendorError | None
    times: Times
    verdict: Verdict
    findings: tuple[Finding, ...]
    findings_more: FindingsMore | None = None
    outputs: tuple[Output, ...] = ()
    measures: tuple[Measure, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    repaired: tuple[Repair, ...] = ()


def canonical_bytes(record: JobRecord) -> bytes:
    """Write the record as it is stored: sorted keys, no spaces, UTF-8, one newline at the end."""
    # The serializer of pydantic takes a fifth of the time of `json.dumps`, which cannot sort it for less.
    return record.__pydantic_serializer__.to_json(record, warnings="error") + b"\n"


def findings_count(record: JobRecord) -> int:
    """Tell how many findings a record stands for, in it and beside it."""
    return len(record.findings) + (record.findings_more.count if record.findings_more else 0)


def finding_line(finding: Finding) -> bytes:
    """Write a finding as it stands in a record, as a line of its own."""
    return _findings().serializer.to_json(finding, warnings="error") + b"\n"


@cache
def _findings() -> TypeAdapter[Finding]:
    # Few processes have findings by themselves: a cold start need not wait for this.
    from pydantic import TypeAdapter

    return TypeAdapter(Finding)


def read_record(stored: bytes) -> JobRecord:
    """Read a record from the archive; raise `ParseError` when it is none, or of another schema.

    Old code meets records of newer code while a release is rolled out: fields that it does not know are left
    out. Whatever hands a record on hands on its bytes.
    """
    try:
        return JobRecord.model_validate_json(stored, extra="ignore")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(map(str, first["loc"])) or None
        raise ParseError("no record that this version can read", layer="record", field=field) from None


def digest(stored: bytes) -> str:
    """Give the content address of stored bytes: sha256, 64 hex."""
    return hashlib.sha256(stored).hexdigest()
