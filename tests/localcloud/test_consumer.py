"""The samples of what a consumer receives are what is sent, and the sample consumer takes them rightly."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from localcloud.consumer import Consumer, Taken, server
from shared.adapters.clocks import ManualClock, SystemClock
from shared.adapters.senders.https import HttpsSender
from shared.adapters.senders.limited_runs import LimitedRuns
from shared.delivery.event import SettledVersion, make_event
from shared.delivery.signature import sign
from shared.delivery.targets import Dispatch, Target
from shared.errors import ParseError, SignatureError
from shared.jobs import JobRef
from shared.toolkit import HttpRequest, http_request

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "events" / "deliver"
SAMPLES = {path.stem.removeprefix("consumer-"): path for path in FOLDER.glob("consumer-*.json")}
REFUSED = {"forged": "changed on its way", "replayed": "too long ago"}
GOOD = sorted(SAMPLES.keys() - REFUSED.keys())
NEW_KEY, OLD_KEY = "sample-key-of-2025", "sample-key-of-2024"
JOB = "a5.vod.media_audit.0d5f1a7c9b3e4826a1c4e7f2b9d60385"


def received(name: str) -> tuple[HttpRequest, int]:
    """Give a delivery, and when it was received."""
    event = SAMPLES[name].read_bytes()
    return http_request(event), int(json.loads(event)["requestContext"]["timeEpoch"])


def take(database: Path, name: str, *keys: str) -> Taken:
    """Have a consumer that was just started take a sample when it was received."""
    request, at = received(name)
    with closing(Consumer(database, keys=keys or (NEW_KEY,), clock=ManualClock(at))) as consumer:
        return consumer.take(request.body, request.headers)


def known(database: Path) -> dict[str, tuple[int, str, str]]:
    with closing(Consumer(database, keys=[], clock=ManualClock(0))) as consumer:
        return consumer.jobs()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "consumer.db"


@pytest.mark.parametrize("name", GOOD)
def test_a_sample_is_what_is_sent(name: str) -> None:
    request, now = received(name)
    event = json.loads(request.body)
    data = event["data"]
    version = SettledVersion(
        JobRef(data["kind"], data["job_id"]),
        data["version"],
        data["digest"],
        1_763_639_940_000 + 30_000 * data["version"],
        data["record_key"],
        tuple(data["raw_keys"]),
    )
    target = Target("publisher", "https://publisher.example/", "https", inline_record="record" in data)
    stored = json.dumps(data.get("record", data)).encode()

    signed = sign(request.body, keys=[NEW_KEY, OLD_KEY] if name == "newer" else [NEW_KEY], now=now)

    assert request.body == make_event(version, stored, target, source="media-ledger")
    assert {key: request.headers[key.lower()] for key in signed} == signed
    assert request.headers["media-ledger-event-id"] == event["id"]
    assert request.headers["media-ledger-version"] == str(data["version"])


def test_an_event_counts_once_however_often_it_comes(database: Path) -> None:
    taken = [take(database, name) for name in ("first", "retried", "redelivered")]

    assert taken == ["new", "repeated", "repeated"]


def test_an_older_version_does_not_replace_a_newer_one(database: Path) -> None:
    taken = [take(database, name) for name in ("newer", "first", "newer")]

    version, _, _ = known(database)[JOB]
    assert (taken, version) == (["new", "older", "repeated"], 2)


def test_a_record_that_changed_back_counts_although_its_event_has_the_id_of_the_first(
    database: Path,
) -> None:
    taken = [take(database, name) for name in ("first", "newer")]
    request, at = received("first")
    event = json.loads(request.body)
    event["data"]["version"] = 3
    back = json.dumps(event).encode()
    with closing(Consumer(database, keys=[NEW_KEY], clock=ManualClock(at))) as consumer:
        taken.append(consumer.take(back, sign(back, keys=[NEW_KEY], now=at)))

    assert taken == ["new", "new", "new"]
    assert known(database)[JOB][:2] == (3, event["data"]["digest"])


@given(st.permutations([*GOOD, *GOOD]))
def test_in_whatever_order_events_come_the_newest_versions_remain(names: list[str]) -> None:
    with TemporaryDirectory() as folder:
        database = Path(folder) / "consumer.db"
        for name in names:
            take(database, name)

        assert {subject: version for subject, (version, _, _) in known(database).items()} == {
            JOB: 2,
            "7b.vod.media_audit.b3a96e0c4d7f41528e6a90d1c75f3b24": 1,
        }


@pytest.mark.parametrize(("name", "told"), REFUSED.items())
def test_what_was_forged_or_kept_is_refused_and_leaves_nothing(database: Path, name: str, told: str) -> None:
    with pytest.raises(SignatureError, match=told):
        take(database, name)

    assert known(database) == {}


def test_while_keys_change_a_consumer_with_either_key_takes_the_event(tmp_path: Path) -> None:
    assert take(tmp_path / "new.db", "newer", NEW_KEY) == "new"
    assert take(tmp_path / "old.db", "newer", OLD_KEY) == "new"
    assert take(tmp_path / "both.db", "first", OLD_KEY, NEW_KEY) == "new"


def test_an_event_whose_taking_failed_is_not_taken_for_a_repetition(database: Path) -> None:
    request, at = received("first")
    with closing(Consumer(database, keys=[NEW_KEY], clock=ManualClock(at))) as consumer:
        with closing(sqlite3.connect(database)) as other, other:
            other.execute("create trigger full before insert on jobs begin select raise(abort, 'full'); end")
        with pytest.raises(sqlite3.IntegrityError):
            consumer.take(request.body, request.headers)
        with closing(sqlite3.connect(database)) as other, other:
            other.execute("drop trigger full")

    assert take(database, "first") == "new"


def test_of_many_who_take_an_event_at_once_one_has_it_first(database: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = Counter(pool.map(lambda _: take(database, "first"), range(24)))

    assert taken == {"new": 1, "repeated": 23}


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"specversion": "1.0", "id": 1}'])
def test_what_is_signed_but_no_event_is_refused(database: Path, body: bytes) -> None:
    headers = sign(body, keys=[NEW_KEY], now=0)

    with (
        closing(Consumer(database, keys=[NEW_KEY], clock=ManualClock(0))) as consumer,
        pytest.raises(ParseError),
    ):
        consumer.take(body, headers)


@pytest.fixture
def address(database: Path) -> Iterator[str]:
    """Serve a consumer whose clock stands where `first` was received."""
    _, at = received("first")
    consumer = Consumer(database, keys=[NEW_KEY], clock=ManualClock(at))
    with closing(consumer), server(consumer) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}/"
        serving.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [
        ("first", 200, "new"),
        ("with-record", 200, "new"),
        ("forged", 401, "signed by no known key"),
        ("redelivered", 401, "in the future"),
    ],
)
def test_the_answer_says_whether_to_try_again(address: str, name: str, status: int, told: str) -> None:
    request, _ = received(name)

    answer = requests.post(address, request.body, headers=dict(request.headers), timeout=10)

    assert answer.status_code == status
    assert told in answer.text


@pytest.mark.parametrize("length", [None, "many", "2097153"])
def test_a_body_of_no_length_or_too_great_a_one_is_not_read(address: str, length: str | None) -> None:
    with closing(HTTPConnection(urlsplit(address).netloc, timeout=10)) as connection:
        connection.putrequest("POST", "/")
        if length is not None:
            connection.putheader("Content-Length", length)
        connection.endheaders()

        assert connection.getresponse().status == 413


def test_no_event_is_answered_with_400_and_a_broken_database_with_503(address: str, database: Path) -> None:
    request, at = received("first")
    nothing = requests.post(address, b"{}", headers=sign(b"{}", keys=[NEW_KEY], now=at), timeout=10)
    with closing(sqlite3.connect(database)) as other, other:
        other.execute("drop table jobs")

    broken = requests.post(address, request.body, headers=dict(request.headers), timeout=10)

    assert (nothing.status_code, broken.status_code) == (400, 503)


def test_what_the_sender_sends_is_taken(address: str, database: Path) -> None:
    request, at = received("first")
    target = Target("publisher", address, "https", allows_private=True)
    event_id = json.loads(request.body)["id"]
    sender = HttpsSender(LimitedRuns(), clock=ManualClock(at), keys={"publisher": [OLD_KEY, NEW_KEY]})

    sender.send(target, Dispatch(request.body, event_id, "delivery-1", 1, JOB, 1), deadline=at + 10_000)

    assert known(database)[JOB][0] == 1


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "localcloud.consumer",
        "--port",
        "0",
        "--database",
        str(tmp_path / "c.db"),
    ]
    env = {**os.environ, "CONSUMER_KEYS": f"{NEW_KEY} {OLD_KEY}", "PYTHONPATH": str(ROOT)}
    request, _ = received("first")
    signed = sign(request.body, keys=[OLD_KEY], now=SystemClock().now())
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as program:
        assert program.stderr
        listening = re.search(r"http://\S+", program.stderr.readline())
        assert listening

        answer = requests.post(listening[0], request.body, headers=signed, timeout=10)
        program.send_signal(signal.SIGINT)

        assert (answer.text, program.wait(timeout=10)) == ("new", 0)


def test_without_keys_it_does_not_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "localcloud.consumer"]
    env = {**os.environ, "CONSUMER_KEYS": " ", "PYTHONPATH": str(ROOT)}

    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert (done.returncode, "set CONSUMER_KEYS" in done.stderr) == (2, True)
    assert not list(tmp_path.iterdir())
