"""A report of any size: its record holds a sample, lines beside it the rest, and nothing is told twice."""

from __future__ import annotations

import hashlib
import json
import random
import tracemalloc
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from shared.documents.streamed import MAX_VALUE
from shared.errors import ParseError
from shared.finding_lines import read_findings
from shared.kinds.mts_video_quality import KIND
from shared.kinds.samples import EACH, WHOLE
from shared.record import Finding, FindingsMore, JobRecord, finding_line
from shared.vendor import Part

MANY = WHOLE + 500
Entry = dict[str, Any]


class Written:
    """Lines that were written."""

    def __init__(self) -> None:
        self.body = b""

    def write(self, lines: bytes, /) -> None:
        self.body += lines

    def clear(self) -> None:
        self.body = b""

    @property
    def findings(self) -> list[Finding]:
        return read_findings(self.body.splitlines())


def read(*documents: Mapping[str, Any] | str, summary: Any = None) -> tuple[JobRecord, Written]:
    texts = [one if isinstance(one, str) else json.dumps(one) for one in documents]
    job = {"JobId": "j", "Status": "Success", "Output": "o.txt"}
    if summary is not None:
        job["VideoQualityResults"] = json.dumps(summary)
    answer = Part("answer", "json", json.dumps({"Job": job}).encode())
    lines = Written()
    return KIND.record([answer, Part("output", "txt", " ".join(texts).encode())], lines), lines


def frames(count: int, word: str = "dark", start: int = 0) -> list[Entry]:
    return [
        {"result": word, "score": float(i % 100), "timestamp": str(i)} for i in range(start, start + count)
    ]


def measured(record: JobRecord) -> dict[str, tuple[float | None, int | None, str]]:
    return {one.name: (one.value, one.start_ms, one.source) for one in record.measures}


def test_a_record_holds_as_many_findings_as_it_has_room_for() -> None:
    record, lines = read({"brightness": frames(WHOLE)})

    assert (len(record.findings), record.findings_more, record.measures, lines.body) == (WHOLE, None, (), b"")


def test_of_more_findings_it_holds_the_first_of_each_label_and_lines_hold_the_rest() -> None:
    record, lines = read(
        {"brightness": frames(MANY)}, {"brightness": frames(3, "white")}, {"freeze": frames(2)}
    )

    kept = [(one.check, one.label, one.start_ms) for one in record.findings]
    assert kept == sorted(
        [
            *(("brightness", "dark", i) for i in range(EACH)),
            *(("brightness", "white", i) for i in range(3)),
            *(("freeze", "dark", i) for i in range(2)),
        ],
        key=lambda one: (one[0], one[2], one[1]),
    )
    assert [one.start_ms for one in lines.findings] == [*range(EACH, MANY)]
    assert record.findings_more == FindingsMore(
        count=MANY - EACH, sha256=hashlib.sha256(lines.body).hexdigest()
    )


def test_a_line_is_what_would_stand_in_the_record() -> None:
    (_, lines), (small, _) = read({"border": frames(MANY)}), read({"border": frames(WHOLE)})

    assert {finding_line(one) for one in small.findings[EACH:]} < set(lines.body.splitlines(keepends=True))


def test_counts_and_extremes_are_of_all_findings() -> None:
    entries = frames(MANY, start=5)
    random.Random(3).shuffle(entries)

    record, _ = read({"brightness": entries})

    told = measured(record)
    at = {int(entry["timestamp"]): f"output:/0/brightness/{i}" for i, entry in enumerate(entries)}
    assert told["brightness.findings"][0] == MANY
    assert told["brightness.first"] == (None, 5, at[5])
    assert told["brightness.last"] == (None, MANY + 4, at[MANY + 4])
    assert (told["brightness.score.lowest"][0], told["brightness.score.highest"][0]) == (0.0, 99.0)
    assert told["brightness.score.highest"][1:] in set(at.items())


def test_what_summary_and_file_both_saw_is_told_once_wherever_it_stands() -> None:
    times = (1, EACH - 1, EACH, MANY - 1)
    told = [{"TimeStamp": f"00:00:0{at // 1000}.{at % 1000:03}", "Score": "1"} for at in (*times, 5000)]

    record, lines = read({"freeze": frames(MANY, "freeze")}, summary={"Freeze": told})

    every = [*record.findings, *lines.findings]
    joined = {one.start_ms: one.other_sources for one in every if one.source.startswith("answer:")}
    assert joined == {**{at: (f"output:/0/freeze/{at}",) for at in times}, 5000: ()}
    assert len({one.id for one in every}) == len(every) == MANY + 1
    assert measured(record)["freeze.findings"][0] == MANY + 1


def test_normal_frames_are_a_sample_too_and_counted() -> None:
    record, lines = read({"brightness": frames(MANY, "normal")})

    kept = [one for one in record.measures if one.label == "normal" and one.name == "brightness.score"]
    assert [one.start_ms for one in kept] == [*range(EACH)]
    assert measured(record)["brightness.normal"][0] == MANY
    assert (record.findings, lines.body) == ((), b"")


def test_leaves_that_nobody_understands_are_a_sample_too_and_counted() -> None:
    entries = [{**entry, "mood": f"{i}"} for i, entry in enumerate(frames(MANY))]

    record, _ = read({"freeze": entries, "later": [{"new": 1}]})

    sources = {one.source for one in record.unmapped}
    assert sources == {*(f"output:/0/freeze/{i}/mood" for i in range(EACH)), "output:/0/later/0/new"}
    assert measured(record)["unmapped"][0] == MANY - EACH


@pytest.mark.parametrize("spoilt", ['{"freeze": [{"timestamp": "1"', '{"a": 1, "a": 2}', '{"a": NaN}'])
def test_a_file_that_breaks_off_leaves_nothing_of_it_beside_a_summary(spoilt: str) -> None:
    summary = {"Freeze": [{"TimeStamp": "00:00:01", "Score": "1"}]}

    record, lines = read({"brightness": frames(MANY)}, spoilt, summary=summary)

    assert [one.source for one in record.findings] == ["answer:/Job/VideoQualityResults#/Freeze/0"]
    assert (record.findings_more, lines.body, record.unmapped) == (None, b"", ())
    assert [one.what.partition(":")[0] for one in record.repaired] == ["unreadable"]


def test_a_file_that_breaks_off_is_unreadable_where_there_is_no_summary() -> None:
    with pytest.raises(ParseError):
        read({"brightness": frames(MANY)}, "{")


def test_an_entry_that_memory_has_no_room_for_is_listed_leaf_by_leaf() -> None:
    box = [[1, 2, 3, 4]] * (MAX_VALUE // 8)

    record, _ = read({"mosaic": [{"box": box, "id": 1, "timestamp": 5}, {"id": 2, "timestamp": 6}]})

    assert [one.frame for one in record.findings] == [2]
    assert len(record.unmapped) == EACH + 2
    assert measured(record)["unmapped"][0] == 4 * len(box) - EACH


def test_no_word_is_so_long_that_lines_and_record_grow_with_it() -> None:
    word, check = "w" * 201, "c" * 65
    entry = {"result": word, "score": word, "ratio": word, "timestamp": "1"}

    record, _ = read({"freeze": [entry], check: frames(1)})

    assert [(one.label, one.scores) for one in record.findings] == [("freeze", ())]
    assert [one.source for one in record.unmapped] == [
        *(f"output:/0/{check}/0/{name}" for name in ("result", "score", "timestamp")),
        *(f"output:/0/freeze/0/{name}" for name in ("ratio", "result", "score")),
    ]


def test_what_is_large_by_itself_stands_beside_a_large_report() -> None:
    crowded = [{"box": [[1, 2, 3, 4]] * 126, "timestamp": "5"}]

    small, _ = read({"mosaic": crowded})
    record, lines = read({"mosaic": [*crowded, *frames(WHOLE, "mosaic")]})

    assert len(small.findings[0].regions) == 126
    assert [one.regions for one in record.findings] == [()] * EACH
    assert lines.findings[0] == small.findings[0]
    assert measured(record)["mosaic.findings"][0] == WHOLE + 1


def test_of_few_but_huge_leaves_a_record_holds_no_more_than_has_room() -> None:
    leaves = [{"timestamp": f"{i}", "novel": "x" * 100_000} for i in range(100)]

    record, _ = read({"freeze": [*leaves, {"timestamp": "1", "novel": "short"}]})

    assert [one.value for one in record.unmapped] == ["short"]
    assert measured(record)["unmapped"][0] == 100


def test_entries_are_gone_once_they_are_read() -> None:
    """Of 300 entries of 100 KB."""
    entry = json.dumps({"timestamp": "1", "novel": "x" * 100_000}).encode()
    body = b'{"mosaic": [' + b",".join([entry] * 300) + b"]}"
    answer = Part("answer", "json", b'{"Job": {"JobId": "j", "Status": "Success", "Output": "o.txt"}}')

    tracemalloc.start()
    try:
        KIND.record([answer, Part("output", "txt", body)])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 15_000_000


def test_full_width_commas_are_mended_however_much_lies_between_them() -> None:
    first, second = json.dumps(frames(5_000))[1:-1], json.dumps(frames(5_000, start=5_000))[1:-1]

    record, lines = read(f'{{"brightness"\uff1a [{first}\uff0c {second}]}}')

    assert [one.what for one in record.repaired] == ["full-width colon", "full-width comma"]
    assert len(record.findings) + len(lines.findings) == 10_000


def test_a_file_that_names_very_many_checks_gets_counts_of_some_and_of_the_others() -> None:
    checks: Sequence[str] = [f"c{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(150)]

    record, _ = read({check: frames(10, check) for check in checks})

    counts = {name: value for name, (value, _, _) in measured(record).items() if name.endswith(".findings")}
    assert sum(value or 0 for value in counts.values()) == 1_500
    assert counts["*.findings"] == 500
