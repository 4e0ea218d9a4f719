"""Quirks of `QueryVideoQualityJob`, by their number in `docs/quirks.md`, that no other test shows."""

from __future__ import annotations

import json

import pytest

from shared import settlement
from shared.jobs import JobRef, State
from shared.kinds.mts_quality_checks import CHECKS
from shared.kinds.mts_video_quality import KIND
from shared.marks import Mark, mark
from shared.policy import Policy
from shared.record import JobRecord
from shared.vendor import Part
from tests.shared.kinds.answers import Json, as_json
from tests.shared.kinds.test_mts_video_quality_cases import CASES, case
from tests.world import World

SPELLINGS = {check: "".join(word.title() for word in check.split("_")) for check in CHECKS}


def read(summary: str | None = None, documents: str | None = None) -> JobRecord:
    job: Json = {"JobId": "0c8f", "Status": "Success", "VideoQualityResults": summary}
    parts = [as_json({"Job": job})]
    if documents is not None:
        parts.append(Part("output", "txt", documents.encode()))
    return KIND.normalize(parts)


@pytest.mark.parametrize("between", ["", " ", "\n", "\r\n\t"])
def test_documents_of_the_file_stand_in_a_row_with_anything_blank_between(between: str) -> None:
    """Quirk 1: neither a list, nor a line for each."""
    documents = ['{"freeze": [\n{"timestamp": "1"}]}', '{"border": [{"timestamp": 2.0}]}']

    found = read("{}", between.join(documents)).findings

    assert [(finding.source, finding.start_ms) for finding in found] == [
        ("output:/0/freeze/0", 1),
        ("output:/1/border/0", 2),
    ]


def test_a_comma_too_many_is_not_forgiven() -> None:
    """Quirk 10: only the page's template has it; as an answer, it is kept whole and waited for."""
    template = '{"ImageDefinition": [{"TimeStamp": "00:00:01",}]}'

    record = read(template)

    assert (record.findings, record.repaired, record.incomplete) == ((), (), True)
    assert [item.value for item in record.unmapped] == [template]


def test_an_answer_that_names_another_job_settles_nobody() -> None:
    """Quirk 12: the page asks for one job and prints another's answer."""
    asked = JobRef(KIND.name, "7c2abbb270474c98823dac56cc067008")
    world = World(None, policy=Policy(jitter=0.0, user_id="1253406881704637"))
    body = (CASES / "page-example" / "answer.json").read_bytes()
    world.vendor.know(asked.job_id, body)
    lease = mark(world.services, Mark(asked, "test", is_notification=False))
    assert lease is not None

    outcome = settlement.settle_claimed(world.services, lease, by="person")

    assert outcome.state is State.QUARANTINED
    assert f"asked={asked.job_id}, answered=0c8f04aa60bd4377a906bd6c91ec****" in str(outcome.error)
    assert list(world.stored("quarantine/").values()) == [body]
    world.close()


def test_scores_keep_their_digits_and_only_those_of_the_summary_have_a_scale() -> None:
    """Quirks 17 and 18: the file's scores are negative or above 1, and its ratio is a text."""
    found = {finding.source: finding.scores for finding in case("page-output-file").findings}

    (dark,), (ratio,) = found["output:/0/brightness/0"], found["output:/5/over_expose/0"]
    (freeze,) = found["answer:/Job/VideoQualityResults#/Freeze/0"]
    assert (dark.text, dark.value, dark.scale) == ("-2.5150070190429688", -2.5150070190429688, None)
    assert (ratio.text, ratio.value, ratio.scale) == ("0.97276288701703", 0.97276288701703, "ratio")
    assert (freeze.text, freeze.value, freeze.scale) == ("1", 1.0, "0-1")


@pytest.mark.parametrize(
    ("type_", "unmapped"),
    [("brightness", []), ("Brightness", []), ("night", ["output:/0/brightness/0/type"])],
)
def test_a_type_is_left_out_only_where_it_repeats_the_check(type_: str, unmapped: list[str]) -> None:
    """Quirk 19."""
    document = json.dumps({"brightness": [{"result": "dark", "type": type_}]})

    record = read("{}", document)

    assert [item.source for item in record.unmapped] == unmapped


def test_a_blurred_frame_has_no_score_in_either_form() -> None:
    """Quirk 22."""
    summary = '{"ImageDefinition": [{"TimeStamp": "00:00:05.0"}]}'
    document = '{"image_definition": [{"id": 125, "timestamp": 5000.0}]}'

    (finding,) = read(summary, document).findings

    assert (finding.scores, finding.start_ms, finding.frame) == ((), 5000, 125)
    assert finding.canonical_label is not None


@pytest.mark.parametrize(("in_file", "in_summary"), SPELLINGS.items())
def test_both_spellings_of_a_check_are_one(in_file: str, in_summary: str) -> None:
    """Quirk 23."""
    summary = json.dumps({in_summary: [{"TimeStamp": "00:00:05"}]})
    document = json.dumps({in_file: [{"timestamp": 5000.0}]})

    (finding,) = read(summary, document).findings

    assert (finding.check, finding.label) == (in_file, in_file)
    assert finding.other_sources == (f"output:/0/{in_file}/0",)


def test_a_result_that_only_the_file_gives_is_the_label_of_both() -> None:
    """Quirk 23: the summary leaves it out for blockness and freeze."""
    summary = '{"Blockness": [{"TimeStamp": "00:00:05", "Score": "0.33"}]}'
    document = '{"blockness": [{"result": "blocking", "score": 4.18, "timestamp": "5000"}]}'

    (finding,) = read(summary, document).findings

    assert (finding.label, len(finding.scores)) == ("blocking", 2)
