"""Marked secrets go in everywhere, and come out nowhere: in no log line, metric, span, error, report, record,
delivered event, table row or output of a command.

Exempt is what was received, as it was received: raw answers, what nobody could read, the bodies in the inbox,
the words of the vendor that a record quotes, and the URL of a picture until it is copied (docs/security.md).
"""

from __future__ import annotations

import base64
import json
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from urllib.parse import parse_qsl, quote

import pytest
from opentelemetry import trace as opentelemetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cli.terminal import functions_log_to
from localcloud.media.gateway import Gateway
from localcloud.media.jobs import Pace
from localcloud.media.server import MediaApiServer
from localcloud.media.vod import Outcome, Vod
from localcloud.runner import InProcessRunner, InvocationError
from localcloud.template import read_template
from shared import bootstrap
from shared.adapters.local.file_clock import FileClock
from shared.documents import cursor
from shared.hooks.services import HookServices
from shared.jobs import JobRef
from shared.record import JobRecord
from shared.toolkit import Masker
from shared.toolkit.context import Credentials
from tests.canaries import (
    KEYS,
    PERSON,
    PHONE,
    SECRETS,
    SIGNED_URL,
    TOKEN,
    Places,
    found_in,
    look_at_stores,
    marked_callbacks,
)
from tests.console import event as page_event
from tests.simulation.run import START
from tests.tokens import claims, jwks, token

ROOT = Path(__file__).parent.parent
KIND = "vod.media_audit"
TEMPORARY = Credentials(KEYS.access_key_id, KEYS.access_key_secret, TOKEN)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Record spans."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # A provider can be set once in a process: that would stay for all other tests.
    monkeypatch.setattr(opentelemetry, "get_tracer", provider.get_tracer)
    return exporter


@dataclass
class Functions:
    """The functions in this process, on stores in a folder; vendor and hook are full of secrets."""

    folder: Path
    spans: InMemorySpanExporter
    monkeypatch: pytest.MonkeyPatch
    pages: dict[str, str] = field(default_factory=dict)

    def look(self) -> Places:
        """Have marked callbacks taken in, told of and asked about again; search all that this leaves."""
        places, lines = Places(), StringIO()
        clock = FileClock(self.folder / "clock")
        clock.set(START)
        data = json.loads(marked_callbacks()["marked.json"])["Data"]
        ends = {"m": Outcome("success", data=data), "m2": Outcome("fail", code="C", message=SIGNED_URL)}
        vod = Vod(clock=clock, pace=Pace(0, 0), outcomes=ends, job_ids=iter(["canary", "c2"]))
        submit = next(action for action in vod.actions() if action.name.startswith("Submit"))
        for media in ends:
            submit.handle({"MediaId": media})
        gateway = Gateway(vod.actions(), keys=(TEMPORARY,), clock=clock, random=random.Random(1))
        with MediaApiServer(gateway) as vendor, functions_log_to(lines):
            for name, value in self._settings(vendor.endpoint).items():
                self.monkeypatch.setenv(name, value)
            self._invoke(places)
        bootstrap.end_instance()
        for line in lines.getvalue().splitlines():
            places.look("log line", line)
        for one in self.spans.get_finished_spans():
            places.look("span", one.to_json())
        look_at_stores(places, self.folder)
        return places

    def _invoke(self, places: Places) -> None:
        runner = InProcessRunner(read_template(ROOT / "template.yml"))
        jobs = [JobRef(KIND, job_id).key for job_id in ("canary", "c2")]
        refused = {"kind": KIND, "job_id": "j", "output": SIGNED_URL, "user_id": TOKEN, SIGNED_URL: PHONE}
        events = [("callback", body) for body in marked_callbacks().values()]
        events += [
            ("track", json.dumps([refused]).encode()),
            ("deliver", json.dumps({"jobs": jobs}).encode()),
        ]
        events += [("reconcile", json.dumps({"jobs": jobs}).encode()), ("reconcile", SIGNED_URL.encode())]
        for function, event in events:
            try:
                places.look(f"answer of {function}", runner.invoke(function, event))
            except InvocationError as error:
                places.look(f"error of {function}", str(error) + json.dumps(error.body))
        self._show(places, runner, jobs)

    def _show(self, places: Places, runner: InProcessRunner, jobs: list[str]) -> None:
        """Have the console show it all, with what was asked for full of secrets, too."""
        self.monkeypatch.setenv("LEDGER_CONSOLE_JWKS", jwks())
        looker = claims(START, sub=PERSON)
        pasted = quote(SIGNED_URL)
        asked = [
            "/",
            "/jobs",
            "/jobs?needs=any",
            f"/jobs?label={pasted}",
            f"/jobs?state={pasted}",
            f"/{pasted}",
        ]
        for job in jobs:
            asked += [
                f"/jobs/{job}",
                f"/jobs/{job}?at=answer:/MediaAuditJob/Data",
                f"/jobs/{job}?at={pasted}",
            ]
        for target in asked:
            path, _, query = target.partition("?")
            event = page_event(path, dict(parse_qsl(query)), authorization=f"Bearer {token(looker)}")
            shown = json.loads(runner.invoke("console", event))
            assert shown["statusCode"] in (200, 400, 404)
            self.pages[target] = shown["body"]
            places.look(f"page {path}", shown["body"].replace(PHONE, "a phone number that somebody spoke"))

    def _settings(self, vendor: str) -> dict[str, str]:
        plan = {
            "targets": {"hook": {"url": f"python:{__name__}:post_process"}},
            "rules": [{"to": ["hook"]}],
        }
        return {
            "LEDGER_OBJECTS": f"file://{self.folder}/archive",
            "LEDGER_TABLES": f"sqlite://{self.folder}/ledger.db",
            "LEDGER_CLOCK": str(self.folder / "clock"),
            "LEDGER_REGION": "cn-shanghai",
            "LEDGER_ENDPOINTS": f"vod={vendor}",
            "LEDGER_DELIVERY": json.dumps(plan),
            "LEDGER_CALLBACK_INSTANCES": "1",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": TEMPORARY.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": TEMPORARY.access_key_secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": TOKEN,
        }


def post_process(record: JobRecord, services: HookServices) -> None:
    """Fail."""
    logging.getLogger(__name__).error("cannot post to %s", SIGNED_URL, extra={"token": TOKEN})
    raise RuntimeError(f"{SIGNED_URL} and token={TOKEN}")


@pytest.fixture
def functions(tmp_path: Path, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> Functions:
    """Give functions that have done nothing yet."""
    return Functions(tmp_path, spans, monkeypatch)


def test_functions_leave_no_secret_anywhere(functions: Functions) -> None:
    places = functions.look()

    assert places.leaks == []
    assert {one.name for one in functions.spans.get_finished_spans()} >= {"callback", "deliver", "console"}
    assert any(SIGNED_URL.partition("?")[0] in one for one in functions.pages.values())


@pytest.mark.parametrize(
    ("owner", "name", "harmless", "where"),
    [
        (cursor, "without_query", lambda text: text, "object below records: signature of a URL"),
        (Masker, "text", lambda self, text: text, "log line: token"),
    ],
    ids=["URLs of records", "log lines"],
)
def test_masking_that_is_switched_off_in_one_place_is_seen(
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    harmless: Callable[..., str],
    where: str,
) -> None:
    monkeypatch.setattr(owner, name, harmless)

    assert where in functions.look().leaks


@pytest.mark.parametrize(
    "write",
    [
        str,
        json.dumps,
        lambda secret: json.dumps(json.dumps({"a": secret})),
        lambda secret: f"a{secret}b",
        lambda secret: base64.b64encode(f"{secret}".encode()).decode(),
        lambda secret: base64.b64encode(f"ab{secret}c".encode()).decode(),
        lambda secret: base64.b64encode(f"a{secret}".encode()).decode(),
        lambda secret: quote(secret, safe=""),
    ],
)
def test_a_secret_is_found_however_it_is_written(write: Callable[[str], str]) -> None:
    assert {name for name, secret in SECRETS.items() if name in found_in(write(secret).encode())} == set(
        SECRETS
    )


def test_only_what_was_received_is_exempt() -> None:
    places = Places()
    places.look_at_archive(
        {
            "raw/a": SIGNED_URL.encode(),
            "records/a": json.dumps({"findings": [{"text": PHONE, "check": TOKEN}]}).encode(),
            "reports/a": PHONE.encode(),
        }
    )

    assert places.leaks == ["object below records: token", "object below reports: phone number"]
