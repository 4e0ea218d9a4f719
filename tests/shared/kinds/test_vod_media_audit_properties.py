"""What holds for every answer of the vendor, whatever is in it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.documents.pointers import resolve
from shared.errors import ParseError
from shared.kinds import KINDS
from shared.record import Finding, JobRecord, Measure, canonical_bytes
from shared.vendor import Part
from tests.shared.kinds.accounting import Accounts, read, without_queries
from tests.shared.kinds.answers import (
    ANSWERS,
    SECRET,
    VALUES,
    Json,
    answers_for_both_formats,
    as_json,
    as_xml,
    spoilt_answers,
)

KIND = KINDS["vod.media_audit"]
SPOILT = spoilt_answers()
quick = settings(max_examples=150, deadline=None)


def bytes_of(part: Part) -> bytes:
    return canonical_bytes(KIND.normalize([part]))


def record_of(part: Part) -> JobRecord | None:
    try:
        return KIND.normalize([part])
    except ParseError:
        return None


def names_a_job(answer: Json) -> bool:
    """Tell whether an answer says which job it is about and how that stands."""
    job = answer.get("MediaAuditJob")
    return isinstance(job, dict) and all(
        type(job.get(name)) in (str, int, float) and job[name] != "" for name in ("JobId", "Status")
    )


@quick
@given(ANSWERS)
def test_a_documented_answer_is_mapped_to_the_last_leaf(answer: Json) -> None:
    part = as_json(answer)

    record = KIND.normalize([part])

    assert record.unmapped == ()
    assert Accounts(record).lost(read(part.body)) == []


@settings(quick, max_examples=300)
@given(SPOILT)
def test_no_leaf_of_any_answer_is_lost(answer: Json) -> None:
    part = as_json(answer)

    record = record_of(part)

    assert record is None or Accounts(record).lost(read(part.body)) == []


@quick
@given(SPOILT)
def test_what_is_unmapped_stands_in_the_answer_exactly_once(answer: Json) -> None:
    part = as_json(answer)
    tree = KIND.tree(part)

    record = record_of(part)

    listed = record.unmapped if record else ()
    assert len({item.source for item in listed}) == len(listed)
    for item in listed:
        found = resolve({"answer": tree}, item.source)
        assert isinstance(found, (str, bool, type(None)))
        assert item.value == without_queries(found if isinstance(found, str) else json.dumps(found))


@quick
@given(SPOILT)
def test_every_source_leads_to_what_it_stands_for(answer: Json) -> None:
    part = as_json(answer)
    trees = {"answer": KIND.tree(part)}

    record = record_of(part)

    for source, value in single_values(record) if record else ():
        found = resolve(trees, source)
        assert isinstance(found, str)
        assert without_queries(found) == value
    for source in sources_of_objects(record) if record else ():
        assert isinstance(resolve(trees, source), dict)


def single_values(record: JobRecord) -> Iterator[tuple[str, str | None]]:
    """Give the sources that address one value, not an object, with the value that the record holds."""
    for picture in record.evidence:
        yield picture.source, picture.url
    for measure in record.measures:
        if measure.name.endswith(".average_score"):
            yield measure.source, measure.text


def sources_of_objects(record: JobRecord) -> Iterator[str]:
    """Give the sources of what was made from several members of an object."""
    yield from (finding.source for finding in record.findings)
    yield from (module.source for module in record.verdict.modules)
    yield from (measure.source for measure in record.measures if not measure.name.endswith(".average_score"))


@quick
@given(SPOILT, st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_no_byte(answer: Json, random: random.Random) -> None:
    record, other = record_of(as_json(answer)), record_of(as_json(shuffled(answer, random)))

    assert (record and canonical_bytes(record)) == (other and canonical_bytes(other))


def shuffled(tree: Json, random: random.Random) -> Json:
    if isinstance(tree, list):
        return [shuffled(item, random) for item in tree]
    if not isinstance(tree, dict):
        return tree
    names = random.sample(list(tree), len(tree))
    return {name: shuffled(tree[name], random) for name in names}


@quick
@given(answers_for_both_formats())
def test_json_and_xml_of_one_answer_give_the_same_bytes(answer: Json) -> None:
    assert bytes_of(as_json(answer)) == bytes_of(as_xml(answer))


@quick
@given(SPOILT)
def test_an_answer_is_readable_when_it_names_a_job_and_its_status(answer: Json) -> None:
    record = record_of(as_json(answer))

    assert (record is not None) == names_a_job(answer)


@quick
@given(
    st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(["json", "xml"]),
)
def test_what_is_no_answer_is_unreadable_and_nothing_else(body: bytes, form: Any) -> None:
    assert record_of(Part("answer", form, body)) is None


@quick
@given(SPOILT)
def test_no_finding_is_invented(answer: Json) -> None:
    part = as_json(answer)
    trees = {"answer": KIND.tree(part)}

    record = record_of(part)

    for finding in record.findings if record else ():
        said: Any = resolve(trees, finding.source)
        assert is_said(finding, said)
        assert not (is_normal(finding.label) and is_pass(finding.suggestion))


def is_said(finding: Finding, said: dict[str, str]) -> bool:
    """Tell whether the object that a finding was made from has its label, suggestion and scores."""
    labels = [entry.strip() for entry in without_queries(str(said.get("Label"))).split(",")]
    scores = [said.get("Score"), said.get("MaxScore")]
    return (
        (finding.label is not None or finding.suggestion is not None)
        and finding.label in (None, *labels)
        and finding.suggestion in (None, without_queries(str(said.get("Suggestion"))))
        and all(score.text in map(without_queries, map(str, scores)) for score in finding.scores)
    )


def is_normal(label: str | None) -> bool:
    return label is None or label.casefold() == "normal"


def is_pass(suggestion: str | None) -> bool:
    return suggestion is None or suggestion.casefold() == "pass"


@quick
@given(SPOILT)
def test_what_was_made_is_what_the_schema_reads_from_its_bytes(answer: Json) -> None:
    record = record_of(as_json(answer))

    if record is not None:
        stored = canonical_bytes(record)
        read = JobRecord.model_validate_json(stored, strict=True)
        assert read == record
        assert canonical_bytes(read) == stored


@quick
@given(SPOILT)
def test_ids_are_unique_and_evidence_that_is_pointed_at_exists(answer: Json) -> None:
    record = record_of(as_json(answer))

    if record is not None:
        findings = [finding.id for finding in record.findings]
        pictures = [picture.id for picture in record.evidence]
        said: list[Finding | Measure] = [*record.findings, *record.measures]
        shown = [key for item in said for key in item.evidence]
        assert len(set(findings)) == len(findings)
        assert len(set(pictures)) == len(pictures)
        assert set(shown) <= set(pictures)


@quick
@given(SPOILT)
def test_no_query_of_a_url_reaches_a_value_of_the_record(answer: Json) -> None:
    record = record_of(as_json(answer))

    stored = canonical_bytes(record).decode() if record else ""
    # A key of the answer is part of an address, which must lead back to it.
    values = re.sub(r'"source":"(?:[^"\\]|\\.)*"', "", stored)
    assert SECRET not in values
