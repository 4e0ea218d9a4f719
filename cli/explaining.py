"""`explain`: everything that is known of one job, and what happens next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from rich.console import Group
from rich.text import Text

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, find_job, opened
from cli.looking import Job, moment
from cli.terminal import AsJson, escape, out, print_json, told_plainly
from shared import explanation
from shared.delivery.outbox import Delivery, Undelivered
from shared.explanation import Explanation, Happening, kept_at
from shared.job_row import JobRow
from shared.jobs import State

_LOST = {1: "lost", 2: "late"}


def explain(name: Job, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Explain one job: its whole history, where everything of it lies, what happens next and why."""
    with told_plainly(name), opened(environment(folder), must_exist=folder) as services:
        story = explanation.explain(services, find_job(services, name))
    if as_json:
        print_json(_document(story))
    else:
        out().print(_lines(story))


def _document(story: Explanation) -> dict[str, object]:
    row = story.row
    return {
        "job": row.key,
        "kind": row.ref.kind,
        "job_id": row.ref.job_id,
        "state": row.state.value,
        "reason": row.text("reason"),
        "history": [_happening(one) for one in story.history],
        "deliveries": [
            {**one, "received_at": moment(_number(one.get("received_at")))} for one in story.deliveries
        ],
        "facts": _facts(row),
        "lease": None if row.text("holder") is None else _lease(row),
        "effects": [
            {"name": one.name, "digest": one.digest, "attempts": one.attempts, "next_at": moment(one.next_at)}
            for one in row.effects
        ],
        "outbox": [
            {"delivery_id": one.delivery_id(row.key), **asdict(one), **_moments(one)} for one in row.outbox
        ],
        "undelivered": [{**asdict(one), **_moments(one)} for one in row.undelivered],
        "kept_at": kept_at(row),
        "next": [_happening(one) for one in story.next],
    }


def _moments(one: Delivery | Undelivered) -> dict[str, str | None]:
    """Write the times of an entry."""
    names = ("settled_at", "since", "next_at")
    return {name: moment(at) for name, at in asdict(one).items() if name in names}


def _happening(one: Happening) -> dict[str, str | None]:
    return {"at": moment(one.at), "what": one.what}


def _lease(row: JobRow) -> dict[str, object]:
    return {"until": moment(row.number("lease_until")), "token": row.count("token")}


def _facts(row: JobRow) -> dict[str, object]:
    """Give what the row counts and remembers, without what is told elsewhere."""
    facts = {
        "vendor_status": row.text("vendor_status"),
        "suggestion": row.text("suggestion"),
        "labels": row.text("labels"),
        "version": row.number("version"),
        "digest": row.text("digest"),
        "normalizer_version": row.number("normalizer_version"),
        "notes": row.text("notes"),
        "incomplete": row.number("incomplete"),
        "claimed": row.text("claimed"),
        "checked_claim": row.text("checked_claim"),
        "marks": row.number("wanted"),
        "notifications": row.number("notified"),
        "callback": _LOST.get(row.count("lost_callback")),
        "queries": row.number("queries"),
        "polls": row.number("polls"),
        "failures": row.number("failures"),
        "crashes": row.number("crashes"),
        "drifts": row.number("drifts"),
        "region": row.text("region"),
        "user_id": row.text("user_id"),
        "output": row.text("output"),
        "media_id": row.text("media_id"),
        "changed_at": moment(row.number("updated_at")),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _lines(story: Explanation) -> Group:
    row = story.row
    why = f": {row.text('reason')}" if row.text("reason") else ""
    where = "what could not be read is kept at" if row.state is State.QUARANTINED else "kept at"
    return Group(
        _text(f"{row.ref.kind}/{row.ref.job_id}", style="bold"),
        _text(f"{row.state.value}{why}"),
        *_section("what happened", ((moment(one.at) or "", one.what) for one in story.history)),
        *_section("what is known", ((name.replace("_", " "), value) for name, value in _facts(row).items())),
        *_section(where, (("", key) for key in kept_at(row))),
        *_section("what happens next", ((moment(one.at) or "", one.what) for one in story.next)),
    )


def _section(title: str, rows: Iterable[tuple[str, object]]) -> list[Text]:
    """Lay out lines that are never folded: keys and commands in them are there to be copied."""
    lines = [_text(f"  {name:<20}  {value}" if name else f"  {value}") for name, value in rows]
    return [Text(f"\n{title}", style="bold"), *lines] if lines else []


def _text(line: str, *, style: str = "") -> Text:
    return Text.from_markup(escape(line), style=style)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
