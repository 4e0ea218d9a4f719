"""The local Tablestore before its judges: three clients of the vendor, with the signatures that each knows.

All of them do the same, and must see the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.judges import node_with, python_of, report_of
from tests.localcloud.tablestore.worlds import new_service, serving

LOST = [403, "OTSConditionCheckFail"]
REFUSED = [403, "OTSAuthFailed"]
SEEN = {
    "tables": {
        "names": ["judged", "judged_by_rank"],
        "key": [["name", "STRING"], ["number", "INTEGER"], ["raw", "BINARY"]],
        "indexes": [["judged_by_rank", ["rank", "name", "number", "raw"], ["grade"]]],
        "again": [409, "OTSObjectAlreadyExist"],
        "unknown": [404, "OTSObjectNotExist"],
    },
    "update of nothing": LOST,
    "insert": None,
    "second insert": LOST,
    "row": {"blob": "0001", "empty": "", "flag": True, "grade": "good", "rank": 5, "share": 0.25},
    "missing does not pass": LOST,
    "updated": {"blob": "0001", "grade": "good", "rank": 9, "share": 0.5},
    "batch": [True, True, True, True, LOST[1], [400, "OTSParameterInvalid"]],
    "nothing there": None,
    "batch get": [{"rank": 2}, None],
    "forward": [[0, 1], 2],
    "backward": [[3, 2, 1], 0],
    "filtered": [[2, 3], None],
    "by index": [[0, 1, 2, 3, -7], None],
    "undeletable": [400, "OTSParameterInvalid"],
    "later index": 1,
    "dropped index": [404, "OTSObjectNotExist"],
    "temporary key": {"rank": 1},
    "wrong secret": REFUSED,
    "unknown key": REFUSED,
    "without token": REFUSED,
    "wrong instance": REFUSED,
    "afterwards": [],
}


def tablestore_6() -> list[str]:
    return [sys.executable, "-m", "tests.localcloud.tablestore.judge_tablestore"]


def tablestore_5() -> list[str]:
    return [python_of("vendor-stores"), "-m", "tests.localcloud.tablestore.judge_tablestore"]


def tablestore_js() -> list[str]:
    return [node_with("tablestore"), "tests/node/judge_tablestore.js"]


@pytest.mark.parametrize(
    ("judge", "schemes", "seen"),
    [
        (tablestore_6, ["v2", "v4"], SEEN),
        # Its `CreateIndex` cannot ask for the rows that are there.
        (tablestore_5, ["v2"], {**SEEN, "later index": 0}),
        (tablestore_js, ["v2"], SEEN),
    ],
    ids=["Python 6", "Python 5", "Node.js"],
)
def test_every_client_sees_what_tablestore_would_show(
    judge: Callable[[], list[str]], schemes: list[str], seen: dict[str, Any]
) -> None:
    with serving(new_service()) as server:
        report = report_of([*judge(), server.endpoint, *schemes])

    assert report == dict.fromkeys(schemes, seen)
