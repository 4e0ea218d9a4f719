"""Intelligent production of MPS: `QueryIProductionJob`, version 2014-06-18.

Sources: the vendor page of that name, its revisions of 2021 and 2026, and the SDK model of
`alibabacloud_mts20140618` 6.0.3. The answer is flat and all strings; it has no time of any kind. ICE has
an operation of the same name with another answer: `ice_production`.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.documents.cursor import Node, Walk
from shared.errors import JobNotFoundError
from shared.kinds.kind import JobQuery, Kind
from shared.kinds.production_results import read_results
from shared.kinds.reading import decode, find_part, repairs, required, status_of, unmapped
from shared.record import Job, JobRecord, Media, Times, Verdict
from shared.toolkit.strict_json import Tree
from shared.vendor import ApiRequest, Part

NAME = "mts.production"
NORMALIZER_VERSION = 1

_SAID_OF_ANY_ID = frozenset({"RequestId", "JobId"})


def request(query: JobQuery) -> ApiRequest:
    """Ask for one job."""
    return ApiRequest(
        product="mts",
        version="2014-06-18",
        action="QueryIProductionJob",
        params={"JobId": query.job_id},
        region=query.region,
    )


def tree(part: Part) -> Tree:
    """Decode an answer into the tree that pointers walk in, the same for JSON and XML."""
    return decode(part)


def normalize(parts: Sequence[Part]) -> JobRecord:
    """Turn the answer into a record.

    Raise `ParseError` when it is no answer about a job, and `JobNotFoundError` when it says that
    there is no such job.
    """
    answer = tree(find_part(parts, "answer"))
    walk = Walk("answer", answer)
    root = walk.root
    root.ignore("RequestId")  # differs from call to call and says nothing about the job
    job = _job(root)
    if not _is_known(answer):
        raise JobNotFoundError(
            "the answer only repeats the id: it is not one of an intelligent production job",
            job_id=job.job_id,
        )
    vendor_status = required(root, "State", layer=NAME)
    status = status_of(vendor_status)
    results = read_results(root, function=job.function, status=status)
    return JobRecord(
        normalizer_version=NORMALIZER_VERSION,
        job=job,
        # `{source}` and other placeholders in Output may come back unexpanded (query-apis.md 6, quirk 34).
        media=Media(input=root.text("Input"), output=root.text("Output")),
        status=status,
        vendor_status=vendor_status,
        incomplete=status == "succeeded" and not results.is_said,
        error=results.error,
        times=Times(),
        verdict=Verdict(),
        findings=(),
        outputs=results.outputs,
        measures=results.measures,
        unmapped=unmapped(walk),
        repaired=repairs(walk.repaired),
    )


def _job(root: Node) -> Job:
    return Job(
        kind=NAME,
        job_id=required(root, "JobId", layer=NAME),
        function=root.text("FunctionName"),
        pipeline_id=root.text("PipelineId"),
        user_data=_user_data(root),
        # As it is: the vendor's own example, {mode:"gif"}, is no JSON (query-apis.md 2.3).
        params=root.text("JobParams"),
    )


def _is_known(answer: Tree) -> bool:
    """Tell whether anything is said of the id: an unknown one is HTTP 200 too (query-apis.md 6, quirk 65)."""
    return isinstance(answer, dict) and any(
        value not in (None, "", [], {}) for name, value in answer.items() if name not in _SAID_OF_ANY_ID
    )


def _user_data(root: Node) -> str | None:
    """Take the caller's own data; without any, the vendor answers the word (media-jobs.md 5)."""
    text = root.text("UserData")
    return None if text == "null" else text


KIND = Kind(
    name=NAME,
    product="mts",
    normalizer_version=NORMALIZER_VERSION,
    request=request,
    tree=tree,
    normalize=normalize,
)
