"""What starts functions, read from the template: triggers, asynchronous configurations, queues and topics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast, get_args

from localcloud.fc.cron import Schedule, ScheduleError
from localcloud.fc.destinations import AsyncConfig, Destination
from localcloud.fc.http_trigger import AuthType, HttpTrigger
from localcloud.fc.queue_trigger import QueueTrigger
from localcloud.fc.template_texts import Texts
from localcloud.fc.timers import TimerTrigger
from localcloud.fc.topic_trigger import ContentFormat, TopicTrigger
from localcloud.mns.queues import QueueAttributes
from localcloud.mns.topics import Strategy
from localcloud.template import FUNCTION, TRIGGER, Properties, Template, TemplateError

_Trigger = TypeVar("_Trigger", TopicTrigger, QueueTrigger, TimerTrigger, HttpTrigger)


@dataclass(frozen=True)
class EventSources:
    """All of it, by the names that the runner gives to functions: those of their folders."""

    topics: tuple[TopicTrigger, ...]
    queues: tuple[QueueTrigger, ...]
    timers: tuple[TimerTrigger, ...]
    http: tuple[HttpTrigger, ...]
    asynchronous: Mapping[str, AsyncConfig]
    declared_queues: Mapping[str, QueueAttributes]
    declared_topics: tuple[str, ...]


def read_event_sources(template: Template, *, region: str, account: str) -> EventSources:
    """Read them; raise `TemplateError` for what cannot be imitated, naming the resource.

    Conditions are not looked at: a resource with one counts as there.
    """
    return _Reader(template, Texts(template, region=region, account=account)).read()


class _Reader:
    def __init__(self, template: Template, texts: Texts) -> None:
        self._template = template
        self._texts = texts
        self._folders = dict(self._deployed())

    def read(self) -> EventSources:
        triggers = [self._trigger(name, one) for name, one in self._template.resources(TRIGGER).items()]
        found = [one for one in triggers if one is not None]
        return EventSources(
            topics=_of(TopicTrigger, found),
            queues=_of(QueueTrigger, found),
            timers=_of(TimerTrigger, found),
            http=_of(HttpTrigger, found),
            asynchronous=dict(self._asynchronous()),
            declared_queues=dict(self._queues()),
            declared_topics=tuple(
                self._texts.tell(one, "TopicName", name)
                for name, one in self._template.resources("ALIYUN::MNS::Topic").items()
            ),
        )

    def _deployed(self) -> Iterator[tuple[str, str]]:
        """Give the name of each function in a stack, and its folder."""
        for where, one in self._template.resources(FUNCTION).items():
            handler = self._texts.tell(one, "Handler", where)
            yield self._texts.tell(one, "FunctionName", where), handler.split(".")[1]

    def _function(self, properties: Properties, where: str) -> str:
        name = self._texts.tell(properties, "FunctionName", where)
        if name not in self._folders:
            raise TemplateError(f"{where}: no function {name!r} in the template")
        return self._folders[name]

    def _trigger(
        self, where: str, one: Properties
    ) -> TopicTrigger | QueueTrigger | TimerTrigger | HttpTrigger | None:
        function = self._function(one, where)
        name = self._texts.tell(one, "TriggerName", where)
        config = self._texts.within(one, "TriggerConfig")
        match self._texts.tell(one, "TriggerType", where):
            case "mns_topic":
                return self._topic(function, name, one, where)
            case "eventbridge":
                is_on = self._texts.flag(config, "triggerEnable", where, default=True)
                return self._queue(function, name, config, where) if is_on else None
            case "timer":
                is_on = self._texts.flag(config, "enable", where, default=True)
                return self._timer(function, name, config, where) if is_on else None
            case "http":
                return self._http(function, name, config, where)
            case other:
                raise TemplateError(f"{where}: triggers of type {other} are not imitated")

    def _topic(self, function: str, name: str, one: Properties, where: str) -> TopicTrigger:
        config = self._texts.within(one, "TriggerConfig")
        arn = self._texts.tell(one, "SourceArn", where)
        _, separator, topic = arn.partition(":/topics/")
        if not separator:
            raise TemplateError(
                f"{where}: SourceArn must name a topic, as acs:mns:<region>:<account>:/topics/x"
            )
        return TopicTrigger(
            function,
            name,
            topic,
            cast("ContentFormat", self._word(config, "notifyContentFormat", where, get_args(ContentFormat))),
            cast("Strategy", self._word(config, "notifyStrategy", where, get_args(Strategy))),
            filter_tag=self._texts.tell(config, "filterTag", where, default=""),
        )

    def _queue(self, function: str, name: str, config: Properties, where: str) -> QueueTrigger:
        within, word = self._texts.within, self._word
        source = within(config, "eventSourceConfig")
        if self._texts.tell(source, "eventSourceType", where) != "MNS":
            raise TemplateError(f"{where}: of EventBridge's sources only MNS is imitated")
        queue = within(source, "eventSourceParameters", "sourceMNSParameters")
        run = within(config, "runOptions")
        delivery, window = within(config, "eventSinkConfig", "deliveryOption"), within(run, "batchWindow")
        one_by_one = word(run, "mode", where, ("event-driven", "event-streaming")) == "event-driven"
        return QueueTrigger(
            function,
            name,
            queue=self._texts.tell(queue, "QueueName", where),
            decodes_base64=self._texts.flag(queue, "IsBase64Decode", where, default=True),
            is_raw=word(delivery, "eventSchema", where, ("CloudEvents", "RawData")) == "RawData",
            is_one_by_one=one_by_one,
            is_asynchronous=self._texts.flag(config, "asyncInvocationType", where, default=False),
            largest_batch=1
            if one_by_one
            else max(self._texts.number(window, "CountBasedWindow", where, default=1), 1),
            window_ms=self._texts.number(window, "TimeBasedWindow", where, default=0) * 1_000,
            strategy=cast(
                "Strategy",
                word(within(run, "retryStrategy"), "PushRetryStrategy", where, get_args(Strategy)),
            ),
            tolerates_errors=word(run, "errorsTolerance", where, ("NONE", "ALL")) == "ALL",
            dead_letters=self._dead_letters(within(run, "deadLetterQueue"), where),
        )

    def _dead_letters(self, queue: Properties, where: str) -> str | None:
        if not queue:
            return None
        destination = self._destination(self._texts.tell(queue, "Arn", where), where)
        if destination.kind != "queue":
            raise TemplateError(f"{where}: of dead-letter queues only those of MNS are imitated")
        return destination.name

    def _timer(self, function: str, name: str, config: Properties, where: str) -> TimerTrigger:
        try:
            schedule = Schedule.parse(self._texts.tell(config, "cronExpression", where))
        except ScheduleError as error:
            raise TemplateError(f"{where}: cronExpression: {error}") from None
        return TimerTrigger(function, name, schedule, self._texts.tell(config, "payload", where, default=""))

    def _http(self, function: str, name: str, config: Properties, where: str) -> HttpTrigger:
        methods = config.get("methods")
        listed = methods if isinstance(methods, list) else []
        auth = self._word(config, "authType", where, get_args(AuthType))
        jwt = self._json_object(config, "authConfig", where) if auth == "jwt" else {}
        return HttpTrigger(
            function,
            name,
            cast("AuthType", auth),
            tuple(self._texts.text(method, f"{where}: methods") for method in listed),
            jwt,
        )

    def _json_object(self, parent: Properties, name: str, where: str) -> Mapping[str, Any]:
        try:
            tree = json.loads(self._texts.tell(parent, name, where))
        except ValueError:
            tree = None
        if not isinstance(tree, dict):
            raise TemplateError(f"{where}: {name} must be a JSON object in a string")
        return tree

    def _asynchronous(self) -> Iterator[tuple[str, AsyncConfig]]:
        usual = AsyncConfig()
        for where, one in self._template.resources("ALIYUN::FC3::AsyncInvokeConfig").items():
            told = {
                name: self._destination(self._texts.tell(inner, "Destination", where), where)
                for name in ("OnSuccess", "OnFailure")
                if (inner := self._texts.within(one, "DestinationConfig", name))
            }
            number = self._texts.number
            yield (
                self._function(one, where),
                AsyncConfig(
                    number(one, "MaxAsyncRetryAttempts", where, default=usual.retries),
                    number(one, "MaxAsyncEventAgeInSeconds", where, default=usual.oldest_s),
                    told.get("OnSuccess"),
                    told.get("OnFailure"),
                ),
            )

    def _destination(self, arn: str, where: str) -> Destination:
        try:
            found = Destination.of(arn)
        except ValueError as error:
            raise TemplateError(f"{where}: {error}") from None
        if found.kind == "function":
            return Destination("function", self._folders.get(found.name, found.name))
        return found

    def _queues(self) -> Iterator[tuple[str, QueueAttributes]]:
        usual, number = QueueAttributes(), self._texts.number
        for where, one in self._template.resources("ALIYUN::MNS::Queue").items():
            yield (
                self._texts.tell(one, "QueueName", where),
                QueueAttributes(
                    number(one, "VisibilityTimeout", where, default=usual.visibility_timeout),
                    number(one, "MaximumMessageSize", where, default=usual.maximum_message_size),
                    number(one, "MessageRetentionPeriod", where, default=usual.message_retention_period),
                ),
            )

    def _word(self, parent: Properties, name: str, where: str, known: tuple[str, ...]) -> str:
        """Resolve a member that is one of these words, the first where it is left out."""
        word = self._texts.tell(parent, name, where, default=known[0])
        if word not in known:
            raise TemplateError(f"{where}: {name} must be one of {', '.join(known)}")
        return word


def _of(
    kind: type[_Trigger], found: list[TopicTrigger | QueueTrigger | TimerTrigger | HttpTrigger]
) -> tuple[_Trigger, ...]:
    return tuple(one for one in found if isinstance(one, kind))
