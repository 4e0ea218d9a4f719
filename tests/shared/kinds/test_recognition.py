"""Which kind an answer is of, told by the answer alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.errors import ParseError
from shared.kinds import KINDS
from shared.kinds.recognition import kind_of
from shared.vendor import Format, Part
from tests.scripted_vendor import callback

ANSWERS = Path(__file__).parents[2] / "data" / "answers"
CASES = sorted(path for path in ANSWERS.glob("*/*/answer.*"))
# Its page prints XML without a root: the query says what it is, nothing in it does (quirk 9).
ROOTLESS = ANSWERS / "mts.video_quality" / "page-example" / "answer.xml"


def part(path: Path) -> Part:
    form: Format = "xml" if path.suffix == ".xml" else "json"
    return Part("answer", form, path.read_bytes())


@pytest.mark.parametrize(
    "path", [path for path in CASES if path != ROOTLESS], ids=lambda path: str(path.relative_to(ANSWERS))
)
def test_every_recorded_answer_is_of_its_kind(path: Path) -> None:
    assert kind_of(part(path)) == path.parts[-3]


def test_there_are_answers_of_every_kind() -> None:
    assert {path.parts[-3] for path in CASES} == set(KINDS)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (callback("job-1", suggestion="pass").body, "a notification"),
        (b'{"JobId": "j", "RequestId": "r"}', "not an answer of a known kind"),
        (b'{"JobId": "j", "State": "Success"}', "not an answer of a known kind"),
        (b'{"JobId": "j", "State": "s", "Status": "s", "FunctionName": "Cover"}', "it may be one of"),
        (b'{"statusCode": 200, "body": {"MediaAuditJob": {}}}', "take the answer out of its `body`"),
        (b"[]", "not an answer of a known kind"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not"),
    ],
)
def test_what_is_not_surely_of_one_kind_is_of_none(document: bytes, why: str) -> None:
    with pytest.raises(ParseError, match=why):
        kind_of(Part("answer", "json", document))


@pytest.mark.parametrize("path", sorted(ANSWERS.glob("*/*/record.json"))[:4], ids=str)
def test_a_record_is_no_answer(path: Path) -> None:
    assert "schema_version" in json.loads(path.read_bytes())
    with pytest.raises(ParseError):
        kind_of(part(path))
