"""Callbacks of ICE: an envelope of `EventType`, `UserId`, `EventTime` and `MessageBody`.

media-jobs.md 1.3 shows the envelope; no page shows the body of `AIProduceComplete`. So it is read as
those of the other events look, an object with `JobId` and `Status`, and tolerantly: it may be a JSON
string, its keys may have another casing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.errors import ParseError
from shared.inbound.fields import (
    optional_text,
    required_job,
    required_text,
    spelled,
)
from shared.inbound.notifications.event_time import epoch_ms
from shared.inbound.notifications.notification import ENDINGS, Claim, Ending, Notification, SetAside
from shared.toolkit import strict_json
from shared.toolkit.strict_json import Tree, is_text
from shared.vendor import USER_ID_PATTERN

PRODUCTION = "ice.production"
PRODUCTION_COMPLETE = "AIProduceComplete"

# https://help.aliyun.com/document_detail/444780.htm, tables 1 to 7. It does not name the event of a
# smart job; SmartJobComplete is what receivers in the wild expect (media-jobs.md 1.3).
OTHER_EVENTS = frozenset(
    {
        "AIMediaAuditComplete",
        "AttachedMediaUploadComplete",
        "BatchProduceMediaComplete",
        "CreateAuditComplete",
        "DeleteMediaComplete",
        "DynamicImageComplete",
        "FileUploadComplete",
        "ImageUploadComplete",
        "LiveRecordFileCreated",
        "LiveRecordTaskStatus",
        "LiveSnapshotFileCreated",
        "MediaAiAnalysisComplete",
        "MediaBaseChangeComplete",
        "MediaConvertComplete",
        "MediaConvertOutputComplete",
        "MediaConvertOutputGroupComplete",
        "ProduceMediaComplete",
        "RegisterMediaComplete",
        "RegisterStreamComplete",
        "SmartJobComplete",
        "SnapshotComplete",
        "StreamUploadComplete",
        "TranscodeComplete",
        "TranscodeParentComplete",
        "UploadByURLComplete",
        "UploadStreamByURLComplete",
        "VideoAnalysisComplete",
        "WorkflowTaskComplete",
    }
)

_LAYER = "ice"
_USER_ID = re.compile(USER_ID_PATTERN)
_ENVELOPE = ("EventType", "UserId", "EventTime", "MessageBody")
_BODY = ("JobId", "Status")
# Batch jobs are `Finished` in place of `Success` (media-jobs.md 1.3).
_ENDINGS: Mapping[str, Ending] = {**ENDINGS, "finished": "succeeded", "failed": "failed"}


def read(tree: dict[str, Tree]) -> Notification | SetAside:
    """Read an envelope; raise `ParseError` naming the field when it does not name its job."""
    envelope = spelled(tree, _ENVELOPE)
    event_type = required_text(envelope, "EventType", layer=_LAYER)
    if event_type in OTHER_EVENTS:
        return SetAside(event_type, "an event of ICE that is about no job of ours", known=True)
    if event_type != PRODUCTION_COMPLETE:
        return SetAside(event_type, "an event type of ICE that this version does not know", known=False)
    body = _body(envelope)
    return Notification(
        ref=required_job(body, PRODUCTION, layer=_LAYER),
        claim=Claim.of(optional_text(body, "Status"), _ENDINGS),
        event_type=event_type,
        event_time=epoch_ms(optional_text(envelope, "EventTime")),
        user_id=_user_id(envelope),
    )


def _body(envelope: dict[str, Tree]) -> dict[str, Tree]:
    body = envelope.get("MessageBody")
    if is_text(body):
        body = strict_json.parse(body)
    if not isinstance(body, dict):
        raise ParseError("MessageBody is not an object", layer=_LAYER, field="MessageBody")
    return spelled(body, _BODY)


def _user_id(envelope: dict[str, Tree]) -> str | None:
    """Give the account, a number on the wire: up to 16 digits, so it is never a float on the way."""
    user_id = envelope.get("UserId")
    return str(user_id) if isinstance(user_id, str) and _USER_ID.fullmatch(user_id) else None
