"""Messages of MPS, which its API calls MTS: told apart by `Type` (media-jobs.md 1.2).

Classic jobs write every key in two casings, others in one or the other; so no casing is relied on.
The type of a video quality job is not documented: what may be about one comes back as `Unsorted`, and
`decide` goes by what surrounds the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from shared.errors import ParseError
from shared.inbound.fields import optional_text, required_job, required_text, spelled
from shared.inbound.notifications.notification import Claim, Notification, SetAside, Unsorted
from shared.toolkit.strict_json import Tree

PRODUCTION = "mts.production"
VIDEO_QUALITY = "mts.video_quality"

_LAYER = "mts"
_NAMES = ("Type", "JobId", "State", "Status", "PipelineId", "MediaWorkflowExecution")
_UNTYPED = "(no Type)"

_PRODUCTION_TYPE = "iproduction"
_CLASSIC = "a classic job of MPS, which is no job of ours"
OTHER_TYPES: Mapping[str, str] = {
    # https://www.alibabacloud.com/help/doc-detail/44602.html
    "transcode": _CLASSIC,
    "analysis": _CLASSIC,
    "snapshot": _CLASSIC,
    "mediainfo": _CLASSIC,
    # media-jobs.md 1.2 (c) to (e)
    "smarttag": "a smart tag job of MPS, told at every change of its state, which is no job of ours",
    "mediacensor": "a media censor job of MPS, which is no job of ours",
    "fpshot": "a media fingerprint job of MPS, which is no job of ours",
}
"""Why messages of other documented types are set aside, by type in lower case."""

# media-jobs.md 1.2 (b): it alone has neither type nor state.
_SPEECH_FIELDS = {"jobId", "requestId", "result"}
_SPEECH = "a synchronous job of MPS: it was answered when it was submitted, and cannot be queried"
# media-jobs.md 1.2 (f): what its `Type` names are steps of a workflow, not kinds of job.
_WORKFLOW_STEPS = frozenset({"start", "report"})
_WORKFLOW = "a step of a media workflow of MPS, which is no job of ours"
_UNKNOWN = "a message of MPS of a type that this version does not know"


def read(tree: dict[str, Tree]) -> Notification | SetAside | Unsorted:
    """Read a message; raise `ParseError` naming the field when it does not name its job."""
    told = spelled(tree, _NAMES)
    if "Type" not in told:
        if tree.keys() >= _SPEECH_FIELDS and told.keys() <= {"JobId"}:
            return SetAside("TextToSpeech", _SPEECH, known=True)
        return _unsorted(told, None)
    event_type = required_text(told, "Type", layer=_LAYER)
    word = event_type.lower()
    if word == _PRODUCTION_TYPE:
        ref = required_job(told, PRODUCTION, layer=_LAYER)
        return Notification(ref, Claim.of(optional_text(told, "State")), event_type)
    if word in OTHER_TYPES:
        return SetAside(event_type, OTHER_TYPES[word], known=True)
    if word in _WORKFLOW_STEPS and "MediaWorkflowExecution" in told:
        return SetAside(event_type, _WORKFLOW, known=True)
    return _unsorted(told, event_type)


def decide(
    unsorted: Unsorted,
    *,
    known: bool,
    source: str | None,
    sources: AbstractSet[str],
    pipelines: AbstractSet[str],
) -> Notification | SetAside:
    """Decide whether a message is about a video quality job, which it does not say itself.

    It is when the ledger has `unsorted.ref` (`known`), or when the queue or topic that it came from
    (`source`), or its pipeline, is one of those that are set up for such jobs (media-jobs.md 1.2 (g)).
    """
    if known or source in sources or unsorted.pipeline_id in pipelines:
        return Notification(unsorted.ref, unsorted.claim, unsorted.event_type)
    return SetAside(unsorted.event_type, _UNKNOWN, known=False)


def _unsorted(told: dict[str, Tree], event_type: str | None) -> SetAside | Unsorted:
    try:
        ref = required_job(told, VIDEO_QUALITY, layer=_LAYER)
    except ParseError:
        if event_type is None:
            raise ParseError("EventType is missing", layer=_LAYER, field="EventType") from None
        return SetAside(event_type, _UNKNOWN, known=False)
    claim = Claim.of(optional_text(told, "State") or optional_text(told, "Status"))
    return Unsorted(event_type or _UNTYPED, ref, claim, optional_text(told, "PipelineId"))
