"""Quirks of ICE's `QueryIProductionJob`, by their number in `docs/quirks.md`, that no other test shows."""

from __future__ import annotations

import json

import pytest

from shared.adapters.signing import SIGNERS, Envelope, Scheme, canonical_query
from shared.errors import ParseError
from shared.kinds import ice_production, mts_production
from shared.kinds.ice_production import KIND
from shared.kinds.kind import JobQuery, Kind
from shared.record import canonical_bytes
from shared.toolkit.context import Credentials
from shared.vendor import Part
from tests.shared.kinds.answers import as_json
from tests.shared.kinds.test_ice_production import CASES, case


def test_a_cover_without_covers_is_a_success_all_the_same() -> None:
    """Quirk 39: the page's example of a Cover has an empty result."""
    printed = json.loads((CASES / "page" / "answer.json").read_bytes())
    without_files = {**printed, "OutputFiles": [], "OutputUrls": []}

    records = [KIND.normalize([as_json(answer)]) for answer in (printed, without_files)]

    assert {(one.job.function, one.status, one.incomplete) for one in records} == {
        ("Cover", "succeeded", False)
    }
    assert [[output.kind for output in one.outputs] for one in records] == [
        ["file", "output_url"],
        ["output_url"],
    ]


def test_neither_a_time_without_zone_nor_a_path_of_the_vendors_machine_is_in_the_record() -> None:
    """Quirk 41."""
    answer = (CASES / "audio-quality-assessment" / "answer.json").read_text(encoding="utf-8")
    record = case("audio-quality-assessment")

    stored = canonical_bytes(record).decode()

    for text in ("16:14:06", "example.wav"):
        assert text in answer
        assert text not in stored
    assert record.unmapped == ()


@pytest.mark.parametrize(
    ("kind", "other"),
    [(ice_production.KIND, mts_production.KIND), (mts_production.KIND, ice_production.KIND)],
    ids=lambda kind: kind.name,
)
def test_an_operation_of_one_name_is_told_apart_by_product_and_version(kind: Kind, other: Kind) -> None:
    """Quirk 45: `Output` is an object here and a text there; neither kind reads the other's answers."""
    asked, elsewhere = kind.request(JobQuery("20b4")), other.request(JobQuery("20b4"))
    answers = [path.read_bytes() for path in (CASES.parent / other.name).glob("*/answer.json")]

    assert asked.action == elsewhere.action
    assert (asked.product, asked.version) != (elsewhere.product, elsewhere.version)
    assert answers
    for body in answers:
        with pytest.raises(ParseError):
            kind.normalize([Part("answer", "json", body)])


@pytest.mark.parametrize("function", ["Cover", "BrandNew"])
@pytest.mark.parametrize("status", ["Queuing", "BrandNew"])
def test_words_that_no_list_names_are_kept_as_they_are(function: str, status: str) -> None:
    """Quirk 46: the page has lost its lists of values, so no list decides what is readable."""
    record = KIND.normalize([as_json({"JobId": "20b4", "FunctionName": function, "Status": status})])

    assert (record.job.function, record.vendor_status, record.status) == (function, status, "running")


@pytest.mark.parametrize("scheme", ["acs3", "rpc1"])
def test_a_masked_id_is_asked_for_as_it_stands(scheme: Scheme) -> None:
    """Quirk 63: an id is any text; the stars of the page's examples travel as `%2A`."""
    request = KIND.request(JobQuery("****20b48fb04483915d4f2cd8ac****"))

    signed = SIGNERS[scheme](request, Credentials("key", "secret"), Envelope("host", 0, "nonce"))

    wanted = "JobId=%2A%2A%2A%2A20b48fb04483915d4f2cd8ac%2A%2A%2A%2A"
    assert wanted in canonical_query(signed.query).split("&")


def test_a_text_of_nothing_in_a_list_is_no_file() -> None:
    """Quirk 44: `[""]`, and an empty text between others."""
    answer = json.loads((CASES / "queuing" / "answer.json").read_bytes())
    lists = {"OutputFiles": ["", "output/1.mp4", None], "OutputUrls": [], "OutputMediaIds": [""]}

    record = KIND.normalize([as_json({**answer, "Output": None, **lists})])

    assert [(file.uri, file.url, file.media_id) for file in record.outputs] == [("output/1.mp4", None, None)]
    assert record.unmapped == ()
