"""Everything that starts functions at once: by hand on a clock that is moved, and by itself over sockets."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
import requests

from localcloud.fc.topic_trigger import TopicPushes
from localcloud.fc.triggers import Triggers
from localcloud.mns.server import MnsServer
from localcloud.runner import TooManyInstancesError
from localcloud.template import Template, parse_template
from shared.ports import Clock
from shared.toolkit.message import Messages
from shared.toolkit.triggers import recognize
from tests.localcloud.mns.worlds import OWN, Caller, new_service
from tests.shared.adapters.mns_on_the_wire import HastyClock, new_queues

MINUTE = 60_000
TEMPLATE = """\
ROSTemplateFormatVersion: '2015-09-01'
Resources:
  Work:
    Type: ALIYUN::FC3::Function
    Properties:
      FunctionName: desk-work
      Runtime: python3.10
      Handler: functions.work.handler.handler
      Timeout: 60
      MemorySize: 512
  Async:
    Type: ALIYUN::FC3::AsyncInvokeConfig
    Properties:
      FunctionName: !GetAtt Work.FunctionName
      MaxAsyncRetryAttempts: 0
      DestinationConfig:
        OnFailure: {Destination: !Sub 'acs:mns:${ALIYUN::Region}:1:/queues/${Dead.QueueName}/messages'}
  Topic: {Type: 'ALIYUN::MNS::Topic', Properties: {TopicName: news}}
  Queue: {Type: 'ALIYUN::MNS::Queue', Properties: {QueueName: jobs, VisibilityTimeout: 60}}
  Dead: {Type: 'ALIYUN::MNS::Queue', Properties: {QueueName: dead}}
  FromTopic:
    Type: ALIYUN::FC3::Trigger
    Properties:
      FunctionName: !GetAtt Work.FunctionName
      TriggerName: topic
      TriggerType: mns_topic
      SourceArn: !Sub 'acs:mns:${ALIYUN::Region}:${ALIYUN::TenantId}:/topics/${Topic.TopicName}'
      TriggerConfig: {notifyContentFormat: JSON}
  FromQueue:
    Type: ALIYUN::FC3::Trigger
    Properties:
      FunctionName: !GetAtt Work.FunctionName
      TriggerName: queue
      TriggerType: eventbridge
      TriggerConfig:
        asyncInvocationType: false
        eventSourceConfig:
          eventSourceType: MNS
          eventSourceParameters: {sourceMNSParameters: {QueueName: !GetAtt Queue.QueueName}}
        runOptions: {mode: event-streaming, batchWindow: {CountBasedWindow: 10, TimeBasedWindow: 0}}
  FromTimer:
    Type: ALIYUN::FC3::Trigger
    Properties:
      FunctionName: !GetAtt Work.FunctionName
      TriggerName: timer
      TriggerType: timer
      TriggerConfig: {cronExpression: '@every 1m', payload: tick}
  FromHttp:
    Type: ALIYUN::FC3::Trigger
    Properties:
      FunctionName: !GetAtt Work.FunctionName
      TriggerName: http
      TriggerType: http
      TriggerConfig: {authType: anonymous, methods: [POST]}
"""


class Running:
    """A template's triggers beside the MNS that feeds them, and a function that keeps its events."""

    def __init__(self, text: str, clock: Clock) -> None:
        self.events: list[bytes] = []
        self.answer: Callable[[bytes], object] = lambda event: b"done"
        self._pushes = TopicPushes()
        self.service = new_service(clock=clock, post=self._pushes)
        self.mns = Caller(self.service, clock)
        self._clock = clock
        self._template: Template = parse_template(text, source="template.yml")

    @contextmanager
    def triggers(self, endpoint: str) -> Iterator[Triggers]:
        """Wire them to a running MNS."""
        with closing(new_queues(endpoint, clock=self._clock)) as queues:
            yield Triggers(
                self._template,
                {"work": self._work}.__getitem__,
                account=self.service.account,
                pushes=self._pushes,
                queues=queues,
                keys=[OWN],
                clock=self._clock,
                random=random.Random(1),
            )

    def publish(self, body: str) -> None:
        """Publish to the topic."""
        document = f"<Message><MessageBody>{body}</MessageBody></Message>"
        assert self.mns.send("POST", "/topics/news/messages", document).status == 201

    def kinds(self) -> list[str]:
        """Tell what the events are, sorted."""
        found = [recognize(event) for event in self.events]
        return sorted(
            "http"
            if b"rawPath" in event
            else ",".join(message.transport for message in one.messages)
            if isinstance(one, Messages)
            else type(one).__name__
            for event, one in zip(self.events, found, strict=True)
        )

    def _work(self, event: bytes) -> object:
        self.events.append(event)
        return self.answer(event)


@pytest.fixture
def clock() -> HastyClock:
    """The machine's time, which can be moved: what signs requests takes no other."""
    return HastyClock()


@contextmanager
def by_hand(clock: HastyClock, text: str = TEMPLATE) -> Iterator[tuple[Running, Triggers]]:
    """Let nothing happen but by `run_due`."""
    running = Running(text, clock)
    with MnsServer(running.service) as server, running.triggers(server.endpoint) as triggers:
        yield running, triggers


def test_each_source_starts_its_function(clock: HastyClock) -> None:
    with by_hand(clock) as (running, triggers):
        running.publish("from the topic")
        running.service.push_due()
        running.mns.put("jobs", "one")
        running.mns.put("jobs", "two")
        clock.sleep(MINUTE)

        assert triggers.run_due() == 3

    assert running.kinds() == ["TimerTick", "mns-queue,mns-queue", "mns-topic"]


def test_a_failed_task_ends_in_the_dead_letter_queue(clock: HastyClock) -> None:
    def fail(event: bytes) -> object:
        raise ValueError("no")

    with by_hand(clock) as (running, triggers):
        running.answer = fail
        clock.sleep(MINUTE)
        triggers.run_due()
        (dead,) = running.service.account.queue("dead").receive(16, now=clock.now())

    assert json.loads(dead.body)["requestContext"]["functionArn"].endswith(":functions/work")


def test_a_queue_can_feed_asynchronously(clock: HastyClock) -> None:
    text = TEMPLATE.replace("asyncInvocationType: false", "asyncInvocationType: true")
    with by_hand(clock, text) as (running, triggers):
        running.mns.put("jobs", "one")

        triggers.run_due()

        assert [task.status for task in triggers.tasks.of("work")] == ["Succeeded"]


def test_a_batch_that_finds_no_instance_comes_back(clock: HastyClock) -> None:
    def busy(event: bytes) -> object:
        raise TooManyInstancesError("all 1 instances are busy")

    with by_hand(clock) as (running, triggers):
        running.mns.put("jobs", "one")
        running.answer = busy
        triggers.run_due()
        running.answer = len
        clock.sleep(21_000)
        triggers.run_due()

    assert running.kinds() == ["mns-queue", "mns-queue"]


def test_a_batch_that_is_too_long_to_be_asynchronous_stays_in_its_queue(clock: HastyClock) -> None:
    text = TEMPLATE.replace("asyncInvocationType: false", "asyncInvocationType: true")
    with by_hand(clock, text) as (running, triggers):
        for _ in range(3):
            running.mns.put("jobs", "x" * 60_000)

        triggers.run_due()

        assert triggers.tasks.of("work") == []
        counts = running.service.account.queue("jobs").counts(now=clock.now())
        assert counts["InactiveMessages"] == 3


def test_queues_and_topics_that_are_there_stay_as_they_are(clock: HastyClock) -> None:
    running = Running(TEMPLATE, clock)
    running.mns.queue("jobs", VisibilityTimeout=7)
    with MnsServer(running.service) as server, running.triggers(server.endpoint):
        pass

    assert running.service.account.queues["jobs"].attributes.visibility_timeout == 7
    assert {*running.service.account.queues} == {"jobs", "dead"}


def test_all_of_it_happens_by_itself(clock: HastyClock, until: Callable[[Callable[[], bool]], None]) -> None:
    running = Running(TEMPLATE, clock)
    with MnsServer(running.service) as server, running.triggers(server.endpoint) as triggers, triggers:
        running.publish("from the topic")
        running.mns.put("jobs", "one")
        reply = requests.post(triggers.urls["work"], data=b"from a browser", timeout=10)
        clock.sleep(MINUTE)

        until(lambda: len(running.events) >= 4)

    assert (reply.status_code, reply.content) == (200, b"done")
    assert running.kinds() == ["TimerTick", "http", "mns-queue", "mns-topic"]
