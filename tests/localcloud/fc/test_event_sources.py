"""What the template says starts functions, and what cannot be imitated."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.fc.destinations import AsyncConfig, Destination
from localcloud.fc.event_sources import EventSources, read_event_sources
from localcloud.template import TemplateError, parse_template, read_template

ROOT = Path(__file__).parents[3]
REGION, ACCOUNT = "cn-shanghai", "1000000000000001"

FUNCTION = """\
ROSTemplateFormatVersion: '2015-09-01'
Parameters:
  Name: {Type: String, Default: desk}
Resources:
  Callback:
    Type: ALIYUN::FC3::Function
    Properties:
      FunctionName: !Sub ${Name}-callback
      Runtime: python3.10
      Handler: functions.callback.handler.handler
      Timeout: 60
      MemorySize: 512
  Queue: {Type: 'ALIYUN::MNS::Queue', Properties: {QueueName: !Sub '${Name}-work', VisibilityTimeout: 60}}
"""
TRIGGER = """\
  One:
    Type: ALIYUN::FC3::Trigger
    Properties:
      FunctionName: !GetAtt Callback.FunctionName
      TriggerName: one
"""
QUEUE = """\
      TriggerType: eventbridge
      TriggerConfig:
        eventSourceConfig:
          eventSourceType: MNS
          eventSourceParameters: {sourceMNSParameters: {QueueName: !Ref Queue}}
        runOptions:
          deadLetterQueue: {Arn: !Sub 'acs:mns:${ALIYUN::Region}:${ALIYUN::TenantId}:/queues/dead'}
"""
JWT = """\
      TriggerType: http
      TriggerConfig: {authType: jwt, methods: [GET], authConfig: '{"tokenLookup": "header:auth"}'}
"""


def read(text: str) -> EventSources:
    template = parse_template(FUNCTION + text, source="template.yml")
    return read_event_sources(template, region=REGION, account=ACCOUNT)


def test_the_template_of_the_project_can_be_run() -> None:
    sources = read_event_sources(read_template(ROOT / "template.yml"), region=REGION, account=ACCOUNT)

    queues = {(one.function, one.queue, one.largest_batch, one.dead_letters) for one in sources.queues}
    assert ("callback", "media-ledger-callbacks", 10, "media-ledger-dead-letters") in queues
    assert [(one.function, one.topic) for one in sources.topics] == [("callback", "media-ledger-callbacks")]
    assert ("reconcile", 60_000) in {(one.function, one.schedule.every_ms) for one in sources.timers}
    assert ("track", "function", ("POST",)) in {(one.function, one.auth, one.methods) for one in sources.http}
    dead = Destination("queue", "media-ledger-dead-letters")
    assert sources.asynchronous["callback"] == AsyncConfig(3, 86_400, on_failure=dead)
    assert {one.queue for one in sources.queues} <= set(sources.declared_queues)
    assert {one.topic for one in sources.topics} <= set(sources.declared_topics)


def test_what_a_trigger_leaves_out_is_as_the_platform_has_it() -> None:
    (queue,) = read(TRIGGER + QUEUE).queues

    assert (queue.queue, queue.dead_letters) == ("desk-work", "dead")
    assert (queue.decodes_base64, queue.is_raw, queue.is_asynchronous) == (True, False, False)
    assert (queue.is_one_by_one, queue.largest_batch, queue.window_ms) == (True, 1, 0)
    assert (queue.strategy, queue.tolerates_errors) == ("BACKOFF_RETRY", False)


@pytest.mark.parametrize(
    "text",
    [
        QUEUE.replace("TriggerConfig:", "TriggerConfig:\n        triggerEnable: false"),
        "      TriggerType: timer\n      TriggerConfig: {cronExpression: '@every 1m', enable: false}\n",
    ],
)
def test_a_trigger_that_is_off_starts_nothing(text: str) -> None:
    sources = read(TRIGGER + text)

    assert (sources.queues, sources.timers) == ((), ())


def test_a_jwt_trigger_has_its_configuration() -> None:
    (trigger,) = read(TRIGGER + JWT).http

    assert (trigger.auth, trigger.jwt) == ("jwt", {"tokenLookup": "header:auth"})


def test_destinations_are_functions_and_queues() -> None:
    sources = read("""\
  Async:
    Type: ALIYUN::FC3::AsyncInvokeConfig
    Properties:
      FunctionName: !Ref Callback
      DestinationConfig:
        OnSuccess: {Destination: 'acs:fc:cn-shanghai:1:functions/desk-callback'}
        OnFailure: {Destination: 'acs:fc:cn-shanghai:1:functions/elsewhere'}
""")

    assert sources.asynchronous == {
        "callback": AsyncConfig(
            on_success=Destination("function", "callback"), on_failure=Destination("function", "elsewhere")
        )
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            TRIGGER + "      TriggerType: oss\n      TriggerConfig: {}\n",
            "One: triggers of type oss are not imitated",
        ),
        (
            TRIGGER + "      TriggerType: timer\n      TriggerConfig: {}\n",
            "One: cronExpression is missing",
        ),
        (TRIGGER + JWT.replace('{"t', '"t'), "One: authConfig must be a JSON object"),
        (
            TRIGGER + "      TriggerType: timer\n      TriggerConfig: {cronExpression: hourly}\n",
            "One: cronExpression: 'hourly' has 1 fields",
        ),
        (
            TRIGGER + "      TriggerType: timer\n      TriggerConfig: {enable: perhaps}\n",
            "One: enable must be true or false",
        ),
        (
            TRIGGER + "      TriggerType: mns_topic\n      TriggerConfig: {}\n      SourceArn: x\n",
            "One: SourceArn must name a topic",
        ),
        (TRIGGER + QUEUE.replace("Type: MNS", "Type: Kafka"), "One: of EventBridge's sources only MNS"),
        (
            TRIGGER + QUEUE.replace("acs:mns", "acs:fc").replace(":/queues", ":functions"),
            "One: of dead-letter",
        ),
        (TRIGGER + QUEUE.replace("acs:mns", "acs:mq"), "One: 'acs:mq:"),
        (
            TRIGGER + QUEUE.replace("runOptions:", "runOptions:\n          mode: fast"),
            "One: mode must be one of event-driven, event-streaming",
        ),
        (
            TRIGGER
            + QUEUE.replace("runOptions:", "runOptions:\n          batchWindow: {TimeBasedWindow: x}"),
            "One: TimeBasedWindow must be a whole number",
        ),
        (
            TRIGGER + QUEUE.replace("!Ref Queue", "!GetAtt Queue.Arn"),
            "One: QueueName: Queue.Arn is known only when",
        ),
        (TRIGGER + QUEUE.replace("!Ref Queue", "[x]"), "One: QueueName must be text, a number, Ref"),
        (
            "  Async: {Type: 'ALIYUN::FC3::AsyncInvokeConfig', Properties: {FunctionName: other}}\n",
            "Async: no function 'other'",
        ),
    ],
)
def test_what_cannot_be_imitated_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        read(text)

    assert str(error.value).startswith(message)
