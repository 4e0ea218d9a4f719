"""What a queue does with time, which moves here only when it is told to."""

from __future__ import annotations

import pytest

from shared.adapters.clocks import ManualClock
from tests.localcloud.mns.worlds import ACCOUNT, START, Caller, new_service

SECOND = 1_000
_LARGE = f"<Message><MessageBody>{'x' * 40_000}</MessageBody></Message>"
TOO_MUCH = f"<Messages>{_LARGE}{_LARGE}</Messages>"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def mns(clock: ManualClock) -> Caller:
    return Caller(new_service(clock=clock), clock)


def test_a_message_that_is_not_deleted_comes_again_under_another_receipt(
    mns: Caller, clock: ManualClock
) -> None:
    mns.queue("work", VisibilityTimeout=30)
    mns.put("work", "one")
    first = mns.receive("work")
    assert mns.receive("work")["Code"] == "MessageNotExist"
    clock.advance(30 * SECOND)

    again = mns.receive("work")
    assert (again["MessageId"], again["DequeueCount"]) == (first["MessageId"], "2")
    assert again["FirstDequeueTime"] == first["FirstDequeueTime"] == str(START)
    assert again["NextVisibleTime"] == str(START + 60 * SECOND)
    assert mns.send("DELETE", f"/queues/work/messages?ReceiptHandle={first['ReceiptHandle']}").status == 404
    assert mns.send("DELETE", f"/queues/work/messages?ReceiptHandle={again['ReceiptHandle']}").status == 204


def test_a_receipt_ends_with_the_time_for_which_the_message_is_hidden(
    mns: Caller, clock: ManualClock
) -> None:
    mns.queue("work", VisibilityTimeout=30)
    mns.put("work", "one")
    receipt = mns.receive("work")["ReceiptHandle"]
    hide = f"/queues/work/messages?receiptHandle={receipt}&visibilityTimeout="
    changed = mns.tree("PUT", f"{hide}1")["ReceiptHandle"]
    clock.advance(1 * SECOND)

    assert mns.send("DELETE", f"/queues/work/messages?ReceiptHandle={changed}").status == 404
    assert mns.receive("work")["DequeueCount"] == "2"


@pytest.mark.parametrize("seconds", ["0", "43201", "x"])
def test_a_message_is_hidden_for_a_second_to_twelve_hours(mns: Caller, seconds: str) -> None:
    mns.queue("work")
    mns.put("work", "one")
    receipt = mns.receive("work")["ReceiptHandle"]

    refused = mns.tree("PUT", f"/queues/work/messages?ReceiptHandle={receipt}&VisibilityTimeout={seconds}")
    assert refused["Code"] == "InvalidArgument"


def test_a_delayed_message_comes_when_its_time_has_come(mns: Caller, clock: ManualClock) -> None:
    mns.queue("work", DelaySeconds=5)
    mns.put("work", "at once", DelaySeconds=0)
    mns.put("work", "later")

    assert mns.receive("work")["MessageBody"] == "at once"
    counts = mns.tree("GET", "/queues/work")
    assert [counts[name] for name in ("ActiveMessages", "InactiveMessages", "DelayMessages")] == [
        "0",
        "1",
        "1",
    ]
    clock.advance(5 * SECOND)
    assert mns.receive("work")["MessageBody"] == "later"


def test_a_receive_waits_for_a_message_as_long_as_it_may(mns: Caller, clock: ManualClock) -> None:
    mns.queue("work", PollingWaitSeconds=3)
    mns.put("work", "later", DelaySeconds=2)

    assert mns.receive("work", wait=1)["Code"] == "MessageNotExist"
    assert clock.now() == START + 1 * SECOND
    assert mns.tree("GET", "/queues/work/messages")["MessageBody"] == "later"
    assert clock.now() == START + 2 * SECOND


def test_nobody_waits_for_a_server_that_closes(mns: Caller, clock: ManualClock) -> None:
    mns.queue("work")
    mns.service.close()

    assert mns.receive("work", wait=30)["Code"] == "MessageNotExist"
    assert clock.now() == START


def test_a_message_is_gone_when_the_queue_has_kept_it_long_enough(mns: Caller, clock: ManualClock) -> None:
    mns.queue("work", MessageRetentionPeriod=60)
    mns.put("work", "one")
    clock.advance(60 * SECOND)

    assert mns.receive("work")["Code"] == "MessageNotExist"


def test_what_was_received_too_often_dies_into_another_queue_and_says_where_it_comes_from(
    mns: Caller, clock: ManualClock
) -> None:
    policy = (
        "<Enabled>true</Enabled><DeadLetterTargetQueue>dead</DeadLetterTargetQueue>"
        "<MaxReceiveCount>2</MaxReceiveCount>"
    )
    mns.queue("dead", MessageRetentionPeriod=604_800)
    mns.queue("work", VisibilityTimeout=10, MessageRetentionPeriod=120, DlqPolicy=policy)
    message_id = mns.put("work", "one")
    for _ in range(2):
        assert mns.receive("work")["MessageBody"] == "one"
        clock.advance(10 * SECOND)

    assert mns.receive("work")["Code"] == "MessageNotExist"
    buried = mns.send("GET", "/queues/dead/messages").body.decode()
    for word in ("one", f"acs:mns:cn-shanghai:{ACCOUNT}:/queues/work", message_id, "DLQSourceArn"):
        assert word in buried
    clock.advance(100 * SECOND)  # the clock of its retention was not set back
    assert mns.receive("dead")["Code"] == "MessageNotExist"


def test_without_a_queue_for_dead_letters_a_message_stays(mns: Caller, clock: ManualClock) -> None:
    policy = (
        "<Enabled>true</Enabled><DeadLetterTargetQueue>none</DeadLetterTargetQueue>"
        "<MaxReceiveCount>1</MaxReceiveCount>"
    )
    mns.queue("work", VisibilityTimeout=1, DlqPolicy=policy)
    mns.put("work", "one")
    for count in ("1", "2", "3"):
        assert mns.receive("work")["DequeueCount"] == count
        clock.advance(1 * SECOND)


def test_a_batch_of_deletes_tells_which_failed(mns: Caller) -> None:
    mns.queue("work")
    mns.put("work", "one")
    receipt = mns.receive("work")["ReceiptHandle"]
    handles = f"<ReceiptHandle>{receipt}</ReceiptHandle><ReceiptHandle>no</ReceiptHandle>"

    reply = mns.send("DELETE", "/queues/work/messages", f"<ReceiptHandles>{handles}</ReceiptHandles>")
    assert reply.status == 404
    assert b"ReceiptHandleError" in reply.body
    assert receipt.encode() not in reply.body


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"authorization": "MNS own-key:wrong"}, 403, "SignatureDoesNotMatch"),
        ({"authorization": "OSS own-key:wrong"}, 400, "InvalidAuthorizationHeader"),
        ({"content_md5": "d3Jvbmc="}, 400, "InvalidDegist"),
        ({"date": "Thu, 20 Nov 2025 11:44:59 GMT"}, 408, "TimeExpired"),
        ({"date": "yesterday"}, 400, "InvalidDateHeader"),
        ({"x_mns_more": "not signed"}, 403, "SignatureDoesNotMatch"),
        ({"security_token": "unasked"}, 403, "InvalidSecurityToken"),
    ],
)
def test_a_request_that_is_not_signed_as_it_should_be_is_refused(
    mns: Caller, changes: dict[str, str], status: int, code: str
) -> None:
    reply = mns.send("GET", "/queues", **changes)

    assert reply.status == status
    assert f"<Code>{code}</Code>".encode() in reply.body


def test_a_request_needs_a_date_and_an_authorization(mns: Caller) -> None:
    request = mns.request("GET", "/queues")
    for name in ("date", "authorization"):
        headers = {key: value for key, value in request.headers.items() if key != name}
        reply = mns.service.answer(type(request)(request.method, request.target, headers))

        assert reply is not None
        assert reply.status == 400
        assert b"Missing" in reply.body


@pytest.mark.parametrize(
    ("method", "target", "body", "code"),
    [
        ("PUT", "/queues/work", "<Queue>", "MalformedXML"),
        ("PUT", "/queues/a%20b", "", "InvalidArgument"),
        ("PUT", "/queues/work", "<Queue><VisibilityTimeout>0</VisibilityTimeout></Queue>", "InvalidArgument"),
        ("POST", "/queues", "", "InvalidRequestURL"),
        ("POST", "/topics", "", "InvalidRequestURL"),
        ("POST", "/topics/a/subscriptions/b", "", "InvalidRequestURL"),
        ("DELETE", "/queues/here/messages?ReceiptHandle=", "", "MissingReceiptHandle"),
        ("POST", "/queues/here/messages", "<Messages></Messages>", "InvalidArgument"),
        ("POST", "/queues/here/messages", TOO_MUCH, "InvalidArgument"),
        ("GET", "/queues/here/messages?peekonly=true", "", "MessageNotExist"),
        (
            "PUT",
            "/queues/work",
            "<Queue><DlqPolicy><Enabled>true</Enabled></DlqPolicy></Queue>",
            "InvalidArgument",
        ),
        (
            "POST",
            "/queues/here/messages",
            "<Message><MessageBody></MessageBody></Message>",
            "InvalidArgument",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(mns: Caller, method: str, target: str, body: str, code: str) -> None:
    mns.queue("here")

    assert mns.tree(method, target, body)["Code"] == code


def test_a_policy_for_dead_letters_is_told_and_can_be_taken_back(mns: Caller) -> None:
    policy = (
        "<Enabled>{}</Enabled><DeadLetterTargetQueue>dead</DeadLetterTargetQueue>"
        "<MaxReceiveCount>3</MaxReceiveCount>"
    )
    mns.queue("work", DlqPolicy=policy.format("true"))
    assert b"<MaxReceiveCount>3</MaxReceiveCount>" in mns.send("GET", "/queues/work").body

    off = f"<Queue><DlqPolicy>{policy.format('false')}</DlqPolicy></Queue>"
    assert mns.send("PUT", "/queues/work?metaoverride=true", off).status == 204
    assert b"DlqPolicy" not in mns.send("GET", "/queues/work").body
