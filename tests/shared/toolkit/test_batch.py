from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.toolkit import (
    BatchFailedError,
    MisconfiguredError,
    NotRunError,
    PermanentError,
    TemporaryError,
    bind,
    process,
)
from shared.toolkit.batch import Runner
from tests.shared.toolkit.conftest import LogLines

ERRORS: dict[str, Callable[[], Exception]] = {
    "t": lambda: TemporaryError("later"),
    "p": lambda: PermanentError("never"),
    "m": lambda: MisconfiguredError("no key"),
    "x": lambda: ZeroDivisionError("a defect"),
}


def work(item: str) -> str:
    """Fail as the item's first letter says."""
    if item[0] in ERRORS:
        raise ERRORS[item[0]]()
    return item.upper()


def in_threads(tasks: Sequence[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(4) as pool:
        for task in tasks:
            pool.submit(task)


class Ways(TypedDict, total=False):
    run: Runner
    workers: int


WAYS: dict[str, Ways] = {"here": {}, "a runner": {"run": in_threads}, "workers": {"workers": 4}}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
beside = pytest.mark.parametrize("way", [WAYS["a runner"], WAYS["workers"]], ids=["a runner", "workers"])


class Clock:
    """A clock that each item moves on."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def work(self, item: str) -> str:
        self.now += 10
        return work(item)


@ways
@pytest.mark.parametrize("poisoned", range(4))
def test_one_bad_item_leaves_its_neighbours_alone(log: LogLines, poisoned: int, way: Ways) -> None:
    items = [f"g{i}" for i in range(4)]
    items[poisoned] = "x"

    outcome = process(items, work, id_of=str, **way)

    assert [item.id for item in outcome.failed] == ["x"]
    assert [item.value for item in outcome.succeeded] == [i.upper() for i in items if i != "x"]


def test_every_failure_is_reported_also_when_all_fail(log: LogLines) -> None:
    outcome = process(["t1", "p2"], work, id_of=str)

    assert outcome.report() == {
        "items": 2,
        "succeeded": 0,
        "failed": [
            {"id": "t1", "type": "TemporaryError", "reason": "later"},
            {"id": "p2", "type": "PermanentError", "reason": "never"},
        ],
    }
    assert json.dumps(outcome.report())


def test_each_failure_is_logged_once_with_its_id_and_as_loud_as_its_family(log: LogLines) -> None:
    process(["t1", "g2", "p3", "m4"], work, id_of=str)

    assert [(line["item_id"], line["level"]) for line in log.all()] == [
        ("t1", "ERROR"),
        ("p3", "WARNING"),
        ("m4", "CRITICAL"),
    ]
    assert log.all()[2]["message"] == "misconfigured: item failed"


def test_what_may_pass_fails_the_batch_and_names_the_items() -> None:
    outcome = process(["t1", "g2", "p3", "x4"], work, id_of=str)

    with pytest.raises(BatchFailedError, match=r"2 of 4 items .*ids=t1, x4") as caught:
        outcome.raise_for_failures()
    assert caught.value.failed_ids == ("t1", "x4")


def test_permanent_failures_are_no_reason_to_repeat_the_batch() -> None:
    outcome = process(["p1", "g2", "p3"], work, id_of=str)

    outcome.raise_for_failures()

    assert len(outcome.failed) == 2


def test_a_batch_with_very_many_failures_names_some_and_keeps_all() -> None:
    outcome = process([f"t{i}" for i in range(1_000)], work, id_of=str)

    with pytest.raises(BatchFailedError, match="t19, and 980 more") as caught:
        outcome.raise_for_failures()
    assert len(caught.value.failed_ids) == 1_000


def test_nothing_to_do_is_an_empty_outcome() -> None:
    outcome = process([], work, id_of=str)

    outcome.raise_for_failures()

    assert outcome.items == ()


def test_equal_ids_keep_their_own_outcomes() -> None:
    outcome = process(["g1", "x2"], work, id_of=lambda item: "same")

    assert [(item.id, item.error is None) for item in outcome.items] == [("same", True), ("same", False)]


@ways
def test_outcomes_are_in_the_order_of_the_items(way: Ways) -> None:
    items = [f"g{i}" for i in range(50)]

    outcome = process(items, work, id_of=str, **way)

    assert [item.value for item in outcome.items] == [item.upper() for item in items]


@ways
def test_bound_keys_follow_into_threads(log: LogLines, way: Ways) -> None:
    def tell(item: str) -> None:
        logging.getLogger("work").info("working")

    with bind(batch="b1"):
        process(["g1", "g2"], tell, id_of=str, **way)

    assert {(line["batch"], line["item_id"]) for line in log.all()} == {("b1", "g1"), ("b1", "g2")}


def test_overlapping_batches_report_only_their_own_items(log: LogLines) -> None:
    together = threading.Barrier(2)

    def slow(item: str) -> str:
        together.wait(5)
        return work(item)

    with ThreadPoolExecutor(2) as pool:
        bad, good = pool.map(lambda item: process([item], slow, id_of=str), ["t1", "g1"])

    assert [item.id for item in bad.failed] == ["t1"]
    assert good.failed == ()


def test_an_item_that_the_runner_left_out_is_a_failure_that_may_pass(log: LogLines) -> None:
    outcome = process(["g1", "g2"], work, id_of=str, run=lambda tasks: tasks[0]())

    assert isinstance(outcome.items[1].error, NotRunError)
    assert [(line["message"], line["ids"]) for line in log.all()] == [("items not run", "g2")]
    with pytest.raises(BatchFailedError):
        outcome.raise_for_failures()


def test_a_defect_in_the_ids_shows_before_any_work_is_done() -> None:
    done: list[str] = []

    with pytest.raises(ZeroDivisionError):
        process(["g1"], done.append, id_of=lambda item: str(1 // 0))
    assert done == []


def test_an_items_id_is_bound_while_it_is_worked_on_and_not_after(log: LogLines) -> None:
    def inner(item: str) -> None:
        logging.getLogger("work").info("inner")

    def outer(item: str) -> None:
        process([f"{item}.1"], inner, id_of=str)
        logging.getLogger("work").info("outer")

    process(["g1"], outer, id_of=str)
    logging.getLogger("work").info("after")

    assert [(line["message"], line.get("item_id")) for line in log.all()] == [
        ("inner", "g1.1"),
        ("outer", "g1"),
        ("after", None),
    ]


def test_reasons_in_the_report_and_the_log_are_masked(log: LogLines) -> None:
    def leak(item: str) -> None:
        raise PermanentError("cannot read https://host.example/a.jpg?Signature=abc")

    report = process(["g1"], leak, id_of=str).report()

    assert "https://host.example/a.jpg?***" in json.dumps(report)
    assert "Signature=abc" not in json.dumps(report) + log.text


# --- the time guard ------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [WAYS["here"], {"workers": 1}], ids=["here", "one worker"])
def test_no_item_is_begun_when_its_deadline_is_near_and_the_rest_is_reported(
    log: LogLines, way: Ways
) -> None:
    clock = Clock()
    outcome = process(
        ["g1", "t2", "g3", "g4"], clock.work, id_of=str, deadline_ms=35, reserve_ms=16, clock=clock, **way
    )

    assert [item.id for item in outcome.succeeded] == ["g1"]
    assert [item.id for item in outcome.failed] == ["t2", "g3", "g4"]
    assert [item.id for item in outcome.not_run] == ["g3", "g4"]
    assert [(line["message"], line.get("item_id"), line.get("ids")) for line in log.all()] == [
        ("item failed", "t2", None),
        ("items not run", None, "g3, g4"),
    ]
    with pytest.raises(BatchFailedError, match=r"3 of 4 items .*ids=t2, g3, g4"):
        outcome.raise_for_failures()


@beside
def test_the_guard_holds_beside_each_other_too(way: Ways) -> None:
    late = process(["g1", "g2"], work, id_of=str, deadline_ms=0, reserve_ms=0, clock=lambda: 1, **way)
    in_time = process(["g1", "g2"], work, id_of=str, deadline_ms=1, reserve_ms=0, clock=lambda: 1, **way)

    assert [item.id for item in late.not_run] == ["g1", "g2"]
    assert in_time.failed == ()


def test_without_a_clock_the_guard_goes_by_the_time_of_day() -> None:
    past = process(["g1"], work, id_of=str, deadline_ms=1_700_000_000_000)
    future = process(["g1"], work, id_of=str, deadline_ms=17_000_000_000_000)

    assert (len(past.not_run), len(future.succeeded)) == (1, 1)


# --- threads -------------------------------------------------------------------------------------


def test_no_more_workers_run_than_were_asked_for() -> None:
    both, running, most = threading.Barrier(2), set[int](), []

    def meet(item: str) -> None:
        running.add(threading.get_ident())
        most.append(len(running))
        both.wait(5)
        running.discard(threading.get_ident())

    outcome = process([str(n) for n in range(10)], meet, id_of=str, workers=2)

    assert outcome.failed == ()
    assert max(most) == 2


@pytest.mark.parametrize("way", [{"workers": 0}, {"workers": 2, "run": in_threads}])
def test_ways_that_contradict_themselves_are_refused_by_name(way: Ways) -> None:
    with pytest.raises(ValueError, match="workers"):
        process(["g1"], work, id_of=str, **way)


@ways
def test_what_ends_the_process_is_nobodys_outcome(way: Ways) -> None:
    begun: list[str] = []

    def end(item: str) -> None:
        begun.append(item)
        raise SystemExit(3)

    if way.get("run"):
        way = {"run": lambda tasks: tasks[0]()}
    with pytest.raises(SystemExit):
        process([f"g{n}" for n in range(1_000)], end, id_of=str, **way)
    assert len(begun) <= 4


@ways
@given(kinds=st.lists(st.sampled_from(["g", "t", "p", "m", "x"])))
def test_the_failed_are_exactly_those_that_failed(way: Ways, kinds: list[str]) -> None:
    items = [f"{kind}{i}" for i, kind in enumerate(kinds)]

    outcome = process(items, work, id_of=str, **way)

    assert [item.id for item in outcome.items] == items
    assert [item.id for item in outcome.failed] == [item for item in items if item[0] != "g"]
    assert len(outcome.succeeded) + len(outcome.failed) == len(items)
