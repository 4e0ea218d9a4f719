"""VOD automated review: `GetAIMediaAuditJob`, version 2017-03-21.

Sources: the two vendor pages of that name and the SDK model of `alibabacloud_vod20170321` 3.12.1.
Every score and every timestamp is a string there; lists are repeated elements in XML.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.documents.cursor import Node, Walk
from shared.errors import ParseError
from shared.kinds.kind import JobQuery, Kind
from shared.kinds.reading import decode, find_part, required, status_of, unmapped
from shared.kinds.values import comma_list, times
from shared.kinds.vod_review import Review
from shared.record import Job, JobRecord, Media, Status, VendorError, Verdict
from shared.taxonomy import worst
from shared.toolkit.strict_json import Tree
from shared.vendor import ApiRequest, Part

NAME = "vod.media_audit"
NORMALIZER_VERSION = 1

_LISTS = frozenset({"TopList", "CounterList", "ImageResult", "TextResult", "AudioResult", "Result"})
_CONTAINERS = frozenset(
    {
        "MediaAuditJob",
        "Data",
        "VideoResult",
        "AdResult",
        "LiveResult",
        "LogoResult",
        "PornResult",
        "TerrorismResult",
        "GreenEnhancedResult",
    }
)
_NO_ERROR = ("0", None)


def request(query: JobQuery) -> ApiRequest:
    """Ask for one job. The region must be the one whose storage holds the media."""
    return ApiRequest(
        product="vod",
        version="2017-03-21",
        action="GetAIMediaAuditJob",
        params={"JobId": query.job_id},
        region=query.region,
    )


def is_complete(job: Node) -> bool:
    """Tell whether a finished job's answer has its result: success has `Data` with something in it."""
    data = job.object("Data")
    return data is not None and data.has_leaves()


def tree(part: Part) -> Tree:
    """Decode an answer into the tree that pointers walk in, the same for JSON and XML."""
    return decode(part, lists=_LISTS, containers=_CONTAINERS)


def normalize(parts: Sequence[Part]) -> JobRecord:
    """Turn the answer into a record; raise `ParseError` when it is no answer about a job."""
    walk = Walk("answer", tree(find_part(parts, "answer")))
    walk.root.ignore("RequestId")  # differs from call to call and says nothing about the job
    job = walk.root.object("MediaAuditJob")
    if job is None:
        raise ParseError("no object MediaAuditJob", layer=NAME)
    job_id, vendor_status = required(job, "JobId", layer=NAME), required(job, "Status", layer=NAME)
    status = status_of(vendor_status)
    review = Review()
    verdict = _verdict(job.object("Data"), review)
    return JobRecord(
        normalizer_version=NORMALIZER_VERSION,
        job=Job(kind=NAME, job_id=job_id, function=job.text("Type")),
        media=Media(media_id=job.text("MediaId")),
        status=status,
        vendor_status=vendor_status,
        incomplete=status == "succeeded" and not is_complete(job),
        error=_error(job, status),
        times=times(job, created="CreationTime", completed="CompleteTime"),
        verdict=verdict,
        findings=tuple(review.findings),
        measures=tuple(review.measures),
        evidence=review.evidence.items(),
        unmapped=unmapped(walk),
    )


def _error(job: Node, status: Status) -> VendorError | None:
    """Read the job's error. On success the vendor sends Code "0" and Message "OK" all the same."""
    code = job.text("Code")
    if status != "failed" and code in _NO_ERROR:
        job.ignore("Message")
        return None
    return VendorError(code=code, message=job.text("Message"))


def _verdict(data: Node | None, review: Review) -> Verdict:
    if data is None:
        return Verdict()
    review.read(data)
    return Verdict(
        suggestion=data.text("Suggestion"),
        labels=comma_list(data, "Label"),
        abnormal_modules=comma_list(data, "AbnormalModules"),
        computed_suggestion=worst(review.suggestions()),
        modules=tuple(review.modules),
    )


KIND = Kind(
    name=NAME,
    product="vod",
    normalizer_version=NORMALIZER_VERSION,
    request=request,
    tree=tree,
    normalize=normalize,
)
