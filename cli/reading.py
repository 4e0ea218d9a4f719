"""`parse-event` and `normalize`: what the deployed code makes of bytes, without a ledger."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Literal

import typer

from cli.terminal import AlwaysJson, AsJson, Exit, complain, print_json, read_input, told_plainly
from shared.errors import ParseError
from shared.inbound.notifications import Notification, SetAside, Unsorted, read
from shared.kinds import KINDS
from shared.kinds.recognition import format_of
from shared.record import canonical_bytes
from shared.toolkit.message import Message, TimerTick
from shared.toolkit.triggers import recognize
from shared.vendor import Part


def parse_event(
    file: Annotated[str, typer.Argument(help="A trigger event; - reads standard input.")],
    as_json: AlwaysJson = False,
) -> None:
    """Show the messages and notifications of a trigger event, as JSON."""
    trigger = recognize(read_input(file))
    if isinstance(trigger, TimerTick):
        print_json({"messages": [], "timer": trigger._asdict()})
        return
    print_json({"messages": [_shown(message) for message in trigger.messages]})


def _shown(message: Message) -> dict[str, object]:
    notification, reason = None, message.reason
    if reason is None:
        try:
            found = read(message.body)
        except ParseError as error:
            reason = str(error)
        else:
            if isinstance(found, SetAside):
                reason = f"set aside: {found.reason}"
            elif isinstance(found, Unsorted):
                reason = (
                    f"perhaps about the {found.ref.kind} job {found.ref.job_id}: only a ledger can tell, or"
                    " LEDGER_VIDEO_QUALITY_SOURCES and LEDGER_VIDEO_QUALITY_PIPELINES"
                )
            else:
                notification = _notification(found, message)
    return {
        "message_id": message.message_id,
        "transport": message.transport,
        "notification": notification,
        "reason": reason,
    }


def _notification(found: Notification, message: Message) -> dict[str, object]:
    return {
        "kind": found.ref.kind,
        "job_id": found.ref.job_id,
        "job": found.ref.key,
        "event_type": found.event_type,
        "event_time": found.event_time,
        "media_id": found.media_id,
        "region": found.region or message.region,
        "user_id": found.user_id or message.account_id,
        "claim": asdict(found.claim) if found.claim else None,
    }


def normalize(
    kind: Annotated[str, typer.Argument(help=f"One of: {', '.join(KINDS)}.")],
    file: Annotated[str, typer.Argument(help="A raw answer as received; - reads standard input.")],
    form: Annotated[
        Literal["json", "xml"] | None,
        typer.Option("--format", help="What the answer is written in; told by its first byte if left out."),
    ] = None,
    output_file: Annotated[
        str | None,
        typer.Option(help="The file that the job wrote, where a record is made from both."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the record of a raw answer; with --json in exactly the bytes that would be stored."""
    found = KINDS.get(kind)
    if found is None:
        complain(f"unknown kind {kind}: known are {', '.join(KINDS)}", Exit.WRONG_USE)
    body = read_input(file)
    parts = [Part("answer", form or format_of(body), body)]
    if output_file is not None:
        parts.append(Part("output", "txt", read_input(output_file)))
    with told_plainly(file):
        stored = canonical_bytes(found.normalize(parts))
    if as_json:
        typer.echo(stored, nl=False)
    else:
        print_json(json.loads(stored))
