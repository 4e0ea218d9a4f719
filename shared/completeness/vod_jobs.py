"""What VOD itself lists: the jobs of one media. No other vendor API lists any of our jobs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from shared.completeness.comparison import RESERVE, Comparison, Tally
from shared.completeness.report import Source, plain
from shared.errors import FunctionError, PermanentError
from shared.jobs import JobRef
from shared.kinds import vod_media_audit
from shared.kinds.reading import decode
from shared.ports import Services
from shared.vendor import ApiAnswer, ApiRequest

NAME = "VOD ListJobInfo"

# 15 calls a second for the whole account (media-jobs.md 3), and not all of them for a report.
_BETWEEN_CALLS = 170


def vod_listing(services: Services, media: Mapping[str, str | None], *, most: int) -> Source:
    """Ask VOD for the jobs of at most `most` known media, and look for those that the ledger does not know.

    Which kinds of job `ListJobInfo` gives is not documented (query-apis.md 3): a job that is not known
    may be none of ours, so it is listed and needs nobody. The first refusal ends the asking.
    """
    unknown = Tally("not_known", "jobs that VOD lists and the ledger does not know; perhaps of another kind")
    unread = Tally("unreadable", "media whose list could not be read")
    comparison = Comparison(services)
    for ((media_id, region),) in comparison.chunks(islice(media.items(), most), size=1):
        try:
            refs = _listed_jobs(_ask(services, media_id, region))
        except PermanentError:
            unread.add(media_id)
            continue
        except FunctionError as error:
            comparison.cut = f"{type(error).__name__}: {plain(str(error))}"
            break
        comparison.compared += len(refs)
        for ref in comparison.not_in_ledger(refs):
            unknown.add(f"{ref.key} (media {media_id})")
    if comparison.cut is None and most < len(media):
        comparison.cut = f"asked about {most} of {len(media)} media"
    return comparison.source(NAME, unknown, unread)


def _ask(services: Services, media_id: str, region: str | None) -> ApiAnswer:
    services.clock.sleep(_BETWEEN_CALLS)
    request = ApiRequest(
        product="vod",
        version="2017-03-21",
        action="ListJobInfo",
        params={"MediaId": media_id, "JobType": "ai"},
        region=region or services.policy.region,
    )
    return services.media_api.call(request, deadline=services.deadline - RESERVE)


def _listed_jobs(answer: ApiAnswer) -> list[JobRef]:
    """Read the job ids of an answer, wherever its list holds them: JSON and XML nest it differently."""
    tree = decode(answer.part, lists=frozenset({"JobInfoList"}))
    ids: dict[str, None] = {}
    pending: list[object] = [tree.get("JobInfoList") if isinstance(tree, dict) else None]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(reversed(value))
        elif isinstance(value, dict):
            job_id = value.get("JobId")
            if isinstance(job_id, str):
                ids[job_id] = None
            else:
                pending.extend(value.values())
    return [JobRef(vod_media_audit.NAME, job_id) for job_id in ids]
