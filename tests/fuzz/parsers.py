"""Every parser of what strangers write, and which errors of ours it may raise: the table that is fuzzed.

A new parser gets a line in `PARSERS`. It is fed bytes, first those of its `seeds` and of its file in
`corpus/`, where what once was a finding is kept, too.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl

from shared import announcements, dead_letters
from shared.adapters.vendor_errors import read_refusal
from shared.console.routes import route
from shared.delivery import signature
from shared.delivery.rules import DeliveryPlan
from shared.documents import embedded, pointers
from shared.documents.urls import without_query
from shared.errors import (
    JobNotFoundError,
    ParseError,
    RefusedRequestError,
    SettingError,
    SignatureError,
)
from shared.handing_over import HandOver
from shared.inbound import notifications
from shared.inbound.certificates import public_key
from shared.inbound.json_web_keys import KeySet
from shared.inbound.json_web_tokens import TokenRules
from shared.inbound.signatures import KeyedSender, SignedPush
from shared.job_filter import Filter
from shared.kinds import KINDS, JobQuery
from shared.policy import MINUTE
from shared.queues import QueueMessage
from shared.record import canonical_bytes
from shared.runs import Shard
from shared.settings import Settings
from shared.toolkit import events, strict_json, xml_tree
from shared.toolkit.bodies import plain
from shared.toolkit.http_events import http_request
from shared.toolkit.masking import Masker
from shared.toolkit.parser import decode_json
from shared.toolkit.trace_context import carrier_of, trace_of
from shared.toolkit.triggers import recognize
from shared.vendor import Format, Part

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"

_FUNCTIONS = ("archive", "callback", "deliver", "reconcile", "track")
_PLACES = {"LEDGER_OBJECTS": "file:///a", "LEDGER_TABLES": "sqlite:///a"}
_TREES = {"answer": strict_json.parse('{"a/b": [{"~": "[1]"}, true], "#": "{\\"c\\": null}"}')}
_KEY = "a-key-of-the-fuzzer"
_NOW = 1_763_640_000_000  # 2025-11-20T12:00:00Z


@dataclass(frozen=True)
class Parser:
    """A parser; whatever `read` raises that is none of `refuses` is a finding.

    `seeds` are patterns of files below the repository's root.
    """

    name: str
    read: Callable[[bytes], object]
    refuses: tuple[type[Exception], ...] = (ParseError,)
    seeds: tuple[str, ...] = ()

    def accepts(self, data: bytes) -> bool:
        """Feed the parser; tell whether it made a value of the input."""
        try:
            self.read(data)
        except self.refuses:
            return False
        return True

    @property
    def corpus(self) -> Path:
        """Name the file that keeps its inputs: a bytes literal of Python in each line."""
        return CORPUS / f"{self.name}.txt"

    def kept(self) -> list[bytes]:
        """Give the corpus."""
        lines = self.corpus.read_text(encoding="ascii").splitlines() if self.corpus.exists() else []
        return [ast.literal_eval(line) for line in lines]

    def inputs(self) -> list[bytes]:
        """Give what fuzzing begins with: the corpus, then the seeds."""
        files = [path for pattern in self.seeds for path in sorted(ROOT.glob(pattern)) if path.is_file()]
        return [*self.kept(), *(path.read_bytes() for path in files)]


def _text(data: bytes) -> str:
    """Take bytes as a text of any characters but lone surrogates, which no environment or header holds."""
    return data.decode("utf-8", errors="replace")


def _normalize(kind: str, format_: Format, data: bytes) -> object:
    parts = [Part("answer", format_, data)]
    record = KINDS[kind].normalize(parts)
    return canonical_bytes(record), KINDS[kind].files(parts, _QUERY)


_QUERY = JobQuery("job", output="oss://bucket.oss-cn-shanghai.aliyuncs.com/folder/")


def _result_file(data: bytes) -> object:
    kind = KINDS["mts.video_quality"]
    return canonical_bytes(kind.normalize([Part("answer", "json", _FINISHED), Part("output", "txt", data)]))


_RULES = TokenRules(KeySet.parse((ROOT / "tests/data/console-jwks.json").read_text()), "media-ledger")


def _token(data: bytes) -> object:
    _RULES.check(_text(data), now=_NOW)
    return data


def _filter(data: bytes) -> object:
    return Filter.read(dict(parse_qsl(_text(data)))).values


_FINISHED = b'{"Job": {"JobId": "job", "Status": "Success", "Output": "job.txt"}}'


def _dead_letter(data: bytes) -> object:
    message = QueueMessage("m", _text(data), "r", 0, 1, source=None)
    return dead_letters.read("dead-letters", message, functions=_FUNCTIONS)


def _setting(data: bytes) -> object:
    """Read `NAME=value` lines as an environment; a variable's name is cut off by the first `=`."""
    pairs = [line.partition("=") for line in _text(data).split("\n")]
    return Settings.read({**_PLACES, **{name: value for name, _, value in pairs}})


def _headers(data: bytes) -> dict[str, str]:
    pairs = [line.partition(":") for line in _text(data).split("\n")]
    return {name: value.strip() for name, _, value in pairs}


def _signed(data: bytes) -> None:
    signature.verify(b"{}", _headers(data), keys=[_KEY], now=_NOW)


def _keyed(data: bytes) -> None:
    KeyedSender("vod", (_KEY,)).check(_headers(data), url="https://host/vod", now=_NOW, window=MINUTE)


def _push(data: bytes) -> object:
    """Read the headers of what MNS pushes; those that `data` does not have are right."""
    right = {
        "authorization": "c2lnbmVk",
        "content-md5": base64.b64encode(hashlib.md5(b"{}", usedforsecurity=False).digest()).decode(),
        "date": "Thu, 20 Nov 2025 12:00:00 GMT",
        "x-mns-signing-cert-url": base64.b64encode(
            b"https://mnstest.oss-cn-hangzhou.aliyuncs.com/x509_public_certificate.pem"
        ).decode(),
    }
    event = {
        "rawPath": "/mns",
        "headers": {**right, **_headers(data)},
        "body": "{}",
        "requestContext": {
            "http": {"method": "POST", "path": "/mns", "sourceIp": "127.0.0.1"},
            "domainName": "host.example",
            "requestId": "r",
        },
    }
    return SignedPush.read(http_request(json.dumps(event).encode()), now=_NOW)


def _shard(data: bytes) -> object:
    tree = decode_json(data, layer="reconcile")
    return (
        Shard.read(tree["shard"]) if isinstance(tree, dict) and isinstance(tree.get("shard"), dict) else None
    )


def _masked(data: bytes) -> object:
    return without_query(Masker(frozenset({_KEY}), phones=True).text(_text(data)))


_JSON = ("tests/data/answers/*/*/answer.json",)
_XML = ("tests/data/answers/*/*/answer.xml",)
_OF_AN_ANSWER = (ParseError, JobNotFoundError)

_KINDS = [
    Parser(
        f"{kind}-{format_}",
        partial(_normalize, kind, format_),
        _OF_AN_ANSWER,
        (f"tests/data/answers/{kind}/*/answer.{format_}",),
    )
    for kind in KINDS
    for format_ in ("json", "xml")
]

PARSERS: Sequence[Parser] = (
    Parser("trigger", recognize, (), ("events/*/*",)),
    Parser("queue-event", events.mns_queue, seeds=("events/callback/*",)),
    Parser("topic-event", events.mns_topic >> events.message_body, seeds=("events/callback/*",)),
    Parser("timer-event", events.timer, seeds=("events/reconcile/*",)),
    Parser("http-event", http_request, seeds=("events/track/http-*", "events/deliver/consumer-*")),
    Parser("trace-of-event", lambda data: trace_of(carrier_of(data) or {}), (), ("events/track/http-*",)),
    Parser("trace-of-headers", lambda data: trace_of(_headers(data)), ()),
    Parser("notification", notifications.read, seeds=("events/callback/topic-stream*",)),
    Parser("announcements", announcements.read, seeds=("events/track/*",)),
    Parser("hand-over", lambda data: HandOver.read(decode_json(data)), seeds=("events/deliver/jobs.json",)),
    Parser("shard", _shard, seeds=("events/reconcile/shard.json",)),
    Parser("dead-letter", _dead_letter, (), ("events/callback/*",)),
    Parser("base64-or-plain", lambda data: plain(_text(data)), (), ("events/callback/topic-stream*",)),
    Parser("strict-json", strict_json.parse, seeds=_JSON),
    Parser("json-stream", lambda data: list(strict_json.parse_stream(data)), seeds=_JSON),
    Parser("embedded-json", embedded.read, seeds=_JSON),
    Parser("xml", xml_tree.parse, seeds=_XML),
    *_KINDS,
    Parser("video-quality-file", _result_file, seeds=("tests/data/answers/mts.video_quality/*/output.*",)),
    Parser("pointer", lambda data: pointers.resolve(_TREES, _text(data))),
    Parser("vendor-error", lambda data: read_refusal(400, data), (), _JSON + _XML),
    Parser("settings", _setting, (SettingError,)),
    Parser("delivery-plan", lambda data: DeliveryPlan.parse(_text(data), kinds=KINDS), (ValueError,)),
    Parser("delivery-signature", _signed, (SignatureError,)),
    Parser("webhook-signature", _keyed, (RefusedRequestError,)),
    Parser("webhook-push", _push, (RefusedRequestError,)),
    Parser("console-path", lambda data: route(_text(data)), (RefusedRequestError,)),
    Parser("console-filter", _filter),
    Parser("console-token", _token, (RefusedRequestError,)),
    Parser("console-keys", lambda data: KeySet.parse(_text(data)), seeds=("tests/data/console-jwks.json",)),
    Parser("webhook-certificate", public_key, seeds=("tests/data/push-certificates/*",)),
    Parser("masking", _masked, (), ("events/deliver/*", *_JSON)),
)
