"""Function Compute and MNS as the functions meet them: instances, retries, timers, messages that get lost."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from shared.errors import FunctionError
from shared.policy import HOUR, MINUTE, SECOND
from shared.ports import Services
from tests.simulation.hazards import Hazards
from tests.simulation.messages import Message, queue_event, topic_event
from tests.simulation.scheduler import Killed, Scheduler
from tests.simulation.stories import Call, Story

Handle = Callable[[bytes, Services], object]
Launch = Callable[[str, int], Services]
"""Gives the services of an instance for an invocation that ends then."""

ANSWER = SECOND
"""What a function keeps of its time for answering, as `shared.bootstrap` does."""


_BATCH_WINDOW = 5 * SECOND


@dataclass
class Function:
    """A function with as many instances as may run at once, each with one event at a time."""

    name: str
    handle: Handle
    timeout: int
    instances: int


@dataclass
class _Task:
    event: bytes
    done: Callable[[bool], None]


class Host:
    """Runs the events of one function; what no instance is free for waits."""

    def __init__(
        self, function: Function, scheduler: Scheduler, hazards: Hazards, launch: Launch, defects: list[str]
    ) -> None:
        self._function = function
        self._scheduler = scheduler
        self._hazards = hazards
        self._launch = launch
        self._free = [f"{function.name}-{number}" for number in range(function.instances)]
        self._waiting: deque[_Task] = deque()
        self._defects = defects
        self._replaced = 0

    def execute(self, event: bytes, done: Callable[[bool], None]) -> None:
        """Run the function once, and tell then whether it answered with success."""
        self._waiting.append(_Task(event, done))
        self._begin()

    def _begin(self) -> None:
        if self._waiting and self._free:
            task, instance = self._waiting.popleft(), self._free.pop(0)
            dies_at = self._scheduler.now() + self._function.timeout
            self._scheduler.start(lambda: self._run(task, instance, dies_at), dies_at=dies_at)

    def _run(self, task: _Task, instance: str, dies_at: int) -> None:
        succeeded = False
        try:
            self._function.handle(task.event, self._launch(instance, dies_at - ANSWER))
            succeeded = not self._hazards.happens("crash")
        except Killed:
            self._replaced += 1
            instance = f"{instance.partition('/')[0]}/{self._replaced}"
        except FunctionError as error:
            self._hazards.note(instance, f"fails: {type(error).__name__}")
        except Exception as error:
            self._defects.append(f"{self._function.name}: {type(error).__name__}: {error}")
        self._hazards.note(instance, "answers" if succeeded else "has failed")
        self._free.append(instance)
        task.done(succeeded)
        self._begin()


class Invocations:
    """Starts functions without waiting, as asynchronous invocation does.

    At least once, most of the time: three times again on failure, now and then as often beside itself,
    hours late, or never.
    """

    _EXECUTIONS = 4

    def __init__(
        self, hosts: Mapping[str, Host], scheduler: Scheduler, hazards: Hazards, drawn: random.Random
    ) -> None:
        self._hosts = hosts
        self._scheduler = scheduler
        self._hazards = hazards
        self._random = drawn
        self._accepted: set[tuple[str, str]] = set()

    def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
        """See `Invoker.invoke`."""
        if (function, task_id) in self._accepted:
            return False
        self._accepted.add((function, task_id))
        if self._hazards.happens("invocation_lost"):
            self._hazards.note("invocations", f"loses one of {function}")
            return True
        for _ in range(self._EXECUTIONS if self._hazards.happens("executed_twice") else 1):
            wait = self._random.randrange(2 * HOUR) if self._hazards.happens("invocation_late") else 0
            attempt = partial(self._attempt, self._hosts[function], payload, 1)
            self._scheduler.at(self._scheduler.now() + wait, attempt)
        return True

    def _attempt(self, host: Host, payload: bytes, number: int) -> None:
        def after(succeeded: bool) -> None:
            if not succeeded and number < self._EXECUTIONS:
                self._scheduler.at(
                    self._scheduler.now() + number * SECOND, lambda: self._attempt(host, payload, number + 1)
                )

        host.execute(payload, after)


@dataclass
class Delivery:
    """Messages that come in one event, when it came first, and when it was answered with success."""

    messages: Sequence[Message]
    event: bytes
    is_sure: bool
    first_at: int
    acknowledged_at: int | None = None
    attempts: int = 0


class Mns:
    """Brings messages to the callback function: at least once, most of the time."""

    _ATTEMPTS = 4
    _WAITS = (SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE)

    def __init__(
        self,
        host: Host,
        scheduler: Scheduler,
        hazards: Hazards,
        drawn: random.Random,
        reconcile: Callable[[Sequence[str]], None],
    ) -> None:
        self._host = host
        self._reconcile = reconcile
        self._scheduler = scheduler
        self._hazards = hazards
        self._random = drawn
        self._number = 0
        self._batch: list[tuple[Message, bool]] = []
        self.deliveries: list[Delivery] = []

    def send(self, story: Story, call: Call) -> None:
        """Let the vendor send a callback now."""
        if self._hazards.happens("lost") and not call.is_sure:
            self._hazards.note("mns", f"loses {story.ref.key}")
            return
        copies = 1 + (self._random.randrange(1, 4) if self._hazards.happens("repeated") else 0)
        for copy in range(copies):
            # Sent again by the vendor it is a message of its own; by MNS it is the same one.
            if copy == 0 or self._random.randrange(2):
                self._number += 1
            message = Message(f"{self._number:032X}", story.ref, call.status, call.suggestion)
            delay = self._random.randrange(2 * HOUR) if self._hazards.happens("late") else 0
            more = self._random.randrange(MINUTE) if copy else 0
            at = self._scheduler.now() + delay + more
            self._scheduler.at(at, partial(self._bring, message, call.is_sure))

    def _bring(self, message: Message, is_sure: bool) -> None:
        if self._random.randrange(2):
            self._deliver(Delivery([message], topic_event(message), is_sure, self._scheduler.now()))
            return
        if not self._batch:
            self._scheduler.at(self._scheduler.now() + _BATCH_WINDOW, self._flush)
        self._batch.append((message, is_sure))

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        messages = [message for message, _ in batch]
        is_sure = any(is_sure for _, is_sure in batch)
        self._deliver(Delivery(messages, queue_event(messages), is_sure, self._scheduler.now()))

    def _deliver(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        self._attempt(delivery)

    def _attempt(self, delivery: Delivery) -> None:
        delivery.attempts += 1
        self._host.execute(delivery.event, lambda succeeded: self._after(delivery, succeeded))

    def _after(self, delivery: Delivery, succeeded: bool) -> None:
        if succeeded:
            if delivery.acknowledged_at is None:
                delivery.acknowledged_at = self._scheduler.now()
                if self._hazards.happens("impatient"):
                    self._reconcile([message.ref.key for message in delivery.messages])
            if not self._hazards.happens("executed_twice"):
                return
        elif delivery.attempts >= self._ATTEMPTS and not delivery.is_sure:
            self._hazards.note("mns", "gives up")
            return
        wait = self._WAITS[min(delivery.attempts, len(self._WAITS)) - 1]
        self._scheduler.at(self._scheduler.now() + wait, lambda: self._attempt(delivery))


class SubmitSide:
    """Announces jobs: those of a moment together, and again what was refused for now."""

    _EVERY = 20 * SECOND

    def __init__(self, host: Host, scheduler: Scheduler, hazards: Hazards) -> None:
        self._host = host
        self._scheduler = scheduler
        self._hazards = hazards
        self._pending: list[Story] = []
        self.acknowledged: dict[str, int] = {}
        """When the announcement of a job was first answered with success."""

    def announce(self, story: Story) -> None:
        """Announce a job with the next batch."""
        if not self._pending:
            self._scheduler.at(self._scheduler.now() + self._EVERY, self._flush)
        self._pending.append(story)

    def _flush(self) -> None:
        stories, self._pending = self._pending, []
        items = [{"kind": story.ref.kind, "job_id": story.ref.job_id} for story in stories]
        self._attempt(json.dumps(items).encode(), stories, 1)

    def _attempt(self, payload: bytes, stories: Sequence[Story], number: int) -> None:
        def after(succeeded: bool) -> None:
            now = self._scheduler.now()
            if succeeded:
                for story in stories:
                    self.acknowledged.setdefault(story.ref.key, now)
            elif number < 4:
                self._scheduler.at(now + MINUTE, lambda: self._attempt(payload, stories, number + 1))
            else:
                self._hazards.note("submit side", "gives up")

        self._host.execute(payload, after)
