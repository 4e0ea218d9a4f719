"""What holds for every quality answer and its file, whatever is in them.

A case is one tree, `{"answer": ..., "output": [document, ...]}`, so that one hand spoils all of it; the
summary is written into its string, and the documents into their file, only afterwards.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.documents.pointers import resolve
from shared.errors import ParseError
from shared.kinds.mts_video_quality import KIND
from shared.record import JobRecord, canonical_bytes
from shared.vendor import Part
from tests.shared.kinds.accounting import without_queries
from tests.shared.kinds.answers import SECRET, VALUES, Json, as_json, as_xml

JOB = "answer:/Job"
SUMMARY = f"{JOB}/VideoQualityResults"
quick = settings(max_examples=150, deadline=None)

SUMMARY_FIELDS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("Blockness", "Freeze"), ("Score",)),
    "Brightness": ("Result", "Score"),
    **dict.fromkeys(("LessExpose", "OverExpose", "Noise"), ("Ratio",)),
    **dict.fromkeys(("ImageDefinition", "Border", "Mosaic"), ()),
}
FILE_FIELDS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("blockness", "brightness", "freeze"), ("result", "score")),
    **dict.fromkeys(("less_expose", "over_expose"), ("ratio", "id")),
    "noise": ("noise_rate", "id"),
    "image_definition": ("id",),
    "border": ("border", "id"),
    "mosaic": ("box", "id"),
}
# Few moments, so that summary and file often mean the same one.
SECONDS = st.integers(0, 2)
RECTANGLES = st.lists(st.integers(0, 1280), min_size=4, max_size=4)
FIELDS: Mapping[str, st.SearchStrategy[Json]] = {
    "TimeStamp": st.builds("00:00:0{}{}".format, SECONDS, st.sampled_from(["", ".0", ".5", ".500"])),
    "Result": st.sampled_from(["dark", "white", "normal"]),
    "result": st.sampled_from(["dark", "white", "blocking", "normal"]),
    "Score": st.sampled_from(["0.33", "1"]),
    "score": st.floats(-5, 5),
    **dict.fromkeys(("Ratio", "ratio", "noise_rate"), st.sampled_from(["0.97276288701703", "0.66"])),
    "id": st.integers(0, 10**6),
    "border": RECTANGLES,
    "box": RECTANGLES | st.lists(RECTANGLES, max_size=3),
    "timestamp": SECONDS.map(lambda s: f"{s}000") | SECONDS.map(lambda s: s * 1000.0),
}


def entries(names: Sequence[str]) -> st.SearchStrategy[Json]:
    whole = {name: FIELDS[name] for name in names}
    return st.lists(st.fixed_dictionaries(whole) | st.fixed_dictionaries({}, optional=whole), max_size=3)


SUMMARIES = st.sets(st.sampled_from([*SUMMARY_FIELDS]), max_size=4).flatmap(
    lambda checks: st.fixed_dictionaries(
        {check: entries(("TimeStamp", *SUMMARY_FIELDS[check])) for check in sorted({*checks, "Brightness"})}
    )
)
DOCUMENTS = st.sampled_from([*FILE_FIELDS, *["brightness"] * 4]).flatmap(
    lambda check: st.fixed_dictionaries({check: entries((*FILE_FIELDS[check], "timestamp"))})
)
CASES: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {
        "answer": st.fixed_dictionaries(
            {
                "RequestId": st.just("2774ABF9-34AD*****5F53BE4EFFB9"),
                "Code": st.just("Success"),
                "Message": st.just("The job is completed successfully"),
                "Job": st.fixed_dictionaries(
                    {
                        "JobId": st.just("0c8f04aa60bd4377a906bd6c91ec****"),
                        "Status": st.sampled_from(["Success", "Success", "Fail", "Processing", "submitted"]),
                        "UserId": st.just(1253406881704637),
                        "VideoQualityResults": SUMMARIES,
                    },
                    optional={
                        "Output": st.sampled_from(["blockness.txt", f"oss://b/k?Signature={SECRET}"]),
                        "Message": st.sampled_from(["", f"cannot read http://x.test/a?{SECRET}"]),
                    },
                ),
            }
        )
    },
    optional={"output": st.lists(DOCUMENTS, min_size=1, max_size=4)},
)

ODD: Mapping[str, Sequence[Json]] = {
    "TimeStamp": ["hh:mm:ss[.SSS]", "00:00:60", "00:00:01.0005", "1000", 1000, ""],
    "timestamp": ["1e3", "0e99999999", "9" * 19, "-5", "1000.9", 5, "00:00:01.0", "soon"],
    **{name: ["", "NaN", "1e400", "-0", -2.5, True] for name in ("Score", "score", "Ratio", "ratio")},
    **{name: ["NORMAL", " normal", "", "dark", 7] for name in ("Result", "result")},
    "id": ["25", 25.0, -1, "", True],
    "border": [[], False, [1, 2, 3], ["1", "2.5", "-3", "4e2"], [1, 2, 3, None], "0,0,1,1"],
    "box": [[], [[]], [[1, 2, 3, 4], [1, 2, 3]], [[1, 2, 3, 4], 5], {"x1": 0}, [[[1, 2, 3, 4]]]],
    "VideoQualityResults": ["", " ", "{", "null", "[1,2]", "{}{}", 7, [], None],
}
NAMES = st.sampled_from(
    [
        *("Score", "score", "Ratio", "noise_rate", "TimeStamp", "timestamp", "Result", "type", "Message"),
        *(
            "ColorCast",
            "color_cast",
            "freeze",
            "Freeze",
            "BRIGHTNESS",
            "Normal",
            "box",
            "id",
            "",
            "a/b~c#d",
            "键",
            "@x",
        ),
    ]
)


def containers(tree: Json) -> Iterator[Json]:
    if isinstance(tree, (dict, list)):
        yield tree
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from containers(value)


@st.composite
def spoilt_cases(draw: st.DrawFn) -> Json:
    """Spoil a documented case in some places: odd values, other types, new, moved and missing members."""
    case = copy.deepcopy(draw(CASES))
    for way in draw(st.lists(st.sampled_from(["odd", "odd", "retype", "add", "drop", "move"]), max_size=10)):
        where = draw(st.sampled_from([place for place in containers(case) if place is not case]))
        keys = sorted(where) if isinstance(where, dict) else list(range(len(where)))
        odd = [key for key in keys if key in ODD]
        if way == "odd" and odd:
            key = draw(st.sampled_from(odd))
            where[key] = draw(st.sampled_from(ODD[key]))
        elif way == "add":
            put(where, draw(NAMES), draw(VALUES))
        elif keys:
            key = draw(st.sampled_from(keys))
            value = where.pop(key)
            if way == "move":
                put(where, draw(NAMES), value)
            elif way != "drop":
                put(where, key, draw(VALUES))
    return case


def put(container: Json, name: str | int, value: Json) -> None:
    if isinstance(container, dict):
        container[name] = value
    else:
        container.append(value)


SPOILT = spoilt_cases()


def written(case: Json) -> list[Part]:
    """Write a case as the vendor does: the summary in a string, the documents one after the other."""
    answer = copy.deepcopy(case["answer"])
    job = answer.get("Job")
    if isinstance(job, dict) and isinstance(job.get("VideoQualityResults"), (dict, list)):
        job["VideoQualityResults"] = json.dumps(job["VideoQualityResults"], ensure_ascii=False) + " "
    parts = [as_json(answer)]
    if case.get("output"):
        lines = [json.dumps(document, ensure_ascii=False) for document in case["output"]]
        parts.append(Part("output", "txt", " \n".join(lines).encode()))
    return parts


def record_of(parts: Sequence[Part]) -> JobRecord | None:
    try:
        return KIND.normalize(parts)
    except ParseError:
        return None


def snake(name: str) -> str:
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


SCORES = ("Score", "score", "Ratio", "ratio", "noise_rate")
TIME = re.compile(r"[0-9]{2}(:[0-9]{2}){2}(\.[0-9]{1,3})?|[0-9.]+|[0-9]+e[0-9]", re.ASCII)


def milliseconds(text: str) -> int:
    if ":" not in text:
        return int(float(text))
    hours, minutes, seconds = text.split(":")
    return round((int(hours) * 3600 + int(minutes) * 60) * 1000 + float(seconds) * 1000)


def check_of(source: str) -> str:
    """Give the check of the entry at `source`: `output:/2/mosaic/0`, `...#/Freeze/1`."""
    return snake(source.split("/")[-2])


@quick
@given(SPOILT)
def test_every_source_leads_to_what_it_stands_for(case: Json) -> None:
    parts = written(case)

    record = record_of(parts)

    if record is None:
        return
    trees = {part.name: KIND.tree(part) for part in parts}
    measured = [measure.source for measure in record.measures]
    assert all(isinstance(resolve(trees, at), dict) for at in (*told_at(record), *measured))
    assert len({item.source for item in record.unmapped}) == len(record.unmapped)
    for left in record.unmapped:
        found = resolve(trees, left.source)
        assert left.value == without_queries(found if isinstance(found, str) else json.dumps(found))


@quick
@given(SPOILT)
def test_no_finding_is_invented(case: Json) -> None:
    parts = written(case)

    record = record_of(parts)

    trees = {part.name: KIND.tree(part) for part in parts} if record else {}
    for finding in record.findings if record else ():
        sources = (finding.source, *finding.other_sources)
        said: list[Any] = [resolve(trees, source) for source in sources]
        assert {check_of(source) for source in sources} == {finding.check}
        assert finding.label in {*texts(said, "Result", "result"), finding.check}
        assert str(finding.label).casefold() != "normal"
        assert all(finding.start_ms in (None, *times(entry)) for entry in said)
        assert {score.text for score in finding.scores} <= texts(said, *SCORES)
        assert texts(said, *SCORES, *FIELDS) - {"None", "", "[]"}


def texts(entries: list[dict[str, Any]], *names: str) -> set[str]:
    return {without_queries(str(entry.get(name))) for entry in entries for name in names}


def times(entry: dict[str, Any]) -> list[int]:
    told = [entry.get(name) for name in ("TimeStamp", "timestamp")]
    return [milliseconds(text) for text in told if isinstance(text, str) and TIME.fullmatch(text)]


@quick
@given(SPOILT, st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_no_byte(case: Json, random: random.Random) -> None:
    record, other = record_of(written(case)), record_of(written(shuffled(case, random)))

    assert (record and canonical_bytes(record)) == (other and canonical_bytes(other))


def shuffled(tree: Json, random: random.Random) -> Json:
    if isinstance(tree, list):
        return [shuffled(item, random) for item in tree]
    if not isinstance(tree, dict):
        return tree
    return {name: shuffled(tree[name], random) for name in random.sample(list(tree), len(tree))}


@quick
@given(
    CASES, st.dictionaries(st.from_regex(r"X[a-z]{0,3}", fullmatch=True), st.text("a<&é雪 \n", max_size=4))
)
def test_json_and_xml_with_a_root_or_without_give_the_same_bytes(case: Json, unknown: Json) -> None:
    case["answer"]["Job"].update(unknown)
    json_part, *file = written(case)
    xml_part = as_xml(json.loads(json_part.body))
    without_root = re.sub(rb"^<[^>]*>|<[^>]*>$", b"", xml_part.body)

    parts = [json_part, xml_part, Part("answer", "xml", without_root)]

    assert len({canonical_bytes(KIND.normalize([part, *file])) for part in parts}) == 1


@quick
@given(SPOILT)
def test_an_answer_is_readable_when_it_names_a_job_and_its_status(case: Json) -> None:
    job = case["answer"].get("Job")
    named = isinstance(job, dict) and all(
        type(job.get(name)) in (str, int, float) and job[name] != "" for name in ("JobId", "Status")
    )

    assert (record_of(written(case)) is not None) == named


@quick
@given(SPOILT, st.binary(max_size=60) | st.sampled_from([b"", b"{", b"[[", b"\xff\xef\xbc\x8c"]))
def test_whatever_is_in_the_file_the_summary_alone_settles_the_job(case: Json, body: bytes) -> None:
    answer, *_ = written(case)
    alone = record_of([answer])

    both = record_of([answer, Part("output", "txt", body)])

    has_summary = alone is not None and not alone.incomplete and alone.status == "succeeded"
    assert both is not None or not has_summary


@quick
@given(st.binary(max_size=60), st.sampled_from(["json", "xml"]))
def test_what_is_no_answer_is_unreadable_and_nothing_else(body: bytes, form: Any) -> None:
    assert record_of([Part("answer", form, body)]) is None


@quick
@given(SPOILT)
def test_what_was_made_is_what_the_schema_reads_from_its_bytes(case: Json) -> None:
    record = record_of(written(case))

    if record is not None:
        stored = canonical_bytes(record)
        read = JobRecord.model_validate_json(stored, strict=True)
        assert read == record
        assert canonical_bytes(read) == stored


@quick
@given(SPOILT)
def test_ids_are_unique_and_each_entry_is_told_once(case: Json) -> None:
    record = record_of(written(case))

    if record is not None:
        ids = [finding.id for finding in record.findings]
        sources = told_at(record)
        assert len(set(ids)) == len(ids)
        assert len(set(sources)) == len(sources)


def told_at(record: JobRecord) -> list[str]:
    return [at for finding in record.findings for at in (finding.source, *finding.other_sources)]


@quick
@given(SPOILT)
def test_no_query_of_a_url_reaches_a_value_of_the_record(case: Json) -> None:
    record = record_of(written(case))

    stored = canonical_bytes(record).decode() if record else ""
    # A key of the answer is part of an address, which must lead back to it.
    values = re.sub(r'"(source|other_sources)":("(?:[^"\\]|\\.)*"|\[[^]]*\])', "", stored)
    assert SECRET not in values
