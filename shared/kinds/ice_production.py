"""Intelligent production of ICE: `QueryIProductionJob`, version 2020-11-09.

Sources: the vendor page of that name and the SDK model of `alibabacloud_ice20201109` 6.20.2. MPS has an
operation of the same name with another answer: `mts_production`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.documents.cursor import Node, Walk
from shared.documents.urls import without_query
from shared.kinds.kind import JobQuery, Kind
from shared.kinds.production_results import read_results
from shared.kinds.reading import decode, find_part, repairs, required, status_of, unmapped
from shared.kinds.values import number, times
from shared.record import Job, JobRecord, Measure, Media, Output, Verdict
from shared.toolkit.strict_json import Tree
from shared.vendor import ApiRequest, Part

NAME = "ice.production"
NORMALIZER_VERSION = 1

_FILES, _URLS, _MEDIA_IDS = "OutputFiles", "OutputUrls", "OutputMediaIds"
_LISTS = frozenset({_FILES, _URLS, _MEDIA_IDS})
_CONTAINERS = frozenset({"Input", "Output", "ScheduleConfig"})
_OSS, _MEDIA = "oss", "media"


def request(query: JobQuery) -> ApiRequest:
    """Ask for one job.

    Never with a ClientToken: the vendor refuses one that was used before (media-jobs.md 3), and a
    query needs none.
    """
    return ApiRequest(
        product="ice",
        version="2020-11-09",
        action="QueryIProductionJob",
        params={"JobId": query.job_id},
        region=query.region,
    )


def tree(part: Part) -> Tree:
    """Decode an answer into the tree that pointers walk in, the same for JSON and XML."""
    return decode(part, lists=_LISTS, containers=_CONTAINERS)


def normalize(parts: Sequence[Part]) -> JobRecord:
    """Turn the answer into a record; raise `ParseError` when it is no answer about a job."""
    walk = Walk("answer", tree(find_part(parts, "answer")))
    root = walk.root
    root.ignore("RequestId")  # differs from call to call and says nothing about the job
    schedule, given, wanted = (root.object(name) for name in ("ScheduleConfig", "Input", "Output"))
    job = _job(root, schedule)
    vendor_status = required(root, "Status", layer=NAME)
    status = status_of(vendor_status)
    results = read_results(root, function=job.function, status=status)
    made = (*results.outputs, *_files(root))
    return JobRecord(
        normalizer_version=NORMALIZER_VERSION,
        job=job,
        media=_media(given, wanted),
        status=status,
        vendor_status=vendor_status,
        incomplete=status == "succeeded" and not (results.is_said or made),
        error=results.error,
        times=times(root, created="CreateTime", completed="FinishTime"),
        verdict=Verdict(),
        findings=(),
        outputs=(*made, *_target(wanted)),
        measures=(*results.measures, *_priority(schedule)),
        unmapped=unmapped(walk),
        repaired=repairs(walk.repaired),
    )


def _job(root: Node, schedule: Node | None) -> Job:
    return Job(
        kind=NAME,
        job_id=required(root, "JobId", layer=NAME),
        function=root.text("FunctionName"),
        pipeline_id=schedule.text("PipelineId") if schedule else None,
        template_id=root.text("TemplateId"),
        name=root.text("Name"),
        user_data=root.text("UserData"),
        params=root.text("JobParams"),
    )


def _media(given: Node | None, wanted: Node | None) -> Media:
    """Read what went in and where the result was to go; `Type` says whether Media is an address or an id."""
    medium = given.text("Media") if given else None
    is_id = _type(given) == _MEDIA
    _type(wanted)
    if wanted:
        wanted.ignore("Biz")  # which product keeps the media that an id names
    return Media(
        input=None if is_id else medium,
        media_id=medium if is_id else None,
        output=wanted.text("Media") if wanted else None,
    )


def _type(place: Node | None) -> str | None:
    """Take the type of a place; leave one that nobody knows, as it does not say how to read the rest."""
    word = place.text("Type") if place else None
    if place and word is not None and word.casefold() not in (_OSS, _MEDIA):
        place.put_back("Type")
    return word.casefold() if word else None


def _target(wanted: Node | None) -> Iterator[Output]:
    """Give the address that the job was told to write to, which may end in a space (quirk 43)."""
    url = (wanted.text("OutputUrl") if wanted else None) or ""
    if wanted and url.strip():
        yield Output(kind="output_url", url=url.strip(), source=f"{wanted.source}/OutputUrl")


def _priority(schedule: Node | None) -> Iterator[Measure]:
    """Give the priority as a bare number: the pages contradict each other on its direction (quirk 47)."""
    text = schedule.text("Priority") if schedule else None
    if schedule and text is not None:
        yield Measure(
            name="schedule.priority", value=number(text), text=text, source=f"{schedule.source}/Priority"
        )


def _files(root: Node) -> Iterator[Output]:
    """Give the files that were made; lists of one length tell of the same files by position."""
    told = {name: texts for name in (_FILES, _URLS, _MEDIA_IDS) if (texts := _texts(root, name))}
    is_paired = len({len(texts) for texts in told.values()}) == 1
    for names in [list(told)] if is_paired else [[name] for name in told]:
        for position, values in enumerate(zip(*(told[name] for name in names), strict=True)):
            file = {name: value for name, value in zip(names, values, strict=True) if value}
            if file:
                yield Output(
                    kind="file",
                    uri=file.get(_FILES),
                    url=file.get(_URLS),
                    media_id=file.get(_MEDIA_IDS),
                    source=f"{root.source}/{next(iter(file))}/{position}",
                )


def _texts(root: Node, name: str) -> list[str]:
    """Take a list of texts; leave a list that holds anything else, and give none if all are empty."""
    values = root.value(name)
    texts = [_text(value) for value in values] if isinstance(values, list) else []
    found = [text for text in texts if text is not None]
    if len(found) < len(texts):
        return []
    if isinstance(values, list):
        root.ignore(name)
    return found if any(found) else []


def _text(value: Tree) -> str | None:
    """Read one item; null, an empty text and XML's empty element are nothing (quirk 44)."""
    if isinstance(value, str):
        return without_query(value).strip()
    return "" if value is None or value == {} else None


KIND = Kind(
    name=NAME,
    product="ice",
    normalizer_version=NORMALIZER_VERSION,
    request=request,
    tree=tree,
    normalize=normalize,
)
