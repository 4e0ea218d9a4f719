"""The cloud of the demonstration: functions, queues, topic, timers, on a clock that is moved by hand."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import requests

from cli.demo_vendor import KEYS, REGION, USER_ID
from localcloud.fc.functions import LocalFunctions
from localcloud.fc.http_gateway import http_server
from localcloud.fc.log_lines import LogSink
from localcloud.fc.service import FcService, fc_server
from localcloud.fc.topic_trigger import TopicPushes
from localcloud.fc.triggers import Triggers
from localcloud.loopback import LoopbackServer
from localcloud.mns.service import MnsService
from localcloud.template import Template
from shared.adapters.aliyun.mns_queues import MnsQueues
from shared.adapters.clocks import SystemClock
from shared.adapters.http_sessions import HttpSessions
from shared.policy import SECOND
from shared.ports import Clock

Answers = list[tuple[str, Any]]
"""What functions answered, each with the function's name, in the order of their ends."""

# The queues of template.yml, by those of the samples, and its topic.
_QUEUES = {"media-callbacks": "media-ledger-callbacks", "ice-callback-media": "ice-callback-media-ledger"}
_TOPIC = "media-ledger-callbacks"
_TOPIC_FIELDS = {
    *("TopicOwner", "TopicName", "Subscriber", "SubscriptionName"),
    *("MessageId", "MessageMD5", "Message", "PublishTime"),
}
_VOD_KEY = "demo-key-of-vod"
_PATIENCE = 10 * SECOND
_MOST_BYTES = 1024 * 1024


class DemoCloud:
    """Runs the functions of a template, each in processes of its own, while `running` lasts.

    Nothing happens by itself: every method does what is due, and all that this starts.
    """

    def __init__(self, template: Template, *, code: Path, clock: Clock, log: LogSink) -> None:
        self._template = template
        self._code = code
        self._clock = clock
        self._log = log
        self._functions: LocalFunctions | None = None
        self._answers: Answers = []
        pushes, draw = TopicPushes(), random.Random(0)
        present = SystemClock()  # by which the vendor's client signs
        self._mns = MnsService(
            keys=[KEYS], account=USER_ID, region=REGION, post=pushes, clock=present, random=draw
        )
        mns = LoopbackServer(self._mns.answer, name="mns", max_body_bytes=_MOST_BYTES)
        self._queues = MnsQueues(
            mns.endpoint, credentials=lambda: KEYS, clock=present, open_session=HttpSessions().open
        )
        self._triggers = Triggers(
            template,
            self._resolve,
            account=self._mns.account,
            pushes=pushes,
            queues=self._queues,
            keys=[KEYS],
            clock=clock,
            random=draw,
        )
        fc = fc_server(
            FcService(self._resolve, keys=[KEYS], tasks=self._triggers.tasks, clock=clock, random=draw)
        )
        webhook = http_server(self._triggers.gateways["webhook"])
        self._servers = (mns, fc, webhook)
        self._vod_url = f"{webhook.endpoint}/vod"
        self._settings = {
            "LEDGER_MNS": mns.endpoint,
            "LEDGER_VOD_CALLBACK_KEY": _VOD_KEY,
            "LEDGER_CALLBACK_URLS": f"vod={self._vod_url}",
        }
        self.endpoint = fc.endpoint
        """Where functions are invoked."""

    @contextmanager
    def running(self, settings: Mapping[str, str]) -> Iterator[None]:
        """Serve, and have functions with these settings and those that point at this cloud."""
        with ExitStack() as serving:
            serving.enter_context(closing(self._queues))
            for server in self._servers:
                serving.enter_context(server)
            functions = LocalFunctions(
                self._template,
                {**settings, **self._settings},
                code=self._code,
                region=REGION,
                account_id=USER_ID,
                log=self._log,
            )
            self._functions = serving.enter_context(functions)
            yield

    def invoke(self, function: str, event: bytes) -> Answers:
        """Invoke a function directly."""
        self._resolve(function)(event)
        return self.run_due()

    def deliver(self, event: bytes) -> tuple[bool, Answers]:
        """Have `callback` invoked with what an event is about; tell whether by a trigger.

        What triggers of other settings would hand over, the function is invoked with as it is.
        """
        deadline = self._clock.now() + _PATIENCE
        if body := _published(event):
            self._queues.publish(_TOPIC, body, deadline=deadline)
        elif bodies := _queued(event):
            for queue, body in bodies:
                self._queues.send(queue, body, deadline=deadline)
            self._triggers.run_due()
            self._clock.sleep(SECOND)  # until the batch is complete
        else:
            return False, self.invoke("callback", event)
        return True, self.run_due()

    def call_back(self, body: Mapping[str, Any]) -> Answers:
        """Have VOD call back over HTTP."""
        timestamp = str(self._clock.now() // SECOND)
        signature = hashlib.md5(f"{self._vod_url}|{timestamp}|{_VOD_KEY}".encode()).hexdigest()
        headers = {"X-VOD-TIMESTAMP": timestamp, "X-VOD-SIGNATURE": signature}
        with requests.Session() as session:
            session.trust_env = False
            session.post(self._vod_url, json=body, headers=headers).raise_for_status()
        return self.run_due()

    def run_due(self) -> Answers:
        """Do what is due now."""
        self._mns.push_due()
        self._triggers.run_due()
        answers, self._answers = self._answers, []
        return answers

    def _resolve(self, name: str) -> Callable[[bytes], bytes]:
        assert self._functions is not None  # they are running
        function = self._functions.resolve(name)

        def run(event: bytes) -> bytes:
            answer = function(event)
            self._answers.append((name, json.loads(answer)))
            return answer

        return run


def _published(event: bytes) -> str | None:
    """Give the message of an event as the topic trigger of template.yml makes them; None for any other."""
    tree = _tree(event)
    is_ours = isinstance(tree, dict) and "TopicName" in tree and tree.keys() <= _TOPIC_FIELDS
    return str(tree["Message"]) if is_ours else None


def _queued(event: bytes) -> list[tuple[str, str]]:
    """Give queue and message of each element of a batch as the queue triggers of template.yml make them."""
    tree = _tree(event)
    if not isinstance(tree, list) or not all(isinstance(one, dict) and "subject" in one for one in tree):
        return []
    names = [_QUEUES.get(str(one["subject"]).rpartition("/")[2]) for one in tree]
    return [(name, one["data"]["messageBody"]) for name, one in zip(names, tree, strict=True) if name]


def _tree(event: bytes) -> Any:
    try:
        return json.loads(event)
    except ValueError:
        return None
