"""Callbacks of ApsaraVideo VOD: flat objects keyed by `EventType` (media-jobs.md 1.1)."""

from __future__ import annotations

import re
from dataclasses import replace

from shared.errors import ParseError
from shared.inbound.fields import optional_text, required_job
from shared.inbound.notifications.event_time import epoch_ms
from shared.inbound.notifications.notification import Claim, Notification, SetAside
from shared.toolkit import strict_json
from shared.toolkit.strict_json import Tree, is_text

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
_SUGGESTION = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}")


def read(event_type: str, tree: dict[str, Tree]) -> Notification | SetAside:
    """Read a callback; raise `ParseError` naming the field when it does not name its job."""
    if event_type in OTHER_EVENTS:
        return SetAside(event_type, "an event of VOD that is about no job of ours", known=True)
    if event_type != AUDIT_COMPLETE:
        return SetAside(event_type, "an event type that this version does not know", known=False)
    return Notification(
        ref=required_job(tree, MEDIA_AUDIT, layer=_LAYER),
        claim=_claim(tree),
        event_type=event_type,
        event_time=epoch_ms(optional_text(tree, "EventTime")),
        media_id=optional_text(tree, "MediaId"),
    )


def _claim(tree: dict[str, Tree]) -> Claim | None:
    claim = Claim.of(optional_text(tree, "Status"))
    if claim is None or claim.status == "failed":
        return claim
    suggestion = optional_text(_data(tree), "Suggestion")
    if suggestion is None or not _SUGGESTION.fullmatch(suggestion):
        return claim
    return replace(claim, suggestion=suggestion)


def _data(tree: dict[str, Tree]) -> Tree:
    """Give `Data`: the table says it is a JSON string, the sample shows an object. Both occur."""
    data = tree.get("Data")
    if not is_text(data):
        return data
    try:
        return strict_json.parse(data)
    except ParseError:
        return None  # a claim without a suggestion; the query will tell
