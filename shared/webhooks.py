"""Take in a callback that comes over HTTP: who sends it, how much, how often; then as any other message.

The sender waits for the mark and the inbox row and for no more: `reconcile` asks the vendor. What VOD and ICE
sign is not the body, and a key of MNS may be weak, so that whatever one says is a hint, and a job that it
alone has named is asked about from a small budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address

from shared import intake
from shared.errors import ParseError, RefusedRequestError
from shared.handing_over import hand_over
from shared.inbound.senders import SenderName, Senders, sender_of
from shared.inbound.signatures import KeyedSender, Product, SignedPush
from shared.intake import MAX_BODY, Receipt
from shared.ports import Admission, AdmitsAll, NoPushCertificates, PushCertificates, Services
from shared.toolkit import metrics, mns
from shared.toolkit.http_events import HttpRequest
from shared.toolkit.message import UNSIGNED, Message, identify

MAX_HEADERS = 8 * 1024
"""What Function Compute lets through (function-compute.md 1.6)."""
RECONCILE = "reconcile"

# A header of that form of a push alone (function-compute.md 2), signed as all of MNS's are.
_SIMPLIFIED = "x-mns-message-id"


@dataclass(frozen=True)
class Callers:
    """Whose callbacks are taken in, nobody's unless some are named, and what checks them."""

    senders: Senders = field(default_factory=Senders)
    sources: Admission = field(default_factory=AdmitsAll)
    """How often an address may send what is signed: VOD has the same addresses for everybody, so that whoever
    makes it send us what is not would take from ours."""
    wake_ups: Admission = field(default_factory=AdmitsAll)
    """How often `reconcile` may be invoked for one of them."""
    push_certificates: PushCertificates = field(default_factory=NoPushCertificates)


def receive(services: Services, callers: Callers, request: HttpRequest) -> tuple[SenderName, Receipt]:
    """Take in the callback of a request, and have its job settled.

    Raise `RefusedRequestError`, with nothing kept, for what is not to be taken in; whatever
    `intake.take_in` raises, for what is to be sent again.
    """
    _check_form(request)
    sender = sender_of(request.raw_path)
    source, now = _source(request.source_ip), services.clock.now()
    if sender == "mns":
        message = _pushed(callers, request, source, now=now, deadline=services.deadline)
    else:
        message = _hinted(callers.senders, request, sender, now=now)
    if not callers.sources.admits(source):
        raise RefusedRequestError("too many requests", why="often", status=429)
    receipt = intake.take_in(services, message, settles=False)
    if receipt.to_settle and receipt.job:
        _wake(services, callers.wake_ups, receipt.job)
    return sender, receipt


def _wake(services: Services, wake_ups: Admission, key: str) -> None:
    """Have a job settled now, or by the timer in a minute.

    More invocations than the vendor's calls are enough for would keep the timer's own from their turn.
    """
    if wake_ups.admits(RECONCILE):
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
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ":".join(parsed.exploded.split(":")[:4]))


def _hinted(senders: Senders, request: HttpRequest, product: Product, *, now: int) -> Message:
    sender = senders.keyed.get(product) or KeyedSender(product)
    url = f"https://{request.domain}{request.raw_path}"
    sender.check(request.headers, url=url, now=now, window=senders.window)
    return Message(identify(UNSIGNED, request.body), UNSIGNED, request.body)


def _pushed(callers: Callers, request: HttpRequest, source: str, *, now: int, deadline: int) -> Message:
    """Open what a topic of ours has pushed; whether it is ours stands in its body, which is signed."""
    push = SignedPush.read(request, now=now)
    # Such a body is what somebody published to a topic of theirs: it may look like a push of ours.
    if _SIMPLIFIED in request.headers:
        raise RefusedRequestError("no push in the form XML or JSON", why="form", status=400)
    try:
        tree = mns.pushed_by_topic(request.body)
    except ParseError as error:
        raise RefusedRequestError(f"not readable: {error}", why="form", status=400) from None
    if tree is None:
        raise RefusedRequestError("no push in the form XML or JSON", why="form", status=400)
    message = mns.topic_message(tree, request.body)
    topic = callers.senders.topic(message.account_id, message.source)
    certificate = callers.push_certificates.get(push.certificate_url, source=source, deadline=deadline)
    is_proven = push.check(certificate)
    return message._replace(region=topic.region, transport=message.transport if is_proven else UNSIGNED)
