"""The contract of `Parallel`, over every adapter; at the end what each adapter adds to it."""

from __future__ import annotations

import contextvars
import random
import threading
from collections.abc import Callable
from functools import partial

import pytest

from shared.adapters.parallel import SequentialParallel, ThreadParallel
from shared.ports import Parallel

BOUND: contextvars.ContextVar[str] = contextvars.ContextVar("BOUND", default="nothing")


def _fail(message: str) -> str:
    raise LookupError(message)


def _rebind(name: str) -> str:
    found = BOUND.get()
    BOUND.set(name)
    return found


def _appends(order: list[int], count: int) -> list[Callable[[], None]]:
    return [partial(order.append, number) for number in range(count)]


def test_outcomes_are_in_the_order_of_the_tasks(parallel: Parallel) -> None:
    done = parallel.run([partial(pow, number, 2) for number in range(20)])

    assert [outcome.result() for outcome in done] == [number**2 for number in range(20)]


def test_nothing_to_run_gives_nothing(parallel: Parallel) -> None:
    assert parallel.run([]) == []


def test_a_task_that_fails_does_not_stop_the_others(parallel: Parallel) -> None:
    done = parallel.run([lambda: "first", lambda: _fail("second"), lambda: "third"])

    assert [outcome.value for outcome in done] == ["first", None, "third"]
    with pytest.raises(LookupError, match="second"):
        done[1].result()


def test_a_task_may_give_none(parallel: Parallel) -> None:
    (done,) = parallel.run([lambda: None])

    assert done.error is None
    assert done.result() is None


def test_what_the_caller_bound_is_bound_in_the_tasks_and_stays_what_it_was(parallel: Parallel) -> None:
    def caller() -> tuple[list[str], str]:
        BOUND.set("the caller's")
        done = parallel.run([partial(_rebind, f"task {number}") for number in range(8)])
        return [outcome.result() for outcome in done], BOUND.get()

    found, after = contextvars.copy_context().run(caller)

    assert found == ["the caller's"] * 8
    assert after == "the caller's"


def test_tasks_may_run_tasks_themselves(parallel: Parallel) -> None:
    def outer() -> int:
        return sum(inner.result() for inner in parallel.run([lambda: 1, lambda: 2]))

    assert [outcome.result() for outcome in parallel.run([outer] * 8)] == [3] * 8


def test_no_thread_is_left_behind(parallel: Parallel) -> None:
    before = threading.active_count()

    parallel.run([lambda: None] * 20)

    assert threading.active_count() == before


def test_threads_run_as_many_tasks_at_once_as_there_are_workers_and_no_more() -> None:
    workers = 3
    together = threading.Barrier(workers)
    lock, running, most = threading.Lock(), 0, 0

    def task() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        # Passes only when three tasks are here at once; a fourth would be counted.
        together.wait(timeout=30)
        with lock:
            running -= 1

    done = ThreadParallel(workers).run([task] * (workers * 4))

    assert [outcome.error for outcome in done] == [None] * len(done)
    assert most == workers


def test_the_caller_is_one_of_the_workers_and_begins_with_the_last_task() -> None:
    together = threading.Barrier(2)

    def task() -> int:
        together.wait(timeout=30)  # so that nobody takes both
        return threading.get_ident()

    done = ThreadParallel(2).run([task] * 2)
    alone = ThreadParallel(2).run([threading.get_ident])

    assert [outcome.result() == threading.get_ident() for outcome in done] == [False, True]
    assert alone[0].result() == threading.get_ident()


@pytest.mark.parametrize("caller_ends", [True, False])
def test_what_ends_a_process_is_raised_when_all_that_had_begun_has_ended(caller_ends: bool) -> None:
    caller, together = threading.get_ident(), threading.Barrier(2)
    ended: list[str] = []

    def task() -> None:
        together.wait(timeout=30)
        if (threading.get_ident() == caller) == caller_ends:
            raise SystemExit("over")
        ended.append("the other one")

    with pytest.raises(SystemExit, match="over"):
        ThreadParallel(2).run([task] * 2)

    assert ended == ["the other one"]


def test_after_what_ends_a_process_nothing_is_begun() -> None:
    begun: list[int] = []

    def task() -> None:
        begun.append(1)
        raise SystemExit

    with pytest.raises(SystemExit):
        ThreadParallel(1).run([task] * 3)

    assert begun == [1]


def test_where_there_are_too_few_threads_what_was_begun_ends_before_that_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[int] = []
    before, start = threading.active_count(), threading.Thread.start

    def scarce(thread: threading.Thread) -> None:
        if threading.active_count() > before:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    with pytest.raises(RuntimeError, match="start new thread"):
        ThreadParallel(4).run([partial(done.append, number) for number in range(9)])

    assert sorted(done) == list(range(9))
    assert threading.active_count() == before


def test_a_pool_without_workers_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ThreadParallel(0)


def test_without_randomness_tasks_run_one_after_the_other_in_their_order() -> None:
    order: list[int] = []

    SequentialParallel().run(_appends(order, 9))

    assert order == list(range(9))


def test_a_seed_fixes_the_order_and_another_seed_gives_another() -> None:
    orders: list[list[int]] = []
    for seed in (1, 1, 2):
        order: list[int] = []
        SequentialParallel(random.Random(seed)).run(_appends(order, 9))
        orders.append(order)

    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert [sorted(order) for order in orders] == [list(range(9))] * 3
