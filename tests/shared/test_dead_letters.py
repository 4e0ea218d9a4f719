"""What a dead letter was, and where it goes back to."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.dead_letters import DeadLetter, read
from shared.handing_over import HandOver
from shared.queues import QueueMessage
from shared.toolkit.message import Messages
from shared.toolkit.triggers import recognize

SAMPLES = Path(__file__).parents[2] / "events"
FUNCTIONS = ("callback", "deliver", "reconcile", "track")
SINCE = 1_763_640_000_000
SOURCE = "acs:mns:cn-shanghai:1000000000000001:/queues/media-callbacks"
JOB_ID = "226c021a12447b8947631ef827eaea4f"
VOD = json.dumps({"EventType": "AIMediaAuditComplete", "JobId": JOB_ID, "Status": "success"})


def read_body(body: str, source: str | None = None) -> DeadLetter:
    message = QueueMessage("message-1", body, "receipt-1", SINCE, 1, source)
    return read("dead-letters", message, functions=FUNCTIONS)


def envelope(function: str, payload: str, **changes: object) -> str:
    """Write what Function Compute puts into a failure destination, as its page shows it."""
    return json.dumps(
        {
            "timestamp": 1_660_120_276_975,
            "requestContext": {
                "requestId": "1-63000000-0123456789abcdef01234567",
                "functionArn": f"acs:fc:cn-shanghai:1000000000000001:functions/{function}",
                "condition": "UnhandledInvocationError",
                "approximateInvokeCount": 4,
            },
            "requestPayload": payload,
            "responseContext": {"statusCode": 200, "functionError": "UnhandledInvocationError"},
            "responsePayload": '{"errorMessage":"the store is away","errorType":"StoreUnavailableError"}',
            **changes,
        }
    )


def test_a_failed_callback_goes_back_with_its_event_as_it_was() -> None:
    event = (SAMPLES / "callback" / "topic-json.json").read_text(encoding="utf-8")
    letter = read_body(envelope("media-ledger-callback", event))

    assert (letter.function, letter.payload.decode()) == ("callback", event)
    assert letter.reason == "UnhandledInvocationError; StoreUnavailableError: the store is away"
    assert (letter.failed_at, letter.attempts, letter.lies_since) == (1_660_120_276_975, 4, SINCE)
    assert len(letter.jobs) == 1


def test_a_count_of_thousands_of_digits_is_no_count() -> None:
    """Python refuses to read such a number."""
    counted = '"approximateInvokeCount": 4'
    letter = read_body(
        envelope("media-ledger-callback", "{}").replace(counted, f"{counted[:-1]}{'9' * 5_000}")
    )

    assert (letter.function, letter.attempts) == ("callback", None)


def test_a_failed_hand_over_goes_back_without_the_time_at_which_it_was_made() -> None:
    letter = read_body(
        envelope("media-ledger-deliver", HandOver(("00.a.b", "01.a.c"), SINCE).payload.decode())
    )

    assert (letter.function, letter.jobs) == ("deliver", ("00.a.b", "01.a.c"))
    assert HandOver.read(json.loads(letter.payload)) == HandOver(("00.a.b", "01.a.c"))


def test_failed_announcements_name_their_jobs() -> None:
    payload = (SAMPLES / "track" / "many.json").read_text(encoding="utf-8")
    letter = read_body(envelope("track", payload))

    assert (letter.function, letter.payload.decode()) == ("track", payload)
    assert len(letter.jobs) > 1


@pytest.mark.parametrize(
    ("arn", "function"),
    [
        ("acs:fc:cn-shanghai:1:functions/media-ledger-deliver", "deliver"),
        ("acs:fc:cn-shanghai:1:functions/deliver/LATEST", "deliver"),
        ("acs:fc:cn-shanghai:1:services/ledger/functions/ledger-deliver", "deliver"),
        ("acs:fc:cn-shanghai:1:services/ledger.LATEST/functions/ledger-deliver", "deliver"),
        ("acs:fc:cn-shanghai:1:functions/undeliver", None),
        ("acs:fc:cn-shanghai:1:functions/other", None),
        ("", None),
    ],
)
def test_only_our_own_functions_get_something_back(arn: str, function: str | None) -> None:
    letter = read_body(envelope("", "{}", requestContext={"functionArn": arn}))

    assert letter.function == function
    assert function or "no function of ours" in letter.reason


@pytest.mark.parametrize(
    ("timestamp", "failed_at"),
    [("2022-08-10T08:31:16.975Z", 1_660_120_276_975), ("yesterday", None), (None, None)],
)
def test_the_time_of_older_records_is_read_too(timestamp: object, failed_at: int | None) -> None:
    assert read_body(envelope("deliver", "{}", timestamp=timestamp)).failed_at == failed_at


def test_a_payload_that_says_nothing_of_jobs_goes_back_all_the_same() -> None:
    tick = '{"triggerTime":"2025-11-20T12:00:00Z","triggerName":"every-minute","payload":""}'
    for function in FUNCTIONS:
        for payload in ("nonsense", tick):
            letter = read_body(envelope(function, payload))
            assert (letter.function, letter.payload, letter.jobs) == (function, payload.encode(), ())


def test_a_reason_shows_nothing_secret() -> None:
    url = "https://bucket.oss.example/a?Signature=canary&Expires=1"
    letter = read_body(envelope("deliver", "{}", responsePayload=f"GET {url} token=canary-2"))

    assert "canary" not in letter.reason
    assert "https://bucket.oss.example/a" in letter.reason


@pytest.mark.parametrize("encoded", [False, True])
def test_a_callback_that_died_in_its_queue_is_told_with_queue_id_and_region(encoded: bool) -> None:
    body = base64.b64encode(VOD.encode()).decode() if encoded else VOD
    letter = read_body(body, SOURCE)

    assert letter.function == "callback"
    assert [job.rpartition(".")[2] for job in letter.jobs] == [JOB_ID]
    assert SOURCE in letter.reason
    opened = recognize(letter.payload)
    assert isinstance(opened, Messages)
    (message,) = opened.messages
    assert (message.message_id, message.transport, message.body) == ("message-1", "mns-queue", VOD.encode())
    assert (message.region, message.account_id) == ("cn-shanghai", "1000000000000001")
    assert message.source == "media-callbacks"


@pytest.mark.parametrize("name", sorted(path.name for path in (SAMPLES / "callback").glob("*.json")))
def test_every_sample_of_a_callback_is_understood_as_it_would_be_by_the_function(name: str) -> None:
    event = (SAMPLES / "callback" / name).read_text(encoding="utf-8")
    letter = read_body(event)

    if name == "unreadable.json":
        assert letter.function is None
        return
    assert letter.function == "callback"
    assert bodies(letter.payload) == bodies(event.encode())


def bodies(event: bytes) -> set[bytes]:
    trigger = recognize(event)
    assert isinstance(trigger, Messages)
    return {message.body for message in trigger.messages}


@pytest.mark.parametrize("body", ["", "hello", "{}", "[]", '{"jobs":["a"]}', '["a"]', "<a/>", '{"a":'])
def test_what_nobody_can_read_goes_nowhere(body: str) -> None:
    letter = read_body(body)

    assert letter.function is None
    assert letter.reason.startswith("nobody here can read it")


@given(
    st.text(max_size=200)
    | st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=5).map(json.dumps)
)
def test_no_text_makes_reading_fail(body: str) -> None:
    assert read_body(body).queue == "dead-letters"
