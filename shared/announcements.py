"""What the submit side says of its jobs, before any callback: one job, many, or the vendor's own answer.

An item is a JSON object of the fields in `FIELDS`, or what a Submit action answered: as it is, or as
`answer` beside fields that it does not have. Both production actions answer alike: beside theirs, `kind`
must stand.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
)

from shared.documents.urls import without_query
from shared.errors import InvalidJobIdError, ParseError
from shared.jobs import JobRef, encode_job_id
from shared.policy import DAY, SECOND
from shared.toolkit import strict_json
from shared.toolkit.strict_json import Tree
from shared.vendor import REGION_PATTERN, USER_ID_PATTERN

MAX_BYTES = 1024 * 1024
"""Most bytes of one payload."""

MAX_ITEMS = 10_000
"""Most jobs of one payload: what a function announces, and answers for each, within its time and memory."""

# A job whose callback is lost is not looked at before it is expected to have ended.
_LONGEST = 7 * DAY // SECOND
_SHOWN = 100
_COMPLAINTS = 8
_NO_KIND = 'kind is missing; a Submit answer that does not tell it goes into {"kind": ..., "answer": ...}'


@dataclass(frozen=True)
class Announcement:
    """A job as the side that submitted it knows it; times in epoch milliseconds, UTC.

    `expected` is how long after its submission the job should have ended.
    """

    ref: JobRef
    region: str | None = None
    user_id: str | None = None
    output: str | None = None
    media_id: str | None = None
    expected: int | None = None
    submitted_at: int | None = None


@dataclass(frozen=True)
class Refusal:
    """An item that announces nothing, by what it calls itself, and why."""

    name: str
    reason: str


Item = Announcement | Refusal


def read(payload: bytes) -> list[Item]:
    """Read one object, an array of them, or one in each line; an item that is wrong is a `Refusal`.

    Raise `ParseError` when there is no item at all.
    """
    if len(payload) > MAX_BYTES:
        raise ParseError("too large", layer="announcement", size=len(payload), limit=MAX_BYTES)
    lines = [line for line in payload.removeprefix(BOM_UTF8).split(b"\n") if line.strip()]
    # One object of several lines has one that begins so: the others are indented. An array may have many.
    is_array = bool(lines) and lines[0].lstrip().startswith(b"[")
    if not is_array and sum(line.startswith(b"{") for line in lines) > 1:
        _check_count(len(lines))
        return [read_line(line) for line in lines]
    tree = strict_json.parse(payload)
    trees = tree if isinstance(tree, list) else [tree]
    if not trees:
        raise ParseError("an empty array announces nothing", layer="announcement")
    _check_count(len(trees))
    return [read_item(one) for one in trees]


def _check_count(items: int) -> None:
    if items > MAX_ITEMS:
        raise ParseError("too many at once", layer="announcement", items=items, limit=MAX_ITEMS)


def read_line(line: bytes, defaults: Mapping[str, str] | None = None) -> Item:
    """Read the JSON object of one line."""
    try:
        tree = strict_json.parse(line)
    except ParseError as error:
        return Refusal("", str(error))
    return read_item(tree, defaults)


def read_item(tree: Tree, defaults: Mapping[str, str] | None = None) -> Item:
    """Read one item; `defaults` are fields for an item that does not say them."""
    if not isinstance(tree, dict):
        return Refusal("", "not an object")
    is_answer = not tree.keys().isdisjoint(("JobId", "RequestId"))
    item = {"answer": tree} if is_answer else tree
    name = _name({**(defaults or {}), **item})
    try:
        fields = {**(defaults or {}), **_flat(item)}
        if "kind" not in fields:
            return Refusal(name, _NO_KIND)
        return _Item.model_validate(fields).announcement()
    except ValidationError as error:
        return Refusal(name, _reasons(error))


def _flat(item: Mapping[str, Tree]) -> dict[str, Tree]:
    """Put what an answer says among the fields of its item; what the item says itself goes before it."""
    if "answer" not in item:
        return dict(item)
    answer = _Answer.model_validate(item["answer"])
    said = {"kind": answer.kind, "job_id": answer.job_id, "media_id": answer.media_id}
    return {**{n: v for n, v in said.items() if v}, **{n: v for n, v in item.items() if n != "answer"}}


def _name(item: Mapping[str, Tree]) -> str:
    """Call an item by what it says of its kind and id, right or wrong."""
    answer = item.get("answer")
    job_id = answer.get("JobId") if isinstance(answer, dict) else item.get("job_id")
    said = "/".join(text for text in (item.get("kind"), job_id) if isinstance(text, str))
    # It may be refused for text that nothing can print.
    return without_query(said.encode(errors="replace").decode())[:_SHOWN]


def _reasons(error: ValidationError) -> str:
    """Say of each field what is wrong with it, and never what stood there."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    told = [(".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, ")) for one in found]
    rest = [f"and {len(told) - _COMPLAINTS} more"] if len(told) > _COMPLAINTS else []
    shown = (f"{without_query(field)[:_SHOWN]}: {why}" if field else why for field, why in told[:_COMPLAINTS])
    return "; ".join([*shown, *rest])


def _matches(pattern: str, complaint: str) -> AfterValidator:
    """Refuse what does not match, in words for a person in place of the pattern."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(complaint)
        return value

    return AfterValidator(check)


def _check_job_id(value: str) -> str:
    try:
        encode_job_id(value)
    except InvalidJobIdError as error:
        raise ValueError(error.message) from None
    return value


JobId = Annotated[str, AfterValidator(_check_job_id)]
Text = Annotated[str, Field(min_length=1, max_length=1024)]


class _Answer(BaseModel):
    """What the Submit actions answer (media-jobs.md 4); its other fields do not say which job it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    job_id: JobId = Field(alias="JobId")
    media_id: Text | None = Field(None, alias="MediaId")
    code: str | None = Field(None, alias="Code")

    @property
    def kind(self) -> str | None:
        """Tell the kind where the answer does: either field is in the answer of one action only."""
        if self.media_id is not None:
            return "vod.media_audit"
        return "mts.video_quality" if self.code is not None else None


class _Item(BaseModel):
    """One item, flat. A misspelt field is refused, not left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    kind: Text
    job_id: JobId
    region: Annotated[str, _matches(REGION_PATTERN, "regions look like cn-shanghai")] | None = None
    user_id: Annotated[str, _matches(USER_ID_PATTERN, "account ids are numbers")] | None = None
    output: (
        Annotated[Text, _matches(r"oss://[^?]+", "outputs look like oss://bucket/key, without a query")]
        | None
    ) = None
    media_id: Text | None = None
    expected_seconds: Annotated[int, Field(ge=0, le=_LONGEST)] | None = None
    submitted_at: AwareDatetime | None = None

    def announcement(self) -> Announcement:
        """Say it in the ledger's terms."""
        seconds, at = self.expected_seconds, self.submitted_at
        return Announcement(
            JobRef(self.kind, self.job_id),
            region=self.region,
            user_id=self.user_id,
            output=self.output,
            media_id=self.media_id,
            expected=None if seconds is None else seconds * SECOND,
            submitted_at=None if at is None else int(at.timestamp() * SECOND),
        )


FIELDS = tuple(_Item.model_fields)
"""What an item can say: the fields of an object, the columns of a table."""
