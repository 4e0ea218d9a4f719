"""Callbacks of ApsaraVideo VOD: flat objects keyed by `EventType` (media-jobs.md 1.1)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Literal

from shared.documents import strict_json
from shared.documents.strict_json import Tree
from shared.errors import InvalidJobIdError, UnreadableError
from shared.inbound.fields import is_text, optional_text, required_text
from shared.inbound.notifications.notification import Claim, Notification, SetAside
from shared.jobs import JobRef

MEDIA_AUDIT = "vod.media_audit"
AUDIT_COMPLETE = "AIMediaAuditComplete"

# https://help.aliyun.com/en/vod/user-guide/events/ ; AIVideoCensorComplete is a legacy one that is
# still met (media-jobs.md 1.1). The AI events cannot be had one without the other.
OTHER_EVENTS = frozenset(
    {
        "AIMediaDNAComplete",
        "AIVideoCensorComplete",
        "AIVideoTagComplete",
        "AddLiveRecordVideoComplete",
        "AttachedMediaUploadComplete",
        "CreateAuditComplete",
        "DeleteMediaComplete",
        "DynamicImageComplete",
        "FileUploadComplete",
        "ImageUploadComplete",
        "LiveRecordVideoComposeStart",
        "MediaBaseChangeComplete",
        "ProduceMediaComplete",
        "SnapshotComplete",
        "StreamTranscodeComplete",
        "TranscodeComplete",
        "UploadByURLComplete",
        "VideoAnalysisComplete",
    }
)

_LAYER = "vod"
_STATUSES: dict[str, Literal["succeeded", "failed"]] = {"success": "succeeded", "fail": "failed"}
_SUGGESTION = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}")
# `...:17Z`, `...:46.540Z`, and with a colon before the milliseconds, as the current sample has it.
_EVENT_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.:]([0-9]{3}))?Z"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def read(event_type: str, tree: dict[str, Tree]) -> Notification | SetAside:
    """Read a callback; raise `UnreadableError` naming the field when it does not name its job."""
    if event_type in OTHER_EVENTS:
        return SetAside(event_type, "an event of VOD that is about no job of ours", known=True)
    if event_type != AUDIT_COMPLETE:
        return SetAside(event_type, "an event type that this version does not know", known=False)
    return Notification(
        ref=_job(tree),
        claim=_claim(tree),
        event_type=event_type,
        event_time=_event_time(optional_text(tree, "EventTime")),
        media_id=optional_text(tree, "MediaId"),
    )


def _job(tree: dict[str, Tree]) -> JobRef:
    job_id = required_text(tree, "JobId", layer=_LAYER)
    try:
        return JobRef(MEDIA_AUDIT, job_id)
    except InvalidJobIdError as error:
        raise UnreadableError(error.message, layer=_LAYER, field="JobId") from None


def _claim(tree: dict[str, Tree]) -> Claim | None:
    status = _STATUSES.get((optional_text(tree, "Status") or "").lower())
    if status != "succeeded":
        return Claim(status) if status else None
    suggestion = optional_text(_data(tree), "Suggestion")
    return Claim(status, suggestion if suggestion and _SUGGESTION.fullmatch(suggestion) else None)


def _data(tree: dict[str, Tree]) -> Tree:
    """Give `Data`: the table says it is a JSON string, the sample shows an object. Both occur."""
    data = tree.get("Data")
    if not is_text(data):
        return data
    try:
        return strict_json.parse(data)
    except UnreadableError:
        return None  # a claim without a suggestion; the query will tell


def _event_time(text: str | None) -> int | None:
    found = _EVENT_TIME.fullmatch(text or "")
    if not found:
        return None
    year, month, day, hour, minute, second, ms = (int(digits or 0) for digits in found.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second, ms * 1000, tzinfo=timezone.utc)
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(milliseconds=1)
