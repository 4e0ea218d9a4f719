"""Asynchronous invocations: accepted at once and only once, executed later, repeated when they fail."""

from __future__ import annotations

import heapq
import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from localcloud.fc.destinations import AsyncConfig, Destination, Told, invocation_record, wait_ms
from localcloud.fc.invocation import Outcome, Resolve, execute, new_request_id
from localcloud.runner import TooManyInstancesError
from shared.adapters.async_tasks import check_task

if TYPE_CHECKING:
    from shared.ports import Clock

MOST_ENDED = 5_000
"""How many tasks that have ended are remembered, and their ids refused: a choice, so as not to grow."""

Status = Literal["Enqueued", "Running", "Retrying", "Succeeded", "Failed", "Expired"]

_SECOND = 1_000
_LOOK_AGAIN_S = 0.05
_NEVER_RAN = Outcome(b"", "ResourceThrottled", "the function took no call in time")
_USUAL = AsyncConfig()
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """An asynchronous invocation. Times in epoch milliseconds; `outcome` is that of the last execution."""

    function: str
    task_id: str
    payload: bytes
    request_id: str
    accepted_at: int
    due_at: int
    status: Status = "Enqueued"
    attempts: int = 0
    throttled: int = 0
    started_at: int | None = None
    ended_at: int | None = None
    outcome: Outcome | None = None

    @property
    def reason(self) -> str:
        """Say why it failed, as far as it did."""
        return self.outcome.reason if self.outcome else ""


def _to_no_queue(queue: str, record: bytes) -> None:
    raise LookupError("no queues are connected")


class Tasks:
    """Accepts tasks any time; threads execute them while the `with` block lasts, else `execute` does.

    A failed execution is repeated as `configs` says for its function; one that is throttled costs no attempt.
    `send` hands the record of an end to a queue of MNS.
    """

    def __init__(
        self,
        resolve: Resolve,
        *,
        clock: Clock,
        random: random.Random,
        configs: Mapping[str, AsyncConfig] | None = None,
        send: Callable[[str, bytes], None] = _to_no_queue,
        region: str = "cn-shanghai",
        account: str = "1000000000000001",
        workers: int = 4,
    ) -> None:
        self._resolve = resolve
        self._clock = clock
        self._random = random
        self._configs = configs or {}
        self._send = send
        self._arn_prefix = f"acs:fc:{region}:{account}:functions/"
        self._lock = threading.Lock()
        self._tasks: dict[tuple[str, str], Task] = {}
        self._ended: deque[tuple[str, str]] = deque()
        self._waiting: list[tuple[int, int, tuple[str, str]]] = []
        self._order = count()
        self._wanted = threading.Event()
        self._is_over = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"fc-tasks-{number}", daemon=True)
            for number in range(workers)
        ]

    @property
    def failed(self) -> tuple[Task, ...]:
        """What failed in every execution or became too old, in the order of acceptance."""
        with self._lock:
            return tuple(task for task in self._tasks.values() if task.status in ("Failed", "Expired"))

    def arn(self, function: str) -> str:
        """Name a function for those outside."""
        return f"{self._arn_prefix}{function}"

    def find(self, function: str, task_id: str) -> Task | None:
        """Give a task as it stands."""
        with self._lock:
            return self._tasks.get((function, task_id))

    def of(self, function: str) -> list[Task]:
        """Give the tasks of a function, in the order of acceptance."""
        with self._lock:
            return [task for task in self._tasks.values() if task.function == function]

    def accept(self, function: str, payload: bytes, *, task_id: str | None = None) -> str | None:
        """Take a task and give its id; None when this function had one of that id before.

        Raise `PermanentError` for a payload or an id that FC refuses, `LookupError` for no function.
        """
        self._resolve(function)
        with self._lock:
            request_id = new_request_id(self._random)
            given = task_id or f"task-{self._random.getrandbits(128):032x}"
            check_task(function, payload, task_id=given)
            # FC answers 409 to an id that the same function had before (function-compute.md 2.2).
            if (function, given) in self._tasks:
                return None
            now = self._clock.now()
            self._put_off(Task(function, given, payload, request_id, accepted_at=now, due_at=now))
        self._wanted.set()
        return given

    def execute(self) -> int:
        """Execute what is due, and what that starts; tell how many executions there were."""
        done = 0
        while (task := self._take_due()) is not None:
            self._try(task)
            done += 1
        return done

    def __enter__(self) -> Tasks:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._wanted.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._is_over.is_set():
            self._wanted.wait(_LOOK_AGAIN_S)  # a clock that others move wakes nobody
            self._wanted.clear()
            self.execute()

    def _config(self, task: Task) -> AsyncConfig:
        return self._configs.get(task.function, _USUAL)

    def _take_due(self) -> Task | None:
        with self._lock:
            now = self._clock.now()
            if not self._waiting or self._waiting[0][0] > now:
                return None
            key = heapq.heappop(self._waiting)[2]
            task = self._tasks[key]
            self._tasks[key] = replace(task, status="Running", started_at=task.started_at or now)
            return self._tasks[key]

    def _try(self, task: Task) -> None:
        config = self._config(task)
        if self._clock.now() - task.accepted_at > config.oldest_s * _SECOND:
            self._end(task, "Expired", task.outcome or _NEVER_RAN)
            return
        try:
            outcome = execute(self._resolve(task.function), task.payload)
        except TooManyInstancesError:
            self._again(replace(task, throttled=task.throttled + 1), wait_ms(task.throttled))
            return
        tried = replace(task, attempts=task.attempts + 1, outcome=outcome)
        if outcome.error_type is None:
            self._end(tried, "Succeeded", outcome)
        elif tried.attempts > config.retries:
            self._end(tried, "Failed", outcome)
        else:
            self._again(tried, wait_ms(task.attempts))

    def _again(self, task: Task, wait: int) -> None:
        # No longer than until it is too old: that is when its end is told.
        too_old_at = task.accepted_at + self._config(task).oldest_s * _SECOND + 1
        due_at = min(self._clock.now() + wait, too_old_at)
        with self._lock:
            self._put_off(replace(task, status="Retrying", due_at=due_at))

    def _put_off(self, task: Task) -> None:
        key = (task.function, task.task_id)
        self._tasks[key] = task
        heapq.heappush(self._waiting, (task.due_at, next(self._order), key))

    def _end(self, task: Task, status: Status, outcome: Outcome) -> None:
        ended = replace(task, status=status, outcome=outcome, ended_at=self._clock.now())
        with self._lock:
            self._tasks[task.function, task.task_id] = ended
            self._ended.append((task.function, task.task_id))
            if len(self._ended) > MOST_ENDED:
                del self._tasks[self._ended.popleft()]
        destination = self._config(task).destination(outcome)
        if destination is not None:
            self._tell(destination, ended, outcome)

    def _tell(self, destination: Destination, task: Task, outcome: Outcome) -> None:
        told = Told(task.request_id, self.arn(task.function), task.ended_at or 0, task.attempts)
        record = invocation_record(told, task.payload, outcome)
        try:
            if destination.kind == "function":
                self.accept(destination.name, record)
            else:
                self._send(destination.name, record)
        except Exception as error:
            # The task stays in `failed` all the same; FC drops what a destination does not take.
            _log.warning("the %s %s took no record: %s", destination.kind, destination.name, error)
