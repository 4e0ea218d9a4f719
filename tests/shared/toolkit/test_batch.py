from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

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


@pytest.mark.parametrize("poisoned", range(4))
def test_one_bad_item_leaves_its_neighbours_alone(log: LogLines, poisoned: int) -> None:
    items = [f"g{i}" for i in range(4)]
    items[poisoned] = "x"

    outcome = process(items, work, id_of=str)

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


def test_tasks_may_run_beside_each_other_and_keep_their_order() -> None:
    items = [f"g{i}" for i in range(50)]

    outcome = process(items, work, id_of=str, run=in_threads)

    assert [item.value for item in outcome.items] == [item.upper() for item in items]


def test_bound_keys_follow_into_the_threads_of_a_runner(log: LogLines) -> None:
    def tell(item: str) -> None:
        logging.getLogger("work").info("working")

    with bind(batch="b1"):
        process(["g1", "g2"], tell, id_of=str, run=in_threads)

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
    assert [line["item_id"] for line in log.all()] == ["g2"]
    with pytest.raises(BatchFailedError):
        outcome.raise_for_failures()


def test_a_defect_in_the_ids_shows_before_any_work_is_done() -> None:
    done: list[str] = []

    with pytest.raises(ZeroDivisionError):
        process(["g1"], done.append, id_of=lambda item: str(1 // 0))
    assert done == []


@given(st.lists(st.sampled_from(["g", "t", "p", "m", "x"])))
def test_the_failed_are_exactly_those_that_failed(kinds: list[str]) -> None:
    items = [f"{kind}{i}" for i, kind in enumerate(kinds)]

    outcome = process(items, work, id_of=str)

    assert [item.id for item in outcome.items] == items
    assert [item.id for item in outcome.failed] == [item for item in items if item[0] != "g"]
    assert len(outcome.succeeded) + len(outcome.failed) == len(items)
