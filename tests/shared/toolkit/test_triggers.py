from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.toolkit.message import Message, Messages, TimerTick
from shared.toolkit.triggers import MAX_BATCH, recognize
from tests.shared.toolkit.wrappings import (
    ACCOUNT,
    MESSAGE_ID,
    TOPIC_MESSAGE_ID,
    WRAPPINGS,
    cloud_event,
    dump,
    topic,
    xml,
)

BODY = '{"EventType":"AIMediaAuditComplete","JobId":"a1","Data":"审核 <&> \\"x\\""}'


def opened(event: bytes) -> tuple[Message, ...]:
    trigger = recognize(event)
    assert isinstance(trigger, Messages)
    return trigger.messages


def only(event: bytes) -> Message:
    [message] = opened(event)
    return message


@pytest.mark.parametrize("name", WRAPPINGS)
def test_every_wrapping_gives_back_its_body(name: str) -> None:
    message = only(WRAPPINGS[name](BODY))

    assert message.reason is None
    assert message.body == BODY.encode()
    assert message.transport == ("mns-topic" if name.startswith("topic") else "mns-queue")


_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(WRAPPINGS)), st.dictionaries(_TEXT, _VALUES), st.sampled_from([None, 2]), _TEXT)
def test_any_notification_survives_any_wrapping(
    name: str, fields: dict[str, Any], indent: int | None, job_id: str
) -> None:
    body = json.dumps({**fields, "EventType": "X", "JobId": job_id}, ensure_ascii=False, indent=indent)

    # XML has its own idea of control characters and of ends of lines.
    if "XML" in name:
        body = json.dumps(json.loads(body))
    assert only(WRAPPINGS[name](body)).body == body.encode()


@pytest.mark.parametrize("text", ["TEST", "hello topic", "bWVlc2FnZSBmcm9tIE1OUyBjb25zb2xl", "", "12"])
def test_a_body_that_is_base64_of_no_document_stays(text: str) -> None:
    assert only(dump(cloud_event(text))).body == text.encode()


def test_base64_in_lines_and_a_byte_order_mark_are_tolerated() -> None:
    in_lines = base64.encodebytes(b"\xef\xbb\xbf" + BODY.encode() * 3)

    assert only(b"\xef\xbb\xbf" + in_lines).body == b"\xef\xbb\xbf" + BODY.encode() * 3


def test_url_safe_base64_is_not_decoded() -> None:
    text = base64.urlsafe_b64encode(b'{"a":"???>>>"}').decode()
    assert {"-", "_"} & set(text)

    assert only(dump(cloud_event(text))).body == text.encode()


def test_nothing_is_decoded_twice() -> None:
    once = base64.b64encode(BODY.encode()).decode()
    twice = base64.b64encode(once.encode()).decode()

    assert only(dump(cloud_event(twice))).body == twice.encode()


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (dump(topic(BODY)), TOPIC_MESSAGE_ID),
        (dump(cloud_event(BODY)), MESSAGE_ID),
        (dump(cloud_event(json.dumps(topic(BODY)))), MESSAGE_ID),
        (dump({"messageBody": json.dumps(topic(BODY))}), TOPIC_MESSAGE_ID),
        (dump({"messageBody": xml(BODY)}), TOPIC_MESSAGE_ID),
        (dump(cloud_event("", data={"messageBody": BODY})), "c2g71017-6f65-46b0-9f4a-9d0a1b2c3d4e"),
    ],
)
def test_the_message_id_is_that_of_the_transport(event: bytes, expected: str) -> None:
    assert only(event).message_id == expected


@pytest.mark.parametrize("wrapping", ["topic, stream", "topic, stream with attributes"])
def test_a_message_without_an_id_is_named_by_transport_and_body(wrapping: str) -> None:
    expected = hashlib.sha256(b"mns-topic\0" + BODY.encode()).hexdigest()

    assert only(WRAPPINGS[wrapping](BODY)).message_id == expected


@pytest.mark.parametrize("given_id", ["", "x" * 10_240, "with blank", "审", 7, None, ["a"]])
def test_an_id_that_is_no_usable_text_is_replaced_by_the_hash(given_id: object) -> None:
    event = dump({"messageId": given_id, "messageBody": BODY})

    assert only(event).message_id == hashlib.sha256(b"mns-queue\0" + BODY.encode()).hexdigest()


def test_region_and_account_come_from_the_name_of_the_queue() -> None:
    message = only(dump(cloud_event(BODY)))

    assert (message.region, message.account_id) == ("cn-hangzhou", ACCOUNT)


@pytest.mark.parametrize("subject", [None, "", "acs:oss:x", "acs:mns:cn-hangzhou:not-a-number:queues/q", 5])
def test_without_a_usable_subject_they_come_from_what_eventbridge_adds(subject: object) -> None:
    message = only(dump(cloud_event(BODY, subject=subject, aliyunaccountid="12")))

    assert (message.region, message.account_id) == ("cn-chengdu", "12")


def test_where_nothing_tells_them_they_are_unknown() -> None:
    event = dump(cloud_event(BODY, subject="?", aliyunregionid={"a": 1}, aliyunaccountid=12))

    assert (only(event).region, only(event).account_id) == (None, None)


def test_a_topic_tells_its_owner() -> None:
    assert only(dump(topic(BODY))).account_id == ACCOUNT
    assert only(dump({"messageBody": xml(BODY)})).account_id == ACCOUNT
    assert only(dump(topic(BODY, TopicOwner="1186****"))).account_id is None


@pytest.mark.parametrize("separator", [":queues/", ":/queues/"])
def test_a_queue_is_named_by_its_subject(separator: str) -> None:
    subject = f"acs:mns:cn-hangzhou:{ACCOUNT}{separator}zeus"

    assert only(dump(cloud_event(BODY, subject=subject))).source == "zeus"


def test_a_topic_is_named_by_the_message_that_it_wraps() -> None:
    assert only(dump(topic(BODY))).source == "Mytopic"
    assert only(dump({"messageBody": xml(BODY)})).source == "Mytopic"


def test_a_message_that_a_topic_pushed_into_a_queue_comes_from_the_topic() -> None:
    assert only(dump(cloud_event(json.dumps(topic(BODY))))).source == "Mytopic"


def test_a_broken_message_still_tells_where_it_comes_from() -> None:
    assert only(dump(cloud_event(BODY, data={"messageBody": 5}))).source == "zeus"
    assert only(dump(topic(BODY, Message=5))).source == "Mytopic"


@pytest.mark.parametrize(
    "event",
    [
        BODY.encode(),
        dump({"body": BODY, "attrs": {}}),
        dump({"messageBody": BODY}),
        dump(cloud_event(BODY, subject=f"acs:mns:cn-hangzhou:{ACCOUNT}:topics/zeus")),
        dump(topic(BODY, TopicName=7)),
    ],
)
def test_where_nothing_names_topic_or_queue_the_source_is_unknown(event: bytes) -> None:
    assert only(event).source is None


def test_a_timer_is_a_tick_and_its_payload_stays_text() -> None:
    event = {"triggerTime": "2023-12-26T07:49:00Z", "triggerName": "timer-trigger", "payload": '{"a": 1}'}

    assert recognize(dump(event)) == TimerTick("timer-trigger", "2023-12-26T07:49:00Z", '{"a": 1}')


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": ""}])
def test_a_timer_may_have_no_payload(payload: dict[str, Any]) -> None:
    tick = recognize(dump({"triggerTime": "t", "triggerName": "n", **payload}))

    assert tick == TimerTick("n", "t", "")


@pytest.mark.parametrize("change", [{"payload": {"a": 1}}, {"triggerName": 5}, {"more": "x"}])
def test_what_only_resembles_a_timer_is_a_message(change: dict[str, Any]) -> None:
    event = dump({"triggerTime": "t", "triggerName": "n", "payload": "", **change})

    assert only(event).body == event


def test_a_batch_keeps_its_order() -> None:
    bodies = [f'{{"JobId": "{i}"}}' for i in range(50)]

    found = opened(dump([cloud_event(body) for body in bodies]))

    assert [message.body.decode() for message in found] == bodies


GOOD = json.dumps(cloud_event(BODY))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('{"messageBody": "x", "messageBody": "y"}', "twice"),
        ('{"messageBody": NaN}', "NaN"),
        ('{"messageBody": "\\ud800"}', "surrogate"),
        ('{"messageBody": {"a": 1}}', "messageBody is not text"),
        ('{"messageBody": 12}', "messageBody is not text"),
        ('{"specversion": "1.0", "type": "mns:Queue:SendMessage", "data": "x"}', "messageBody is not text"),
        ('{"specversion": "1.0", "type": "oss:ObjectCreated", "data": {}}', "another source"),
        ('{"specversion": "1.0", "data": {"messageBody": "x"}}', "another source"),
        (json.dumps({"messageBody": "<Notification><TopicName>"}), "not XML"),
        (json.dumps({"messageBody": json.dumps(topic(BODY, Message={"a": 1}))}), "Message is not text"),
        ('"{broken"', "not JSON"),
        ('"text"', "not JSON"),
        ("17", "no queue message"),
        ("null", "no queue message"),
        ('{"other": 1}', "no queue message"),
        ("[" * 70 + "]" * 70, "deep"),
    ],
)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_broken_element_has_its_reason_and_its_neighbours_are_unharmed(
    broken: str, reason: str, position: int
) -> None:
    elements = [GOOD, GOOD]
    elements.insert(position, broken)

    found = opened(f"[ {' , '.join(elements)} ]".encode())

    assert len(found) == 3
    assert reason in (found[position].reason or "")
    assert found[position].body == broken.encode()
    neighbours = [message for i, message in enumerate(found) if i != position]
    assert [(message.body, message.reason) for message in neighbours] == [(BODY.encode(), None)] * 2


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"\xff\xfe\x00binary\x80", "not UTF-8"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": "\\udfff"}', "surrogate"),
        (b'{"a": ' * 2_000, "deep"),
        (b'{"a": 1', "not JSON"),
        (b"[" * 100_000, "deep"),
        (b"[", "not JSON"),
        (b"[1 2]", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"[] x", "follows"),
        (b"[]", "without a single queue message"),
        (b"[1, {}]", "without a single queue message"),
        (b'[{"a": 1, "a": 2}]', "twice"),
        (b"[" + b"1," * 100_000 + b"1]", "too many"),
        (dump([{"messageBody": "x"}] * (MAX_BATCH + 1)), "too many"),
        (dump({"body": 5, "attrs": {}}), "body is not text"),
        (dump(topic(BODY, Message=None)), "Message is not text"),
        (dump({"messageBody": None}), "messageBody is not text"),
        (dump({"specversion": "1.0", "data": None}), "another source"),
    ],
)
def test_an_event_that_cannot_be_unwrapped_is_one_message_with_its_reason(event: bytes, reason: str) -> None:
    message = only(event)

    assert reason in (message.reason or "")
    assert message.body == event


def test_a_full_batch_is_read() -> None:
    assert len(opened(dump([{"messageBody": "x"}] * MAX_BATCH))) == MAX_BATCH


def test_a_queue_message_that_is_broken_keeps_the_id_of_its_transport() -> None:
    message = only(dump({"messageId": MESSAGE_ID, "messageBody": 5}))

    assert message.message_id == MESSAGE_ID


def test_attributes_are_not_mistaken_for_fields() -> None:
    event = dump(topic(BODY, specversion="1.0", data="x", messageBody="y", body="z", triggerName="t"))

    assert only(event).body == BODY.encode()


def test_an_attribute_that_repeats_a_field_is_refused_instead_of_guessed() -> None:
    event = dump(topic(BODY))[:-1] + b', "Message": "of the attribute"}'

    assert "twice" in (only(event).reason or "")


def test_the_documented_xml_sample_is_read_in_spite_of_its_wrong_end_tag() -> None:
    sample = xml(BODY).replace("</PublishTime>", "</MessagePublishTime>")

    assert only(dump({"messageBody": sample})).body == BODY.encode()


def test_the_older_name_of_the_publish_time_is_read_too() -> None:
    older = xml(BODY).replace("PublishTime>", "MessagePublishTime>")

    assert only(dump({"messageBody": older})).body == BODY.encode()


@pytest.mark.parametrize(
    "body", ['{"EventType": "X", "JobId": "TopicName"}', '{"TopicName": broken', "TopicName"]
)
def test_a_body_that_only_mentions_a_topic_stays(body: str) -> None:
    assert only(dump(cloud_event(body))).body == body.encode()


def test_an_xml_wrapper_with_a_document_type_is_refused() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "b">]>' + xml(BODY, namespace="").partition("?>")[2]

    assert "XML" in (only(dump({"messageBody": bomb})).reason or "")


def test_an_event_over_the_limit_is_not_even_decoded() -> None:
    message = only(b"{" * (64 * 1024 * 1024 + 1))

    assert "too large" in (message.reason or "")


@pytest.mark.parametrize("filling", ['"x"', "审", "[1]", "{"])
def test_twenty_megabytes_are_answered(filling: str) -> None:
    body = filling * (20_000_000 // len(filling))

    assert len(opened(body.encode())) == 1
    assert len(opened(dump(cloud_event(body)))) == 1


@given(st.binary() | st.text().map(lambda text: text.encode(errors="replace")))
def test_no_bytes_raise(event: bytes) -> None:
    trigger = recognize(event)

    assert isinstance(trigger, TimerTick) or trigger.messages


@given(st.data())
def test_no_mutation_of_a_wrapping_raises(data: st.DataObject) -> None:
    event = WRAPPINGS[data.draw(st.sampled_from(sorted(WRAPPINGS)))](BODY)
    start = data.draw(st.integers(0, len(event)))
    end = data.draw(st.integers(start, min(len(event), start + 40)))
    mutated = event[:start] + data.draw(st.binary(max_size=20)) + event[end:]

    for message in opened(mutated):
        assert message.message_id
        assert isinstance(message.body, bytes)


_NAMES = ["triggerTime", "triggerName", "payload", "specversion", "type", "data", "messageBody", "subject"]
_MORE_NAMES = ["body", "attrs", "TopicName", "MessageId", "Message", "TopicOwner", "id", "messageId"]
_SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["1.0", "mns:Queue:SendMessage", BODY]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_NAMES + _MORE_NAMES), inner, max_size=6)
        | inner.map(json.dumps)
    ),
    max_leaves=12,
)


@given(_SHAPES)
def test_no_wrong_type_in_any_field_raises(shape: object) -> None:
    trigger = recognize(dump(shape))

    assert isinstance(trigger, TimerTick) or trigger.messages
