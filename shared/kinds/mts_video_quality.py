"""Video quality review of MPS: `QueryVideoQualityJob`, version 2014-06-18.

Source: the vendor page of that name. The operation left the vendor's SDKs in July 2024 (query-apis.md
1), so nothing but the page describes it. The answer holds a summary, which is JSON in a string, and
names the Output file, which holds the same with more detail: the part `output`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from shared.documents import embedded
from shared.documents.cursor import Node, Walk
from shared.errors import ParseError, SettingError
from shared.kinds.findings_beside import NOWHERE, Lines
from shared.kinds.kind import JobQuery, Kind, ResultFile
from shared.kinds.mts_quality_checks import read_summary
from shared.kinds.mts_quality_report import Reading, Report
from shared.kinds.reading import decode, find_part, repairs, required, status_of, unmapped
from shared.record import Job, JobRecord, Media, Status, Times, VendorError, Verdict
from shared.toolkit.strict_json import Tree
from shared.vendor import ApiRequest, Part

NAME = "mts.video_quality"
NORMALIZER_VERSION = 2
OUTPUT = "output"

_CONTAINERS = frozenset({"Job"})
_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?(?:<\?xml[^>]*>)?")
_BUCKET = re.compile(r"[a-z]+://[^/]+")


def request(query: JobQuery) -> ApiRequest:
    """Ask for one job. The page swaps what JobId and UserId are (query-apis.md 6, quirk 11)."""
    if not query.user_id:
        raise SettingError(
            "no account to ask for: set LEDGER_USER_ID to the one that submitted the job",
            kind=NAME,
            job_id=query.job_id,
        )
    return ApiRequest(
        product="mts",
        version="2014-06-18",
        action="QueryVideoQualityJob",
        params={"JobId": query.job_id, "UserId": query.user_id},
        region=query.region,
    )


def tree(part: Part) -> Tree:
    """Decode an answer, JSON and XML alike, or the file, which is the list of its documents."""
    if part.name == OUTPUT:
        return list(embedded.read(part.body).documents)
    try:
        return decode(part, containers=_CONTAINERS)
    except ParseError as error:
        if part.format != "xml":
            raise
        return _tree_without_root(part, error)


def _tree_without_root(part: Part, error: ParseError) -> Tree:
    """Decode XML that lacks its root element, as the page prints it (query-apis.md 6, quirk 9)."""
    declared = _DECLARATION.match(part.body)
    at = declared.end() if declared else 0
    body = b"".join((part.body[:at], b"<Response>", part.body[at:], b"</Response>"))
    try:
        found = decode(Part(part.name, part.format, body), containers=_CONTAINERS)
    except ParseError:
        raise error from None
    # Text beside the elements is another defect than the one that is mended here.
    if not isinstance(found, dict) or "#text" in found:
        raise error
    return found


def files(parts: Sequence[Part], query: JobQuery) -> Sequence[ResultFile]:
    """Name the Output file of a job that succeeded; raise `ParseError` as `normalize` does."""
    job = _job(Walk("answer", tree(find_part(parts, "answer"))))
    output = job.text("Output")
    if output is None or status_of(required(job, "Status", layer=NAME)) != "succeeded":
        return ()
    return (ResultFile(OUTPUT, "txt", _location(output, query.output)),)


def _location(output: str, told: str | None) -> str | None:
    """Put together where the file is; None when nobody knows.

    The answer has a key or a name, without its bucket (query-apis.md 6, quirk 15); where the job was
    `told` to write has the bucket.
    """
    bucket = _BUCKET.match(told or "")
    if told is None or bucket is None:
        return None
    if told == output or told.endswith(f"/{output}"):
        return told
    if "://" in output:  # another place than the one that was asked for
        return None
    folder = told[bucket.end() :].removeprefix("/")
    # The page shows a key with its folders; joined to them, it would have them twice.
    is_name = told.endswith("/") and not output.startswith(folder)
    return f"{told}{output}" if is_name else f"{bucket.group()}/{output}"


def normalize(parts: Sequence[Part]) -> JobRecord:
    """Turn answer and file into a record; raise `ParseError` when they are no answer about a job."""
    return normalize_large(parts, NOWHERE)


def normalize_large(parts: Sequence[Part], lines: Lines) -> JobRecord:
    """Do as `normalize`, and write the findings that the record has no room for."""
    walk = Walk("answer", tree(find_part(parts, "answer")))
    # A RequestId differs from call to call; Code and Message are about the query, not about the job.
    for name in ("RequestId", "Code", "Message"):
        walk.root.ignore(name)
    job = _job(walk)
    job_id, vendor_status = required(job, "JobId", layer=NAME), required(job, "Status", layer=NAME)
    status = status_of(vendor_status)  # of the job: the envelope's Code says only that the query worked
    summary = job.nested("VideoQualityResults")
    report, has_file = _report(parts, summary, lines)
    return JobRecord(
        normalizer_version=NORMALIZER_VERSION,
        job=Job(kind=NAME, job_id=job_id, user_id=job.text("UserId")),
        media=Media(output=job.text("Output")),
        status=status,
        vendor_status=vendor_status,
        # Its result is in the summary, or in the file.
        incomplete=status == "succeeded" and summary is None and not has_file,
        error=_error(job, status),
        times=Times(),
        verdict=Verdict(),
        findings=report.findings,
        findings_more=report.findings_more,
        measures=report.measures,
        unmapped=(*unmapped(walk), *report.unmapped),
        repaired=(*repairs(walk.repaired), *repairs({f"{OUTPUT}:": report.repaired})),
    )


def _report(parts: Sequence[Part], summary: Sequence[Node] | None, lines: Lines) -> tuple[Report, bool]:
    """Read summary and file, and tell whether there is a file that can be read.

    One that cannot is no error beside a summary that can.
    """
    told = read_summary(summary or ())
    reading, part = Reading(OUTPUT, told, lines), next((part for part in parts if part.name == OUTPUT), None)
    if part is None:
        return reading.report(), False
    try:
        reading.read(part.chunks())
    except ParseError as error:
        if summary is None:
            raise ParseError(error.reason, layer=NAME, part=OUTPUT) from None
        lines.clear()
        # Without what follows the colon: those are the decoder's words, which change with Python's version.
        reason = error.reason.partition(":")[0]
        return replace(Reading(OUTPUT, told, lines).report(), repaired=(f"unreadable: {reason}",)), False
    return reading.report(), True


def _job(walk: Walk) -> Node:
    job = walk.root.object("Job")
    if job is None:
        raise ParseError("no object Job", layer=NAME)
    return job


def _error(job: Node, status: Status) -> VendorError | None:
    """Read the job's error; on success its Message only says so (query-apis.md 6, quirk 14)."""
    message = job.text("Message")
    if status == "failed":
        return VendorError(code=None, message=message)
    if status == "succeeded":
        job.ignore("Message")
    elif message is not None:  # what a job says that has not ended is not documented
        job.put_back("Message")
    return None


KIND = Kind(
    name=NAME,
    product="mts",
    normalizer_version=NORMALIZER_VERSION,
    request=request,
    tree=tree,
    normalize=normalize,
    normalize_large=normalize_large,
    files=files,
)
