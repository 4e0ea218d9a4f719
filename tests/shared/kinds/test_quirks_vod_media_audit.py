"""Quirks of `GetAIMediaAuditJob`, by their number in `docs/quirks.md`, that no other test shows."""

from __future__ import annotations

import json

import pytest

from shared.record import Finding, JobRecord, Measure
from tests.shared.kinds.answers import Json, as_json, as_xml
from tests.shared.kinds.test_vod_media_audit_cases import CASES, KIND, case


def read(**data: Json) -> JobRecord:
    job = {"JobId": "bdbc", "Status": "success", "Code": "0", "Message": "OK", "Data": data}
    return KIND.normalize([as_json({"MediaAuditJob": job})])


def at(record: JobRecord, place: str) -> list[Finding]:
    return [f for f in record.findings if f.source.startswith(f"answer:/MediaAuditJob/Data/{place}")]


def everything_told(record: JobRecord) -> list[Finding | Measure]:
    return [*record.findings, *record.measures]


def test_several_labels_in_one_text_are_several_findings() -> None:
    """Quirk 48: at the top, of a module, and of a block."""
    block = {"Label": "pornographic_a_tii,political_b_tii", "Suggestion": "review"}
    video = {"Label": "porn,ad", "Suggestion": "review", "GreenEnhancedResult": block}

    record = read(Label="porn,ad", AbnormalModules="video,image-cover", VideoResult=video)

    assert record.verdict.labels == record.verdict.modules[0].labels == ("porn", "ad")
    assert record.verdict.abnormal_modules == ("video", "image-cover")
    assert [finding.label for finding in record.findings] == ["pornographic_a_tii", "political_b_tii"]


def test_a_label_alone_is_no_verdict() -> None:
    """Quirk 50: `ad` and `porn`, both passed, one of them with a score of 0."""
    said = [
        (finding.label, finding.suggestion, finding.scores[0].text)
        for place in ("TextResult", "ImageResult")
        for finding in at(case("new-page"), place)
    ]

    assert said == [("ad", "pass", "100"), ("porn", "pass", "0")]


def test_the_scene_of_one_level_is_the_check_of_the_next() -> None:
    """Quirk 51."""
    record = case("old-page")

    blocks = [finding for finding in at(record, "VideoResult/PornResult") if finding.start_ms is None]
    assert [module.labels for module in record.verdict.modules if module.name == "video"] == [("porn",)]
    assert [(f.check, f.label, f.canonical_label) for f in blocks] == [("porn", "sexy", "sexual.suggestive")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("65.25", 65.25),
        ("100.0", 100.0),
        ("92.4800000000", 92.48),
        ("81.7066666667", 81.7066666667),
        ("0", 0.0),
    ],
)
def test_a_score_keeps_its_digits_and_lies_between_0_and_100(text: str, value: float) -> None:
    """Quirk 53."""
    record = read(VideoResult={"PornResult": {"Label": "sexy", "MaxScore": text, "AverageScore": text}})

    (score,) = record.findings[0].scores
    (average,) = record.measures
    assert (score.text, score.value, score.scale) == (text, value, "0-100")
    assert (average.text, average.value, average.unit) == (text, value, "0-100")


@pytest.mark.parametrize(
    ("block", "label", "canonical"),
    [
        ("LiveResult", "pip", "quality.picture_in_picture"),
        ("LiveResult", "PIP", "quality.picture_in_picture"),
        ("LiveResult", "smoking", "behaviour.smoking"),
        ("LogoResult", "logo", "logo"),
        ("LogoResult", "TV", "logo.regulated"),
        ("TerrorismResult", "terrorism", "violence.terrorism"),
        ("TerrorismResult", "BrandNew", None),
    ],
)
def test_a_label_of_any_page_is_kept_as_it_is_written(block: str, label: str, canonical: str | None) -> None:
    """Quirks 54, 55 and 56."""
    (finding,) = read(VideoResult={block: {"Label": label}}).findings

    assert (finding.label, finding.canonical_label) == (label, canonical)


def test_sound_that_nobody_reviewed_is_not_called_harmless() -> None:
    """Quirk 57: an absent result and an empty one say the same, nothing."""
    absent = json.loads((CASES / "old-page" / "answer.json").read_bytes())
    empty = json.loads(json.dumps(absent))
    empty["MediaAuditJob"]["Data"]["AudioResult"] = []

    records = [KIND.normalize([as_json(answer)]) for answer in (absent, empty)]

    assert records[0] == records[1]
    assert "audio" not in {module.name for module in records[0].verdict.modules}
    assert "audio" in {module.name for module in case("new-page").verdict.modules}


def test_one_element_of_a_list_is_a_list_in_xml_too() -> None:
    """Quirk 58."""
    frame = {"Label": "sexy", "Score": "92.48", "Timestamp": "5"}
    picture = {"Type": "cover", "Label": "porn", "Result": [{"Scene": "porn", "Label": "sexy"}]}
    data = {"VideoResult": {"PornResult": {"TopList": [frame]}}, "ImageResult": [picture]}
    answer = {"MediaAuditJob": {"JobId": "bdbc", "Status": "success", "Data": data}}

    record = KIND.normalize([as_xml(answer)])

    assert record == KIND.normalize([as_json(answer)])
    assert [finding.source.removeprefix("answer:/MediaAuditJob/Data/") for finding in record.findings] == [
        *("VideoResult/PornResult/TopList/0", "ImageResult/0/Result/0")
    ]


@pytest.mark.parametrize("code", ["0", 0])
def test_a_code_of_zero_is_no_error(code: Json) -> None:
    """Quirk 59."""
    answer = {"MediaAuditJob": {"JobId": "bdbc", "Status": "success", "Code": code, "Message": "OK"}}

    assert KIND.normalize([as_json(answer)]).error is None
    assert case("failed").error is not None


def test_a_timestamp_counts_milliseconds() -> None:
    """Quirk 60: `5` is 5 ms, not 5 s."""
    record = case("new-page")

    positions = {told.start_ms for told in everything_told(record)} - {None}
    assert positions == {5, 500, 3005, 5000}


def test_what_the_vendor_will_delete_is_listed_as_evidence() -> None:
    """Quirk 61: every picture's URL, once, pointed at by what it shows."""
    answer = (CASES / "old-page" / "answer.json").read_text(encoding="utf-8")
    record = case("old-page")

    shown = {name for told in everything_told(record) for name in told.evidence}
    assert [picture.url for picture in record.evidence if picture.url not in answer] == []
    assert len(record.evidence) == 2
    assert shown == {picture.id for picture in record.evidence}
