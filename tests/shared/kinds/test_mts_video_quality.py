"""Asking for a quality job, finding its file, and what is no answer about one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.documents.pointers import resolve
from shared.errors import ParseError, SettingError
from shared.kinds.kind import JobQuery, ResultFile
from shared.kinds.mts_video_quality import KIND
from shared.vendor import ApiRequest, Part

TOLD = "oss://bucket.oss-cn-shanghai.aliyuncs.com"


def answer(status: str = "Success", **job: Any) -> Part:
    body = {"Job": {"JobId": "0c8f", "Status": status, **job}, "Code": "Success"}
    return Part("answer", "json", json.dumps(body).encode())


def file(body: str) -> Part:
    return Part("output", "txt", body.encode())


def border(name: str, time: str) -> str:
    return json.dumps({"Border": [{name: time}]})


def test_a_query_names_the_job_and_the_account() -> None:
    query = JobQuery("7c2abbb270474c98823dac56cc067008", region="cn-shanghai", user_id="1253406881704637")

    assert KIND.request(query) == ApiRequest(
        "mts",
        "2014-06-18",
        "QueryVideoQualityJob",
        {"JobId": "7c2abbb270474c98823dac56cc067008", "UserId": "1253406881704637"},
        "cn-shanghai",
    )


@pytest.mark.parametrize("user_id", [None, ""])
def test_without_an_account_the_setting_is_asked_for(user_id: str | None) -> None:
    with pytest.raises(SettingError, match="LEDGER_USER_ID"):
        KIND.request(JobQuery("0c8f", user_id=user_id))


@pytest.mark.parametrize(
    ("output", "told", "uri"),
    [
        ("blockness.txt", None, None),
        ("ai/vqs/002.txt", f"{TOLD}/ai/vqs/002.txt", f"{TOLD}/ai/vqs/002.txt"),
        ("002.txt", f"{TOLD}/ai/vqs/002.txt", f"{TOLD}/ai/vqs/002.txt"),
        (f"{TOLD}/002.txt", f"{TOLD}/002.txt", f"{TOLD}/002.txt"),
        ("002.txt", f"{TOLD}/ai/vqs/", f"{TOLD}/ai/vqs/002.txt"),
        ("ai/vqs/002.txt", f"{TOLD}/ai/vqs/", f"{TOLD}/ai/vqs/002.txt"),
        ("002.txt", f"{TOLD}/", f"{TOLD}/002.txt"),
        ("002.txt", TOLD, f"{TOLD}/002.txt"),
        ("002.txt", f"{TOLD}/ai/1002.txt", f"{TOLD}/002.txt"),
        ("002.txt", "ai/vqs/", None),
        ("oss://elsewhere/002.txt", f"{TOLD}/002.txt", None),
    ],
)
def test_the_file_is_where_the_job_was_told_to_write(output: str, told: str | None, uri: str | None) -> None:
    """Quirk 15: the answer names a key or a name, without its bucket."""
    files = KIND.files([answer(Output=output)], JobQuery("0c8f", output=told))

    assert files == (ResultFile("output", "txt", uri),)


@pytest.mark.parametrize(
    "part",
    [
        answer("Fail", Output="002.txt"),
        answer("Processing", Output="002.txt"),
        answer("Success"),
        answer("Success", Output=""),
        answer("Success", Output=["002.txt"]),
    ],
)
def test_only_a_success_that_names_a_file_has_one(part: Part) -> None:
    assert KIND.files([part], JobQuery("0c8f", output=f"{TOLD}/")) == ()


@pytest.mark.parametrize(
    ("time", "start_ms"),
    [
        ("00:00:00", 0),
        ("00:00:10.0", 10_000),
        ("00:00:00.5", 500),
        ("00:00:00.05", 50),
        ("00:00:00.233", 233),
        ("01:02:03.004", 3_723_004),
        ("00:00:00.5000", None),
        ("00:60:00", None),
        ("00:00:05 ", None),
        ("\uff100:00:05", None),
        ("5520", None),
    ],
)
def test_a_fraction_of_a_second_counts_by_its_place(time: str, start_ms: int | None) -> None:
    """Quirks 5 and 6."""
    found = KIND.normalize([answer(VideoQualityResults=border("TimeStamp", time))]).findings

    assert [finding.start_ms for finding in found] == [start_ms]


@pytest.mark.parametrize(
    ("time", "start_ms"),
    [
        ('"5520"', 5520),
        ("1000.0", 1000),
        ("2000.999", 2000),
        ("1.234E7", 12_340_000),
        ('"00:00:05.5"', 5500),
        ("-1", None),
        ("1e18", None),
        ("0e999999999", None),
        ("true", None),
    ],
)
def test_the_file_counts_in_milliseconds(time: str, start_ms: int | None) -> None:
    """Quirks 3 and 4."""
    document = f'{{"border": [{{"id": 1, "timestamp": {time}}}]}}'

    found = KIND.normalize([answer(), file(document)]).findings

    assert [finding.start_ms for finding in found] == [start_ms]


def test_a_result_that_only_the_summary_gives_is_the_label_of_both() -> None:
    summary = '{"Brightness": [{"TimeStamp": "00:00:01", "Result": "white"}]}'
    document = '{"brightness": [{"score": 4.5, "timestamp": "1000"}]}'

    found = KIND.normalize([answer(VideoQualityResults=summary), file(document)]).findings

    assert [(finding.label, len(finding.other_sources)) for finding in found] == [("white", 1)]


def test_a_summary_that_is_no_string_is_read_all_the_same() -> None:
    summary = json.loads(border("TimeStamp", "00:00:01"))

    found = KIND.normalize([answer(VideoQualityResults=summary)]).findings

    assert [finding.source for finding in found] == ["answer:/Job/VideoQualityResults/Border/0"]


def test_two_spellings_of_one_check_are_read_in_the_same_order_whatever_the_order_of_keys() -> None:
    entry = [{"TimeStamp": "00:00:01"}]
    orders = [{"Noise": entry, "noise": entry}, {"noise": entry, "Noise": entry}]

    records = [KIND.normalize([answer(VideoQualityResults=json.dumps(order))]) for order in orders]

    assert records[0] == records[1]
    assert [finding.source.rpartition("#")[2] for finding in records[0].findings] == ["/Noise/0", "/noise/0"]


@pytest.mark.parametrize(
    ("value", "left"), [("[]", []), ('""', []), ("null", []), ("false", ["false"]), ("{}", []), ("0", ["0"])]
)
def test_only_what_says_nothing_is_taken_for_no_rectangle(value: str, left: list[str]) -> None:
    document = f'{{"border": [{{"id": 1, "border": {value}}}]}}'

    record = KIND.normalize([answer(), file(document)])

    assert [item.value for item in record.unmapped] == left
    assert [(finding.frame, finding.regions) for finding in record.findings] == [(1, ())]


def test_entries_without_a_time_are_never_taken_for_the_same() -> None:
    summary = border("TimeStamp", "soon")

    found = KIND.normalize([answer(VideoQualityResults=summary), file('{"border": [{"id": 7}]}')]).findings

    assert [(finding.source, finding.frame) for finding in found] == [
        ("answer:/Job/VideoQualityResults#/Border/0", None),
        ("output:/0/border/0", 7),
    ]


def test_the_order_of_the_parts_does_not_matter() -> None:
    parts = [answer(VideoQualityResults=border("TimeStamp", "00:00:01")), file('{"noise": [{"id": 1}]}')]

    assert KIND.normalize(parts) == KIND.normalize(parts[::-1])


def test_full_width_punctuation_in_the_summary_is_told() -> None:
    summary = border("TimeStamp", "00:00:01").replace("}]", "}\uff0c{}]")

    repaired = KIND.normalize([answer(VideoQualityResults=summary)]).repaired

    assert [(item.source, item.what) for item in repaired] == [
        ("answer:/Job/VideoQualityResults#", "full-width comma")
    ]


def test_the_file_is_the_list_of_its_documents_even_if_it_has_one() -> None:
    tree = KIND.tree(file('{"border": [{"id": 25}]}'))

    assert resolve({"output": tree}, "output:/0/border/0/id") == "25"


@pytest.mark.parametrize(
    "body", ["", " \n", '{"freeze": [', '{"freeze": 1, "freeze": 2}', "{} NaN", "[" * 99]
)
def test_a_file_that_cannot_be_read_is_an_error_only_without_a_summary(body: str) -> None:
    with pytest.raises(ParseError, match="part=output"):
        KIND.normalize([answer(VideoQualityResults=""), file(body)])

    record = KIND.normalize([answer(VideoQualityResults="{}"), file(body)])
    assert [item.what.partition(":")[0] for item in record.repaired] == ["unreadable"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        "<Job>",
        "no xml at all",
        "text<Job><JobId>1</JobId><Status>Success</Status></Job>",
        "<Code>Success</Code></Response><Response><Job/>",
        "<Code>Success</Code><Job><JobId>1</JobId>",
        '<Code>1</Code><!DOCTYPE x [<!ENTITY e "e">]><Job><JobId>&e;</JobId><Status>Success</Status></Job>',
        '<Code>1</Code><?xml version="1.0"?><Job><JobId>1</JobId><Status>Success</Status></Job>',
    ],
)
def test_only_a_missing_root_is_forgiven_in_xml(body: str) -> None:
    with pytest.raises(ParseError):
        KIND.tree(Part("answer", "xml", body.encode()))


@pytest.mark.parametrize("prefix", ["", "\ufeff", '<?xml version="1.0" encoding="UTF-8"?>\n'])
def test_xml_without_a_root_may_have_a_declaration_or_a_mark(prefix: str) -> None:
    body = f"{prefix}<Code>Success</Code>\n<Job><JobId>雪</JobId><Status>Submitted</Status></Job>"

    record = KIND.normalize([Part("answer", "xml", body.encode())])

    assert (record.job.job_id, record.vendor_status) == ("雪", "Submitted")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Code": "Success"},
        {"Job": None},
        {"Job": "0c8f"},
        {"Job": {"JobId": "0c8f"}},
        {"Job": {"Status": "Success"}},
        {"Job": {"JobId": "", "Status": "Success"}},
        {"Job": {"JobId": ["0c8f"], "Status": "Success"}},
    ],
)
def test_an_answer_that_names_no_job_or_no_status_is_unreadable(body: Any) -> None:
    with pytest.raises(ParseError):
        KIND.normalize([Part("answer", "json", json.dumps(body).encode())])
