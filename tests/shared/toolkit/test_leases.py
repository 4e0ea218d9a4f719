"""The lease by itself. What it is to a job is in `tests/shared/test_leasing.py`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.toolkit import leases
from shared.toolkit.lease_store import Change, LeaseStore, OutcomeUnknownError, Row, When
from shared.toolkit.leases import ContendedError, Lease, claim, finish, renew
from tests.faults import Fault, Faults, at
from tests.shared.toolkit.lease_actors import CRASH, LEASE, NOT_WRITTEN, START, WRITTEN, Crash, Seat, World

KEY = "k"


def seat(world: World, name: str = "a", fault: Fault | None = None, number: int = 1) -> Seat:
    """Give the world as an actor has it, with a fault at a call."""
    return Seat(world, name, Faults(at(number, fault) if fault else lambda _: None))


def claimed(store: LeaseStore, holder: str = "a", *, now: int = START, change: Change | None = None) -> Lease:
    """Claim the row as it is."""
    row = store.get(KEY)
    lease = claim(store, KEY, row, holder=holder, now=now, until=now + LEASE, change=change)
    assert lease is not None
    return lease


def end(row: Row) -> tuple[Change, str]:
    """Decide to leave a word."""
    return {"reason": "ended"}, "word"


def test_a_row_that_is_not_there_is_made_claimed() -> None:
    store = World().store
    lease = claimed(store, change={"reason": "mine", "result": None})

    assert store.get(KEY) == lease.row
    assert lease.row == {"token": 1, "holder": "a", "lease_until": START + LEASE, "reason": "mine"}
    assert lease.until == START + LEASE


def test_the_callers_columns_and_conditions_are_in_the_claims_one_write() -> None:
    store = World().store
    store.insert(KEY, {"token": 4, "reason": "old"})

    def take(reason: str) -> Lease | None:
        when = [When("reason", "==", reason)]
        row = store.get(KEY)
        return claim(
            store, KEY, row, holder="a", now=START, until=START + 1, change={"reason": "new"}, when=when
        )

    assert take("other") is None
    assert store.get(KEY) == {"token": 4, "reason": "old"}
    assert take("old") is not None
    assert store.get(KEY) == {"token": 5, "holder": "a", "lease_until": START + 1, "reason": "new"}


def test_every_change_is_completed() -> None:
    store = World().store

    def complete(row: Row, change: Change) -> Change:
        return {**change, "attempts": leases.number(row, "attempts") + 1}

    lease = claim(store, KEY, None, holder="a", now=START, until=START + LEASE, complete=complete)
    assert lease is not None
    renewed = renew(store, lease, until=START + 2 * LEASE, complete=complete)
    assert renewed is not None
    ended = finish(store, renewed, end, complete=complete)

    assert ended == ({"token": 1, "attempts": 3, "reason": "ended"}, "word")
    assert store.get(KEY) == ended[0]


def test_a_renewed_lease_is_not_claimed_before_its_new_end() -> None:
    store = World().store
    lease = renew(store, claimed(store), until=START + 2 * LEASE)
    assert lease is not None
    assert lease.row == store.get(KEY)

    row = store.get(KEY)
    late = START + LEASE
    assert claim(store, KEY, row, holder="b", now=late, until=late + LEASE) is None
    assert finish(store, lease, end) is not None


def test_a_lease_that_lapsed_is_renewed_until_somebody_takes_it() -> None:
    store = World().store
    lease = renew(store, claimed(store), until=START + 1)
    assert lease is not None
    assert renew(store, lease, until=START + LEASE + 1) is not None
    taken = claimed(store, "b", now=START + LEASE + 1)
    before = store.get(KEY)

    assert renew(store, lease, until=START + 9 * LEASE) is None
    assert finish(store, lease, end) is None
    assert store.get(KEY) == before == taken.row


@pytest.mark.parametrize("fault", [WRITTEN, NOT_WRITTEN])
def test_a_renewal_whose_answer_was_lost_is_looked_up(fault: Fault) -> None:
    world = World()
    lease = claimed(world.store)
    unsure = seat(world, fault=fault)

    if fault is WRITTEN:
        renewed = renew(unsure, lease, until=START + 2 * LEASE)
        assert renewed is not None
        assert renewed.row == world.store.get(KEY)
    else:
        with pytest.raises(OutcomeUnknownError):
            renew(unsure, lease, until=START + 2 * LEASE)
        assert world.store.get(KEY) == lease.row


@pytest.mark.parametrize("fault", [WRITTEN, NOT_WRITTEN])
def test_a_first_claim_whose_answer_was_lost_is_looked_up(fault: Fault) -> None:
    world = World()
    unsure = seat(world, fault=fault)

    if fault is WRITTEN:
        assert claim(unsure, KEY, None, holder="a", now=START, until=START + LEASE) is not None
    else:
        with pytest.raises(OutcomeUnknownError):
            claim(unsure, KEY, None, holder="a", now=START, until=START + LEASE)


def test_a_first_claim_that_somebody_else_made_meanwhile_is_not_taken_for_ones_own() -> None:
    world = World()
    world.store.insert(KEY, {"token": 1, "holder": "b", "lease_until": START})

    assert claim(seat(world, fault=WRITTEN), KEY, None, holder="a", now=START, until=START + LEASE) is None


def test_an_end_that_a_timeout_and_the_next_claim_hide_is_unknown() -> None:
    """Found by exploring all orders: the next claim came before the end was read back."""
    world = World()
    lease = claimed(world.store)

    def claim_then_lose_the_answer() -> None:
        claimed(world.store, "b", now=START + LEASE)
        raise OutcomeUnknownError("planned")

    unsure = seat(world, fault=Fault(after=claim_then_lose_the_answer))
    with pytest.raises(OutcomeUnknownError):
        finish(unsure, lease, end)


def test_what_others_write_under_the_lease_is_seen_by_the_decision() -> None:
    store = World().store
    lease = claimed(store, change={"attempts": 1})
    store.update(KEY, {"attempts": 2}, [])

    def watching(row: Row) -> Sequence[When]:
        return [When("attempts", "==", leases.number(row, "attempts"))]

    ended = finish(
        store, lease, lambda row: ({"attempts": leases.number(row, "attempts") + 10}, None), watching=watching
    )

    assert ended == ({"token": 1, "attempts": 12}, None)


def test_an_end_that_never_gets_through_gives_up_naming_the_key() -> None:
    store = World().store
    lease = claimed(store)

    with pytest.raises(ContendedError, match="key=k"):
        finish(store, lease, end, watching=lambda _: [When("attempts", "==", 1)], attempts=3)
    assert store.get(KEY) == lease.row


def test_holders_who_let_the_lease_lapse_are_counted_until_one_ends_it() -> None:
    world = World()
    for number in range(2):
        claimed(world.store, f"a {number}", now=START + number * LEASE)
    lease = claimed(world.store, "a 2", now=START + 2 * LEASE)
    assert lease.row["crashes"] == 2

    with pytest.raises(Crash):
        finish(seat(world, fault=CRASH), lease, end)
    assert world.store.get(KEY) == lease.row
    finish(world.store, lease, end)

    assert world.store.get(KEY) == {"token": 3, "reason": "ended"}
