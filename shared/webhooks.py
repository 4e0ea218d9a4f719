"""Take in a callback that comes over HTTP: who sends it, how much, how often; then as any other message.

The sender waits for the mark and the inbox row and for no more: `reconcile` asks the vendor. What VOD and ICE
sign is not the body, so that whatever one says is a hint, and a job that it alone has named is asked about
from a small budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from shared import intake
from shared.errors import ParseError, RefusedRequestError
from shared.handing_over import hand_over
from shared.inbound.senders import SenderName, sender_of
from shared.inbound.signatures import KeyedSender, Product, SignedPush
from shared.intake import MAX_BODY, Receipt
from shared.ports import Services
from shared.toolkit import metrics, mns
from shared.toolkit.http_events import HttpRequest
from shared.toolkit.message import Message, identify

MAX_HEADERS = 8 * 1024
"""What Function Compute lets through (function-compute.md 1.6)."""
RECONCILE = "reconcile"


def receive(services: Services, request: HttpRequest) -> tuple[SenderName, Receipt]:
    """Take in the callback of a request, and have its job settled.

    Raise `RefusedRequestError`, with nothing kept, for what is not to be taken in; whatever
    `intake.take_in` raises, for what is to be sent again.
    """
    _check_form(request)
    sender = sender_of(request.raw_path)
    if not services.sources.admits(_source(request.source_ip)):
        raise RefusedRequestError("too many requests", why="often", status=429)
    message = _pushed(services, request) if sender == "mns" else _hinted(services, request, sender)
    receipt = intake.take_in(services, message, settles=False)
    if receipt.to_settle and receipt.job:
        _wake(services, receipt.job)
    return sender, receipt


def _wake(services: Services, key: str) -> None:
    """Have a job settled now, or by the timer in a minute.

    More invocations than the vendor's calls are enough for would keep the timer's own from their turn.
    """
    if services.wake_ups.admits(RECONCILE):
        hand_over(services, [key], function=RECONCILE)
    else:
        metrics.count("left_to_the_timer")


def _check_form(request: HttpRequest) -> None:
    """Refuse what can be told to be wrong without looking at what it says."""
    if request.method != "POST":
        raise RefusedRequestError("callbacks come by POST", why="method", status=405)
    if _size(request.headers) > MAX_HEADERS:
        raise RefusedRequestError("too many headers", why="headers", status=431)
    if len(request.body) > MAX_BODY:
        raise RefusedRequestError("too large for a callback", why="size", status=413)


def _size(headers: Mapping[str, str]) -> int:
    return sum(len(name) + len(value) for name, value in headers.items())


def _source(address: str) -> str:
    """Name whom an address belongs to: of the newer kind, a customer gets 2^64 of them."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return ":".join(parsed.exploded.split(":")[:4])


def _hinted(services: Services, request: HttpRequest, product: Product) -> Message:
    sender = services.senders.keyed.get(product) or KeyedSender(product)
    url = f"https://{request.domain}{request.raw_path}"
    sender.check(request.headers, url=url, now=services.clock.now(), window=services.senders.window)
    return Message(identify("http", request.body), "http", request.body)


def _pushed(services: Services, request: HttpRequest) -> Message:
    """Open what a topic of ours has pushed; whether it is ours stands in its body, which is signed."""
    push = SignedPush.read(request, now=services.clock.now())
    try:
        tree = mns.pushed_by_topic(request.body)
    except ParseError as error:
        raise RefusedRequestError(f"not readable: {error}", why="form", status=400) from None
    if tree is None:  # the form SIMPLIFIED, for one, which does not say whose topic it comes from
        raise RefusedRequestError("no push in the form XML or JSON", why="form", status=400)
    message = mns.topic_message(tree, request.body)
    topic = services.senders.topic(message.account_id, message.source)
    push.check(services.push_certificates.get(push.certificate_url, deadline=services.deadline))
    return message._replace(region=topic.region)
