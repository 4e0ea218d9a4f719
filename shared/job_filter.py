"""Which jobs a person asks for: read from the words of an address or a command, held against a job's row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timezone
from typing import Literal, get_args

from shared import attention, lookups
from shared.errors import ParseError
from shared.job_row import JobRow
from shared.jobs import State
from shared.lost_callbacks import LOST
from shared.merging import END_OF_TIME
from shared.policy import DAY

Need = Literal["any", attention.Reason]
"""Why a job needs a person (see `attention`); `any` is for a filter."""

_LONGEST = 512
_KIND = re.compile(r"[a-z0-9_.]{1,64}")


@dataclass(frozen=True)
class Filter:
    """Which jobs are wanted: those for which all that is set holds.

    `verdict` and `label` are the vendor's words as they stand in the row; `day` and `since` are days of
    first sight, UTC. `job_id` is a vendor's id, `kind/job id` or a ledger key. A media id leads to jobs that
    are settled, unless `state` asks for others.
    """

    state: State | None = None
    verdict: str | None = None
    kind: str | None = None
    label: str | None = None
    day: date | None = None
    since: date | None = None
    media_id: str | None = None
    job_id: str | None = None
    needs: Need | None = None
    lost_callback: bool = False

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Filter:
        """Read what `values` wrote, and nothing else of a query; what is empty is not set.

        Raise `ParseError` naming the field.
        """
        given = {field.name: values.get(field.name, "").strip() for field in fields(cls)}
        for name, text in given.items():
            if len(text) > _LONGEST:
                raise ParseError(f"{name} is too long", layer="filter", limit=_LONGEST)
        return cls(
            state=_state(given["state"]),
            verdict=given["verdict"] or None,
            kind=_kind(given["kind"]),
            label=given["label"] or None,
            day=_day("day", given["day"]),
            since=_day("since", given["since"]),
            media_id=given["media_id"] or None,
            job_id=given["job_id"] or None,
            needs=_need(given["needs"]),
            lost_callback=_is_set("lost_callback", given["lost_callback"]),
        )

    @property
    def values(self) -> dict[str, str]:
        """Write what is set, by name, as the query of an address has it."""
        return {field.name: text for field in fields(self) if (text := _text(getattr(self, field.name)))}

    def means(self, row: JobRow) -> bool:
        """Tell whether a job is wanted, by its row."""
        reasons = attention.reasons(row.columns)
        return (
            self.state in (None, row.state)
            and self.verdict in (None, row.text("suggestion"))
            and self.kind in (None, row.ref.kind)
            and (self.label is None or self.label in lookups.labels(row))
            and self.media_id in (None, row.text("media_id"))
            and (self.needs is None or self.needs in reasons or (self.needs == "any" and bool(reasons)))
            and (not self.lost_callback or row.number("lost_callback") == LOST)
            and self.first <= row.count("first_seen_at") <= self.last
        )

    @property
    def first(self) -> int:
        """Tell from when on jobs were first seen that are wanted."""
        return max((_begin(day) for day in (self.day, self.since) if day), default=0)

    @property
    def last(self) -> int:
        """Tell until when."""
        return END_OF_TIME if self.day is None else _begin(self.day) + DAY - 1


def _begin(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp() * 1000)


def _kind(text: str) -> str | None:
    if text and not _KIND.fullmatch(text):
        raise ParseError("kind is none: they look like vod.media_audit", layer="filter")
    return text or None


def _state(text: str) -> State | None:
    try:
        return State(text) if text else None
    except ValueError:
        raise _unknown("state", [state.value for state in State]) from None


def _need(text: str) -> Need | None:
    found: dict[str, Need] = {need: need for need in get_args(Need)}
    if text and text not in found:
        raise _unknown("needs", list(found))
    return found.get(text)


def _is_set(name: str, text: str) -> bool:
    if text not in ("", "1"):
        raise _unknown(name, ["1"])
    return text == "1"


def _day(name: str, text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = None
    if text and (day is None or day.isoformat() != text):
        raise ParseError(f"{name} is no date: write 2025-11-20", layer="filter")
    return day


def _unknown(name: str, known: Sequence[str]) -> ParseError:
    return ParseError(f"{name} is not known: known are {', '.join(known)}", layer="filter")


def _text(value: State | date | str | bool | None) -> str:
    if isinstance(value, State):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return "1" if value is True else value or ""
