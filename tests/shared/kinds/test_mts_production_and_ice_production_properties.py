"""What holds for every answer of both `QueryIProductionJob`s, whatever is in it.

Every recorded answer is a seed: its nested documents are opened, something is spoilt anywhere in it, and
it is written down again. Whether a leaf is lost is asked without knowing where it should be: change it,
and the record must change.
"""

from __future__ import annotations

import contextlib
import copy
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.documents.pointers import resolve
from shared.errors import JobNotFoundError, ParseError
from shared.kinds.ice_production import KIND as ICE
from shared.kinds.kind import Kind
from shared.kinds.mts_production import KIND as MTS
from shared.record import JobRecord, Output, canonical_bytes
from shared.toolkit.strict_json import Tree
from shared.vendor import Part
from tests.shared.kinds.accounting import without_queries
from tests.shared.kinds.answers import SECRET, VALUES, Json, as_json, as_xml

ANSWERS = Path(__file__).parents[2] / "data" / "answers"
quick = settings(max_examples=150, deadline=None)

# --- answers ------------------------------------------------------------------------------------


@dataclass
class Nest:
    """A text that holds documents, opened."""

    documents: list[Json]


class Sample(NamedTuple):
    kind: Kind
    answer: Json
    has_xml: bool

    def part(self) -> Part:
        return as_json(closed(self.answer))


def opened(tree: Json, name: str = "") -> Json:
    """Open what stands in the two texts that hold documents."""
    if isinstance(tree, dict):
        return {key: opened(value, key) for key, value in tree.items()}
    if isinstance(tree, list):
        return [opened(item) for item in tree]
    documents = list(documents_in(tree)) if name in ("Result", "Data") and isinstance(tree, str) else []
    return Nest([opened(document) for document in documents]) if documents else tree


def documents_in(text: str) -> Iterator[Json]:
    """Decode documents that stand in a row; none where that is not all there is."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text):
        try:
            document, at = decoder.raw_decode(text, at)
        except ValueError:
            return
        found.append(document)
    yield from found if all(isinstance(document, (dict, list)) for document in found) else ()


def closed(tree: Json) -> Json:
    """Write every nest as text again."""
    if isinstance(tree, Nest):
        return " ".join(json.dumps(closed(document), ensure_ascii=False) for document in tree.documents)
    if isinstance(tree, dict):
        return {key: closed(value) for key, value in tree.items()}
    return [closed(item) for item in tree] if isinstance(tree, list) else tree


SAMPLES = [
    Sample(kind, opened(json.loads(path.read_bytes())), path.with_suffix(".xml").exists())
    for kind in (MTS, ICE)
    for path in sorted((ANSWERS / kind.name).glob("*/answer.json"))
]
NAMES = [
    *("Result", "Data", "Details", "result", "splitResult", "VideoSummaryList", "Code", "Message", "Status"),
    *("file", "Url", "Score", "Time", "start", "end", "StartTime", "EndTime", "beginTime", "endTime"),
    *("title", "Input", "Output", "Type", "Media", "Biz", "Channel", "MOS", "MOS(0-5)", "State", "JobId"),
    *("OutputFiles", "OutputUrls", "OutputMediaIds", "OutputUrl", "UserData", "Priority", "X", ""),
    *("a/b~c#d", "键"),
]
ODD = st.sampled_from(
    [
        *(
            "",
            " ",
            "null",
            "0",
            "-1",
            "1.0019",
            "1e-3",
            "1e99",
            "9" * 400,
            "NaN",
            "1,5",
            "00:00:01",
            "\uff11",
        ),
        *("Success", "SUCCESS", "Fail", "Queuing", "OSS", "Media", "Cover", "TextToSpeech"),
        *("{}", "[]", "[[]]", "7", '{"Code":"X"}', '{"result"\uff1a[{"file":"a"}]}', '{"a":1,"a":2}', "{"),
        f"https://b.oss-cn-shanghai.aliyuncs.com/k?Signature={SECRET} ",
        f'{{"result":[{{"file":"oss://b/k?{SECRET}"}}]}}',
        *(0, -1, 1.0019, 10**18, True, False, None, [], {}, [None, ""], [{"file": "a"}], {"Media": "m"}),
    ]
)
# Copies, as what is drawn is spoilt too.
ANYTHING = (ODD | VALUES).map(copy.deepcopy)


@st.composite
def spoilt_samples(draw: st.DrawFn) -> Sample:
    """Spoil a sample: something in it is changed, dropped, renamed, doubled or added."""
    sample = draw(st.sampled_from(SAMPLES))
    answer = copy.deepcopy(sample.answer)
    for way in draw(st.lists(st.sampled_from(["change", "drop", "rename", "double", "add"]), max_size=6)):
        containers = [inside for inside in containers_in(answer) if inside]
        container = draw(st.sampled_from(containers)) if containers else answer
        places = list(container) if isinstance(container, dict) else list(range(len(container)))
        if way == "add" or not places:
            put(container, draw(st.sampled_from(NAMES)), draw(ANYTHING))
            continue
        place = draw(st.sampled_from(places))
        if way == "change":
            container[place] = draw(ANYTHING)
        elif way == "double":
            put(container, draw(st.sampled_from(NAMES)), copy.deepcopy(container[place]))
        else:
            value = container.pop(place)
            if way == "rename":
                put(container, draw(st.sampled_from(NAMES)), value)
    return sample._replace(answer=answer)


def put(container: Json, name: str, value: Json) -> None:
    if isinstance(container, dict):
        container[name] = value
    else:
        container.append(value)


def containers_in(tree: Json) -> Iterator[Json]:
    if isinstance(tree, Nest):
        tree = tree.documents
    if isinstance(tree, (dict, list)):
        yield tree
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from containers_in(value)


SPOILT = spoilt_samples()


def record_of(sample: Sample) -> JobRecord | None:
    try:
        return sample.kind.normalize([sample.part()])
    except (ParseError, JobNotFoundError):
        return None


def read_spoilt(sample: Sample) -> tuple[JobRecord | None, dict[str, Tree]]:
    return record_of(sample), {"answer": sample.kind.tree(sample.part())}


# --- properties ---------------------------------------------------------------------------------


@settings(quick, max_examples=300)
@given(SPOILT)
def test_no_leaf_of_any_answer_is_lost(sample: Sample) -> None:
    record = record_of(sample)

    for container, place in leaf_places(sample.answer) if record else ():
        kept, container[place] = container[place], "changed"
        assert record_of(sample) != record, place
        container[place] = kept


def leaf_places(answer: Json) -> Iterator[tuple[Json, Any]]:
    """Give where leaves stand, but for those that are ignored by name."""
    pending: list[Json] = [answer]
    while pending:
        container = pending.pop()
        for place, value in list(container.items() if isinstance(container, dict) else enumerate(container)):
            if isinstance(container, dict) and is_ignored(answer, container, place):
                continue
            inside = value.documents if isinstance(value, Nest) else value
            if isinstance(inside, (dict, list)):
                pending.append(inside)
            else:
                yield container, place


def is_ignored(answer: Json, container: dict[str, Json], name: str) -> bool:
    """Tell what the record leaves out on purpose."""
    if name == "RequestId":
        return container is answer
    if name == "Biz":
        return container is answer.get("Output")
    if name == "Message":
        return str(container.get("Code")).casefold() == "success"
    return name in ("Time", "Input") and container.keys() >= {"Channel", "MOS"}


@quick
@given(SPOILT)
def test_what_is_unmapped_stands_in_the_answer_exactly_once(sample: Sample) -> None:
    record, trees = read_spoilt(sample)

    listed = record.unmapped if record else ()
    assert len({item.source for item in listed}) == len(listed)
    for item in listed:
        found = resolve(trees, item.source)
        assert isinstance(found, (str, bool, type(None)))
        assert item.value == without_queries(found if isinstance(found, str) else json.dumps(found))


@quick
@given(SPOILT)
def test_nothing_is_invented(sample: Sample) -> None:
    """Whatever an output or a measure says, it says of what stands at its source."""
    record, trees = read_spoilt(sample)

    for output in record.outputs if record else ():
        told = said_of(output, trees)
        texts = (output.uri, output.url, output.media_id, output.title, *(s.text for s in output.scores))
        assert {text for text in texts if text is not None} <= {without_queries(t) for t in told}
        assert {output.start_ms, output.end_ms} <= {None}.union(*map(positions, told))
        assert any(v is not None for v in (*texts, output.start_ms, output.end_ms))
    for measure in record.measures if record else ():
        found = resolve(trees, measure.source)
        assert isinstance(found, str)
        assert measure.text == without_queries(found)


def said_of(output: Output, trees: dict[str, Tree]) -> set[str]:
    """List the texts that an output may have been made from; a file may be told of in three lists."""
    found = resolve(trees, output.source)
    if isinstance(found, dict):
        return {value for value in found.values() if isinstance(value, str)}
    told: list[Tree] = [found]
    listed = re.fullmatch(r"answer:/Output(?:Files|Urls|MediaIds)/[0-9]+", output.source)
    for lists in ("Files", "Urls", "MediaIds") if listed else ():
        with contextlib.suppress(ParseError):  # another list may be shorter
            told.append(resolve(trees, re.sub("(?<=/Output)[A-Za-z]+", lists, output.source)))
    return {text.strip() for text in told if isinstance(text, str)}


def positions(text: str) -> set[int | None]:
    """Read a text as milliseconds and as seconds."""
    if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?", text, re.ASCII):
        return set()
    return {int(Fraction(text)), int(Fraction(text) * 1000)}


@quick
@given(st.sampled_from(SAMPLES), st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_no_byte(sample: Sample, random: random.Random) -> None:
    other = sample._replace(answer=shuffled(sample.answer, random))

    assert bytes_of(sample) == bytes_of(other)


def bytes_of(sample: Sample) -> bytes:
    return canonical_bytes(sample.kind.normalize([sample.part()]))


def shuffled(tree: Json, random: random.Random) -> Json:
    if isinstance(tree, Nest):
        return Nest([shuffled(document, random) for document in tree.documents])
    if isinstance(tree, list):
        return [shuffled(item, random) for item in tree]
    if not isinstance(tree, dict):
        return tree
    return {name: shuffled(tree[name], random) for name in random.sample(list(tree), len(tree))}


@quick
@given(st.sampled_from([sample for sample in SAMPLES if sample.has_xml]), st.data())
def test_json_and_xml_of_one_answer_give_the_same_bytes(sample: Sample, data: st.DataObject) -> None:
    sample = sample._replace(answer=copy.deepcopy(sample.answer))
    places = list(leaf_places(sample.answer))
    for container, place in data.draw(st.lists(st.sampled_from(places), max_size=4)):
        container[place] = data.draw(XML_TEXT)

    records = [outcome(sample.kind, write(closed(sample.answer))) for write in (as_json, as_xml)]

    assert records[0] == records[1]


XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r"),
    max_size=6,
)


def outcome(kind: Kind, part: Part) -> bytes | type[Exception]:
    try:
        return canonical_bytes(kind.normalize([part]))
    except (ParseError, JobNotFoundError) as error:
        return type(error)


@quick
@given(SPOILT)
def test_an_answer_is_readable_when_it_names_a_job_and_its_status(sample: Sample) -> None:
    record = record_of(sample)

    names = ("JobId", "State" if sample.kind is MTS else "Status")
    answer = closed(sample.answer)
    says = [type(answer.get(name)) in (str, int, float) and answer[name] != "" for name in names]
    assert (record is not None) == all(says)


@quick
@given(
    st.sampled_from([MTS, ICE]),
    st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(["json", "xml"]),
)
def test_what_is_no_answer_is_unreadable_and_nothing_else(kind: Kind, body: bytes, form: Any) -> None:
    assert outcome(kind, Part("answer", form, body)) is ParseError


@quick
@given(SPOILT)
def test_what_was_made_is_what_the_schema_reads_from_its_bytes(sample: Sample) -> None:
    record = record_of(sample)

    if record is not None:
        stored = canonical_bytes(record)
        read = JobRecord.model_validate_json(stored, strict=True)
        assert read == record
        assert canonical_bytes(read) == stored


@quick
@given(SPOILT)
def test_no_query_of_a_url_reaches_a_value_of_the_record(sample: Sample) -> None:
    record = record_of(sample)

    stored = canonical_bytes(record).decode() if record else ""
    # A key of the answer is part of an address, which must lead back to it.
    values = re.sub(r'"source":"(?:[^"\\]|\\.)*"', "", stored)
    assert SECRET not in values
