"""Everything that starts the functions of a template, wired together: what runs behind `media-ledger serve`.

event_sources    what the template says
tasks            the asynchronous queue, which topics and timers feed, with destinations
topic_trigger    pushes of the local MNS             queue_trigger    batches out of its queues
timers, cron     due times                           http_trigger, http_gateway, jwt    requests
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from localcloud.fc.event_sources import EventSources, read_event_sources
from localcloud.fc.http_gateway import HttpGateway, http_server
from localcloud.fc.invocation import Resolve, execute
from localcloud.fc.queue_trigger import QueueConsumer, QueueTrigger
from localcloud.fc.tasks import Tasks
from localcloud.fc.timers import Timers
from localcloud.fc.topic_trigger import TopicPushes
from localcloud.mns.account import Account
from localcloud.mns.topics import Topic
from localcloud.runner import TooManyInstancesError
from localcloud.template import Template
from shared.errors import PermanentError
from shared.queues import Queues
from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    from shared.ports import Clock

_PATIENCE_MS = 10_000
_LOOK_AGAIN_S = 0.05
_LONG_POLL_S = 1


class Triggers:
    """Starts functions as a template says, while the `with` block lasts; without one `run_due` does it.

    Queues and topics of the template are made in `account` where they are missing, so nothing may use it
    yet. `pushes` is what its `MnsService` posts with, `queues` are its queues as a client sees them. What is
    due is due by `clock`; `queues` may go by an earlier time. Addresses of HTTP triggers are in `urls`, and
    let in the owners of `keys`; without a `with` block, `gateways` are there to be served.
    """

    def __init__(
        self,
        template: Template,
        resolve: Resolve,
        *,
        account: Account,
        pushes: TopicPushes,
        queues: Queues,
        keys: Iterable[Credentials],
        clock: Clock,
        random: random.Random,
    ) -> None:
        sources = read_event_sources(template, region=account.region, account=account.number)
        _make_missing(account, sources, now=clock.now())
        self.urls: dict[str, str] = {}
        """Where each function with an HTTP trigger is called."""
        self._resolve = resolve
        self._queues = queues
        self._clock = clock
        self.tasks = Tasks(
            resolve,
            clock=clock,
            random=random,
            configs=sources.asynchronous,
            send=self._send,
            region=account.region,
            account=account.number,
        )
        for topic in sources.topics:
            pushes.connect(topic, account, partial(self.tasks.accept, topic.function))
        self._timers = Timers(sources.timers, accept=self.tasks.accept, clock=clock)
        place = {"region": account.region, "account": account.number}
        self._consumers = [
            QueueConsumer(
                trigger, queues=queues, invoke=self._invoke(trigger), clock=clock, random=random, **place
            )
            for trigger in sources.queues
        ]
        by_id = {key.access_key_id: key for key in keys}
        self.gateways = {
            trigger.function: HttpGateway(trigger, resolve, keys=by_id, clock=clock, random=random, **place)
            for trigger in sources.http
        }
        self._serving = ExitStack()
        self._is_over = threading.Event()

    def run_due(self) -> int:
        """Do all that is due now, and what that starts; tell how many invocations there were."""
        self._timers.fire_due()
        made = sum(consumer.run_due() for consumer in self._consumers)
        return made + self.tasks.execute()

    def __enter__(self) -> Triggers:
        with ExitStack() as starting:
            for function, gateway in self.gateways.items():
                self.urls[function] = starting.enter_context(http_server(gateway)).endpoint
            starting.enter_context(self.tasks)
            threads = [threading.Thread(target=self._tick, name="fc-timers", daemon=True)]
            threads += [
                threading.Thread(target=self._consume, args=(one,), name="fc-queue", daemon=True)
                for one in self._consumers
            ]
            for thread in threads:
                thread.start()
                starting.callback(thread.join)
            starting.callback(self._is_over.set)
            self._serving = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serving.close()

    def _tick(self) -> None:
        while not self._is_over.wait(_LOOK_AGAIN_S):
            self._timers.fire_due()

    def _consume(self, consumer: QueueConsumer) -> None:
        while not self._is_over.wait(_LOOK_AGAIN_S):
            consumer.run_due(wait_seconds=_LONG_POLL_S if consumer.is_idle else 0)

    def _send(self, queue: str, record: bytes) -> None:
        self._queues.send(queue, record.decode(), deadline=self._clock.now() + _PATIENCE_MS)

    def _invoke(self, trigger: QueueTrigger) -> Callable[[bytes], bool]:
        call = self._accept if trigger.is_asynchronous else self._run
        return partial(call, trigger.function)

    def _run(self, function: str, event: bytes) -> bool:
        try:
            return execute(self._resolve(function), event).error_type is None
        except TooManyInstancesError:
            return False

    def _accept(self, function: str, event: bytes) -> bool:
        try:
            return self.tasks.accept(function, event) is not None
        except PermanentError:  # a batch that is too long for an asynchronous invocation
            return False


def _make_missing(account: Account, sources: EventSources, *, now: int) -> None:
    for name, attributes in sources.declared_queues.items():
        if name not in account.queues:
            account.add_queue(name, attributes, now=now)
    for name in sources.declared_topics:
        account.topics.setdefault(name, Topic(name, created_at=now, changed_at=now))
