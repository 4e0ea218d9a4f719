"""The contract of `Invoker`; at the end how the one that runs inside this process ends its tasks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.adapters.async_tasks import PAYLOAD_LIMIT
from shared.adapters.local.inline_invoker import FailedTask, InlineInvoker
from shared.errors import PermanentError
from shared.ports import Invoker
from tests.shared.adapters.conftest import Deliveries, Reached


def test_a_task_id_is_accepted_once(invoker: Invoker) -> None:
    answers = [invoker.invoke("deliver", b"payload", task_id=name) for name in ("a", "b", "a")]

    assert answers == [True, True, False]


def test_one_of_many_racing_invocations_is_accepted(invoker: Invoker) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: invoker.invoke("deliver", b"", task_id="a"), range(100)))

    assert answers.count(True) == 1


def test_a_payload_above_the_limit_is_refused_and_its_id_stays_free(invoker: Invoker) -> None:
    with pytest.raises(PermanentError, match=r"function=deliver, task_id=a, bytes=131073, limit=131072"):
        invoker.invoke("deliver", bytes(PAYLOAD_LIMIT + 1), task_id="a")

    assert invoker.invoke("deliver", bytes(PAYLOAD_LIMIT), task_id="a")


@pytest.mark.parametrize("task_id", ["", "1a", "-a", "a.b", "a b", "a\n", "ä", "a" * 129])
def test_an_id_that_function_compute_would_refuse_is_refused(invoker: Invoker, task_id: str) -> None:
    with pytest.raises(PermanentError, match="not a task id"):
        invoker.invoke("deliver", b"", task_id=task_id)


def test_invoking_returns_before_the_work(reached: Reached, deliveries: Deliveries) -> None:
    reached.invoker.invoke("deliver", b"payload \x00\xff", task_id="a")
    before = list(deliveries.payloads)

    count = reached.execute()

    assert before == []
    assert deliveries.payloads == [b"payload \x00\xff"]
    assert count == 1


def test_a_task_runs_once_and_its_id_is_remembered(reached: Reached, deliveries: Deliveries) -> None:
    for _ in range(2):
        reached.invoker.invoke("deliver", b"payload", task_id="a")
        reached.execute()

    assert deliveries.payloads == [b"payload"]


def test_two_functions_may_have_a_task_of_the_same_id(invoker: Invoker) -> None:
    assert invoker.invoke("deliver", b"", task_id="a")
    assert invoker.invoke("archive", b"", task_id="a")


@pytest.fixture
def inline(deliveries: Deliveries) -> InlineInvoker:
    """Give an invoker of this process that knows one function, `deliver`."""
    return InlineInvoker({"deliver": deliveries}.__getitem__)


def test_a_failing_task_is_executed_four_times_and_then_kept_with_its_reason(
    inline: InlineInvoker, deliveries: Deliveries
) -> None:
    deliveries.failures = 4
    inline.invoke("deliver", b"lost", task_id="a")
    inline.invoke("deliver", b"next", task_id="b")

    inline.run_accepted()

    assert deliveries.payloads == [b"lost"] * 4 + [b"next"]
    assert inline.failed == (FailedTask("deliver", "a", b"lost", "ConnectionError: the next system is away"),)


def test_a_task_that_recovers_is_no_failure(inline: InlineInvoker, deliveries: Deliveries) -> None:
    deliveries.failures = 3
    inline.invoke("deliver", b"payload", task_id="a")

    inline.run_accepted()

    assert len(deliveries.payloads) == 4
    assert inline.failed == ()


def test_a_function_that_nobody_knows_is_refused_at_once_and_its_id_stays_free() -> None:
    functions: dict[str, Callable[[bytes], object]] = {}
    invoker = InlineInvoker(functions.__getitem__)

    with pytest.raises(KeyError, match="deliver"):
        invoker.invoke("deliver", b"", task_id="a")
    functions["deliver"] = bytes

    assert invoker.invoke("deliver", b"", task_id="a")


def test_tasks_that_a_task_starts_are_run_too() -> None:
    ran: list[bytes] = []

    def count_down(payload: bytes) -> None:
        ran.append(payload)
        if len(payload) > 1:
            invoker.invoke("count_down", payload[1:], task_id=f"left-{len(payload) - 1}")

    invoker = InlineInvoker({"count_down": count_down}.__getitem__)
    invoker.invoke("count_down", b"321", task_id="left-3")

    assert invoker.run_accepted() == 3
    assert ran == [b"321", b"21", b"1"]
