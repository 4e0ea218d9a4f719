"""What a row of evidence says, and what every word about it means."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import evidence, evidence_items
from shared.downloads import Download
from shared.errors import CorruptRowError, GoneError
from shared.evidence import MAX_URL, EvidenceRow, Tally
from shared.evidence_items import Item
from shared.kinds import KINDS
from shared.policy import DAY, HOUR, MINUTE, Policy
from shared.ports import Change
from shared.record import JobRecord
from shared.tables import EVIDENCE, Row
from shared.vendor import Part
from tests.scripted_vendor import answer
from tests.world import KIND, START, ref

KEY = ref("job-1").key
PLAIN = "http://bucket.oss-cn-shanghai.aliyuncs.com/1.jpg"
SIGNED = f"{PLAIN}?Expires=1&Signature=secret"
POLICY = Policy()
ITEM = Item("item-1", SIGNED, "answer:/Url")


def record(*pictures: str, completed: str | None = None) -> tuple[JobRecord, Part]:
    part = Part("answer", "json", answer("job-1", pictures=pictures, completed=completed))
    return KINDS[KIND].normalize([part]), part


def row(**columns: object) -> EvidenceRow:
    until = START + 14 * DAY
    first = evidence.first_columns(ITEM, "d1", job_key=KEY, until=until, now=START, policy=POLICY)
    read = EvidenceRow.read(KEY, ITEM.id, first)
    return replace(read, **columns)  # type: ignore[arg-type]  # a test names what it means


def after(before: EvidenceRow, change: Change) -> EvidenceRow:
    columns: dict[str, object] = {
        **{name: getattr(before, name, None) for name in EVIDENCE.columns},
        "digests": ",".join(before.digests),
        **change,
    }
    told: Row = {name: value for name, value in columns.items() if value is not None}  # type: ignore[misc]
    return EvidenceRow.read(before.job_key, before.id, told)


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, timezone.utc).isoformat().replace("+00:00", "Z")


def test_an_item_has_the_whole_address_that_its_record_must_not_have() -> None:
    found, part = record(SIGNED)

    (item,) = evidence_items.items(KINDS[KIND], found, [part], POLICY)

    assert (item.id, item.url) == (found.evidence[0].id, SIGNED)
    assert found.evidence[0].url == PLAIN


def test_an_address_that_is_not_found_again_is_that_of_the_record() -> None:
    found, part = record(SIGNED)
    moved = found.model_copy(update={"evidence": (replace(found.evidence[0], source="answer:/Nowhere"),)})

    assert [one.url for one in evidence_items.items(KINDS[KIND], moved, [part], POLICY)] == [PLAIN]


def test_a_kind_whose_evidence_is_not_kept_has_no_items() -> None:
    found, part = record(SIGNED)
    policy = Policy(evidence_windows={KIND: 0})

    assert evidence_items.items(KINDS[KIND], found, [part], policy) == ()


@pytest.mark.parametrize(
    ("completed", "expected"),
    [
        (START - DAY, START + 13 * DAY),
        (None, START + 14 * DAY),
        (START + DAY, START + 14 * DAY),  # no job ends tomorrow
        (START - 30 * DAY, START + 2 * HOUR),  # found late, and tried for a while all the same
    ],
)
def test_evidence_expires_a_window_after_the_job_has_ended(completed: int | None, expected: int) -> None:
    found, _ = record(SIGNED, completed=None if completed is None else iso(completed))

    assert evidence_items.expires_at(found, START, POLICY) == expected


def test_an_implausible_end_counts_for_nothing() -> None:
    found, _ = record(SIGNED, completed="1970-01-01T00:00:00Z")

    assert evidence_items.expires_at(found, START, POLICY) == START + 14 * DAY


def test_an_address_that_no_row_can_hold_is_lost_with_a_reason() -> None:
    long = replace(ITEM, url=f"{PLAIN}?{'a' * MAX_URL}")
    columns = evidence.first_columns(long, "d1", job_key=KEY, until=START + DAY, now=START, policy=POLICY)
    read = EvidenceRow.read(KEY, long.id, columns)

    assert (read.status, read.url, read.due_at) == ("lost", None, None)
    assert str(MAX_URL) in (read.reason or "")
    assert evidence.named_again(read, long, "d1", until=START + DAY, now=START) == {}


def test_a_fresh_address_of_a_pending_item_is_tried_at_once() -> None:
    before = row(attempts=3, due_at=START + 5 * MINUTE)
    change = evidence.named_again(
        before, replace(ITEM, url=f"{PLAIN}?again"), "d1", until=before.expires_at + 1, now=START + MINUTE
    )
    now = after(before, change)

    assert (now.url, now.due_at, now.expires_at) == (f"{PLAIN}?again", START + MINUTE, before.expires_at + 1)


def test_an_earlier_expiry_replaces_nothing() -> None:
    before = row()

    assert evidence.named_again(before, ITEM, "d1", until=START + HOUR, now=START) == {}


def test_what_was_refused_has_another_chance_while_there_is_time() -> None:
    refused = after(row(), evidence.lost(GoneError("no such host"), START))
    again = evidence.named_again(refused, ITEM, "d1", until=refused.expires_at, now=START + DAY)
    too_late = evidence.named_again(refused, ITEM, "d1", until=START + 99 * DAY, now=refused.expires_at)

    assert (refused.url, refused.due_at) == (None, None)
    now = after(refused, again)
    assert (now.status, now.url, now.due_at, now.reason) == ("pending", SIGNED, START + DAY, None)
    assert too_late == {}


def test_what_is_kept_is_only_told_of_another_version() -> None:
    found = Download(BytesIO, 5, "ab" * 32, "image/jpeg", ".jpg")
    kept = after(row(), evidence.kept(found, "evidence/key.jpg", START))
    change = evidence.named_again(kept, replace(ITEM, url="other"), "d2", until=START + 99 * DAY, now=START)

    assert (kept.status, kept.url, kept.due_at, kept.size) == ("kept", None, None, 5)
    assert change == {"digests": "d1,d2"}


def test_however_many_versions_name_an_item_the_present_one_is_remembered() -> None:
    named = row(digests=("present",))
    for number in range(40):
        change = evidence.named_again(
            named, ITEM, f"d{number}", until=named.expires_at, now=START, present="present"
        )
        named = after(named, change)

    assert "present" in named.digests
    assert named.digests[-1] == "d39"
    assert len(named.digests) <= 8


@pytest.mark.parametrize(("wished", "waited"), [(1, MINUTE), (10 * MINUTE, 10 * MINUTE), (DAY, HOUR)])
def test_a_server_may_ask_for_a_longer_wait_within_bounds(wished: int, waited: int) -> None:
    change = evidence.put_off(row(), GoneError("busy", retry_after_ms=wished), START, POLICY)

    assert change["due_at"] == START + waited


@given(
    attempts=st.integers(0, 400),
    now=st.integers(START, START + 15 * DAY),
    wished=st.none() | st.integers(0, 99 * DAY),
)
def test_an_item_is_tried_at_least_hourly_and_once_more_when_its_time_is_over(
    attempts: int, now: int, wished: int | None
) -> None:
    before = row(attempts=attempts)
    error = GoneError("gone", retry_after_ms=wished)
    put_off = after(before, evidence.put_off(before, error, now, POLICY))
    assert put_off.due_at is not None

    assert put_off.attempts == attempts + 1
    assert now < put_off.due_at <= now + HOUR
    assert now >= before.expires_at or put_off.due_at <= before.expires_at


def test_no_reason_holds_what_signs_an_address() -> None:
    change = evidence.lost(GoneError(f"not found: {SIGNED}"), START)

    assert "secret" not in str(change)


def test_an_item_is_at_risk_from_the_middle_of_its_time_on() -> None:
    middle = START + 7 * DAY

    assert [row().is_at_risk(now) for now in (middle - 1, middle)] == [False, True]
    assert not row(status="kept").is_at_risk(middle)


def test_only_what_the_present_version_names_is_counted() -> None:
    rows = [
        row(),
        row(digests=("d0", "d1"), status="kept"),
        row(status="lost"),
        row(status="lost", expires_at=START),
        row(digests=("d0",)),
    ]

    counted = evidence.tally(rows, "d1", START + 8 * DAY)

    assert counted == Tally(pending=1, kept=1, lost=2, at_risk=1, refused=1)
    assert counted.all == 4
    assert counted + counted == Tally(2, 2, 4, 2, 2)


@pytest.mark.parametrize("change", [{"status": "gone"}, {"since": "now"}, {"digests": None}])
def test_a_row_that_cannot_be_read_is_named(change: Change) -> None:
    with pytest.raises(CorruptRowError, match="item-1"):
        after(row(), change)
