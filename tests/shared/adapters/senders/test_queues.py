"""Events that become messages of queues and topics."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.mns.faults import BROKEN, Fault
from shared import bootstrap
from shared.adapters.senders.queues import QueueSender
from shared.delivery.targets import Dispatch, Target
from shared.errors import SettingError, TargetRefusedError, TargetUnavailableError
from shared.queues import NoQueues
from shared.settings import Settings
from shared.toolkit.bodies import plain
from tests.localcloud.mns.worlds import OWN
from tests.shared.adapters.mns_on_the_wire import MnsOnTheWire, mns_on_the_wire

BODY = '{"title":"中文 & \ufffe"}'.encode()
DISPATCH = Dispatch(BODY, "e" * 64, "0123456789abcdef" * 2, 1, "00.vod.media_audit.job-1", 1)
QUEUE = Target("review", "mns://queue/review", "queue")
TOPIC = Target("all", "mns://topic/settled", "topic")
SUBSCRIPTION = (
    "<Subscription><Endpoint>acs:mns:cn-shanghai:1:queues/review</Endpoint>"
    "<NotifyContentFormat>SIMPLIFIED</NotifyContentFormat></Subscription>"
)


@pytest.fixture
def mns() -> Iterator[MnsOnTheWire]:
    with mns_on_the_wire("review") as running:
        running.caller.send("PUT", "/topics/settled")
        running.caller.send("PUT", "/topics/settled/subscriptions/one", SUBSCRIPTION)
        yield running


def send(mns: MnsOnTheWire, target: Target, dispatch: Dispatch = DISPATCH) -> None:
    QueueSender(mns.queues).send(target, dispatch, deadline=mns.deadline)


@pytest.mark.parametrize("target", [QUEUE, TOPIC])
def test_the_event_arrives_byte_for_byte_as_base64(mns: MnsOnTheWire, target: Target) -> None:
    send(mns, target)

    (message,) = mns.queues.receive("review", limit=16, deadline=mns.deadline)
    assert base64.b64decode(message.body) == BODY
    assert plain(message.body) == BODY  # as our own functions would open it


@pytest.mark.parametrize("target", [QUEUE, TOPIC])
def test_the_largest_event_fits(mns: MnsOnTheWire, target: Target) -> None:
    body = b"x" * target.size_limit
    send(mns, target, Dispatch(**{**vars(DISPATCH), "body": body}))

    (message,) = mns.queues.receive("review", limit=16, deadline=mns.deadline)
    assert base64.b64decode(message.body) == body


@pytest.mark.parametrize("fault", [Fault(BROKEN), Fault(hangs_up=True)])
def test_what_may_pass_is_tried_again(mns: MnsOnTheWire, fault: Fault) -> None:
    mns.service.faults.plan(fault)

    with pytest.raises(TargetUnavailableError):
        send(mns, QUEUE)


def test_what_can_never_be_taken_is_refused(mns: MnsOnTheWire) -> None:
    with pytest.raises(TargetRefusedError, match="takes no such message"):
        send(mns, QUEUE, Dispatch(**{**vars(DISPATCH), "body": b"x" * (QUEUE.size_limit + 1)}))


def test_a_queue_that_does_not_exist_is_our_fault(mns: MnsOnTheWire) -> None:
    with pytest.raises(SettingError, match="check the name"):
        send(mns, Target("other", "mns://queue/other", "queue"))


def test_the_setting_is_asked_for_only_when_something_is_sent() -> None:
    with pytest.raises(SettingError, match="LEDGER_MNS"):
        QueueSender(NoQueues()).send(QUEUE, DISPATCH, deadline=0)


def test_services_that_are_told_where_the_queues_are_reach_them(mns: MnsOnTheWire, tmp_path: Path) -> None:
    settings = Settings.read(
        {
            "LEDGER_OBJECTS": f"file://{tmp_path}/archive",
            "LEDGER_TABLES": f"sqlite://{tmp_path}/ledger.db",
            "LEDGER_DELIVERY": '{"targets": {"review": {"url": "mns://queue/review"}}, "rules": []}',
            "LEDGER_MNS": mns.endpoint,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": OWN.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": OWN.access_key_secret,
        }
    )
    services = bootstrap.build(settings)
    services.sender.send(QUEUE, DISPATCH, deadline=mns.deadline)
    bootstrap.close(services)

    assert len(mns.queues.receive("review", limit=16, deadline=mns.deadline)) == 1
