"""Events whose trigger is known: the same messages as from the recognizer, in typed layers."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.toolkit import InvocationContext, fake_context, function_handler, process
from shared.toolkit.events import (
    any_trigger,
    message_body,
    mns_queue,
    mns_topic,
    single_message,
    timer,
    timer_payload,
)
from shared.toolkit.http_events import HttpRequest, http_request, request_body
from shared.toolkit.message import Message, Messages, TimerTick
from shared.toolkit.parser import Layer, ParseError, model
from shared.toolkit.triggers import recognize
from tests.shared.toolkit.wrappings import MESSAGE_ID, WRAPPINGS, cloud_event, dump, topic

if TYPE_CHECKING:
    from typing_extensions import assert_type


class Order(BaseModel):
    id: int


BODY = '{"id": 17}'
QUEUES = [name for name in WRAPPINGS if name.startswith("queue")]
TOPICS = [name for name in WRAPPINGS if name.startswith("topic")]


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_gives_what_the_recognizer_gives(name: str) -> None:
    event = WRAPPINGS[name](BODY)

    assert Messages(mns_queue(event)) == recognize(event)


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_gives_what_the_recognizer_gives(name: str) -> None:
    event = WRAPPINGS[name](BODY)

    assert Messages((mns_topic(event),)) == recognize(event) == any_trigger(event)


def test_layers_reach_from_the_event_to_the_model() -> None:
    queue = mns_queue >> single_message >> message_body >> model(Order)

    if TYPE_CHECKING:
        assert_type(queue, Layer[bytes, Order])
    assert queue(WRAPPINGS["queue, array, XML wrapper, in base64"](BODY)) == Order(id=17)
    assert (mns_topic >> message_body >> model(Order))(dump(topic(BODY))) == Order(id=17)


def test_a_handler_may_be_given_the_model() -> None:
    @function_handler(parse=mns_topic >> message_body >> model(Order))
    def handler(order: Order, context: InvocationContext) -> int:
        return order.id

    assert handler(dump(topic(BODY)), fake_context()) == 17
    assert handler(dump(topic("{}")), fake_context()) == {
        "error": {"type": "ParseError", "message": "id: Field required (layer=Order, field=id)"}
    }


def test_in_a_batch_each_message_has_its_own_outcome() -> None:
    order = message_body >> model(Order)
    event = dump([cloud_event(BODY), cloud_event("{}"), {"messageBody": 5}, cloud_event(BODY)])

    outcome = process(mns_queue(event), lambda message: order(message).id, id_of=lambda m: m.message_id)

    assert [item.value for item in outcome.items] == [17, None, None, 17]
    errors = [item.error for item in outcome.failed]
    assert [error.layer for error in errors if isinstance(error, ParseError)] == ["Order", "message"]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("17", "no queue message"),
        ('"{broken"', "not JSON"),
        ('"17"', "no queue message"),
        (f'"{"1" * 5_000}"', "not JSON"),
        ('{"messageBody": "\\ud800"}', "lone surrogate"),
        ('"{\\"messageBody\\": \\"\\\\ud800\\"}"', "lone surrogate"),
        ('{"messageBody": null}', "messageBody is not text"),
    ],
)
def test_a_broken_element_has_its_reason_and_its_neighbours_are_unharmed(broken: str, reason: str) -> None:
    good = json.dumps(cloud_event(BODY))

    before, found, after = mns_queue(f"[{good}, {broken}, {good}]".encode())

    assert reason in (found.reason or "")
    assert json.loads(found.body) == json.loads(broken)
    assert (before.body, after.body) == (BODY.encode(), BODY.encode())


def test_an_element_that_keeps_the_batch_from_being_read_harms_no_neighbour() -> None:
    good, broken = json.dumps(cloud_event(BODY)), f'{{"messageBody": {"1" * 5_000}}}'

    before, found, after = mns_queue(f" [{good}, {broken} , {json.dumps(good)}]".encode())

    assert "not JSON" in (found.reason or "")
    assert found.body == broken.encode()
    assert (before.body, after.body) == (BODY.encode(), BODY.encode())


@pytest.mark.parametrize("event", [b"{}", b"17", b"[", b"\xff", dump({"triggerTime": "t"})])
def test_an_event_of_another_trigger_is_refused_by_the_layer(event: bytes) -> None:
    for layer, name in ((mns_queue, "mns-queue"), (timer, "timer"), (http_request, "http")):
        with pytest.raises(ParseError) as caught:
            layer(event)
        assert caught.value.layer == name


def test_more_than_one_message_is_not_a_single_one() -> None:
    with pytest.raises(ParseError, match="count=2"):
        (mns_queue >> single_message)(dump([cloud_event(BODY)] * 2))


def test_a_broken_message_has_no_body() -> None:
    with pytest.raises(ParseError, match="Message is not text") as caught:
        (mns_topic >> message_body)(dump(topic(BODY, Message=5)))

    assert caught.value.layer == "message"


@pytest.mark.parametrize(
    "event", [b"hello topic", b"{ hello", b"[1, 2]", b'"\\ud800"', b'{"a": 1}', b"", b"1" * 5_000]
)
def test_a_topic_may_send_any_text(event: bytes) -> None:
    assert mns_topic(event).body == event


def test_a_topic_that_sends_no_text_gives_a_message_with_a_reason() -> None:
    message = mns_topic(b"\xff\x00")

    assert (message.body, message.reason) == (b"\xff\x00", "not UTF-8 text (layer=mns-topic, at=0)")


def test_a_timer_s_payload_may_be_a_model() -> None:
    event = dump({"triggerTime": "2023-12-26T07:49:00Z", "triggerName": "nightly", "payload": BODY})

    assert timer(event) == TimerTick("nightly", "2023-12-26T07:49:00Z", BODY)
    assert (timer >> timer_payload >> model(Order))(event) == Order(id=17)


def http(**fields: object) -> dict[str, Any]:
    return {
        "version": "v1",
        "rawPath": "/a%20b",
        "body": BODY,
        "isBase64Encoded": False,
        "headers": {"Content-Type": "application/json", "X-Forwarded-For": "1"},
        "queryParameters": {"q": "1"},
        "requestContext": {
            "http": {"method": "POST", "path": "/a b", "protocol": "HTTP/1.1", "sourceIp": "11.11.11.11"},
            "requestId": "1-64f6cd87-a",
        },
        **fields,
    }


def test_an_http_request_is_read_with_its_body() -> None:
    assert http_request(dump(http())) == HttpRequest(
        method="POST",
        path="/a b",
        raw_path="/a%20b",
        headers={"content-type": "application/json", "x-forwarded-for": "1"},
        query={"q": "1"},
        body=BODY.encode(),
        source_ip="11.11.11.11",
        request_id="1-64f6cd87-a",
    )


def test_a_body_in_base64_is_decoded_only_where_the_event_says_so() -> None:
    order = http_request >> request_body >> model(Order)
    encoded = base64.b64encode(BODY.encode()).decode()

    assert order(dump(http(body=encoded, isBase64Encoded=True))) == Order(id=17)
    assert request_body(http_request(dump(http(body=encoded)))) == encoded.encode()
    assert request_body(http_request(dump(http(body=None)))) == b""


def test_headers_that_differ_in_casing_alone_are_one_list() -> None:
    assert http_request(dump(http(headers={"A": "1", "a": "2"}))).headers == {"a": "1,2"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"body": "!", "isBase64Encoded": True}, "body"),
        ({"body": {"a": 1}}, "body"),
        ({"rawPath": None}, "rawPath"),
        ({"headers": {"a": 1}}, "headers"),
        ({"queryParameters": "a=1"}, "queryParameters"),
        ({"requestContext": {}}, "requestContext.http"),
        ({"requestContext": {"http": {"method": "GET", "path": 1}}}, "requestContext.http.path"),
    ],
)
def test_a_broken_http_event_is_refused_by_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(ParseError) as caught:
        http_request(dump(http(**change)))

    assert (caught.value.layer, caught.value.field) == ("http", field)


@given(st.data())
def test_no_mutation_of_an_event_raises_anything_else(data: st.DataObject) -> None:
    event = data.draw(st.sampled_from([WRAPPINGS[name](BODY) for name in WRAPPINGS] + [dump(http())]))
    start = data.draw(st.integers(0, len(event)))
    mutated = (
        event[:start] + data.draw(st.binary(max_size=20)) + event[start + data.draw(st.integers(0, 20)) :]
    )

    for layer in (mns_queue, mns_topic, timer, http_request):
        try:
            found = layer(mutated)
        except ParseError:
            continue
        for message in found if isinstance(found, tuple) else [found]:
            assert not isinstance(message, Message) or message.message_id


def test_the_id_is_that_of_the_queue() -> None:
    [message] = mns_queue(dump(cloud_event(BODY)))

    assert message.message_id == MESSAGE_ID
