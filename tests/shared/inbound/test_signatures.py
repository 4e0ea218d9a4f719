"""A callback is taken only from who signs it as its page says, about now; any other byte is refused."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from Crypto.Hash import SHA1
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15
from hypothesis import given
from hypothesis import strategies as st

from localcloud.mns.push_signing import PushSigner
from shared.errors import RefusedRequestError
from shared.inbound.signatures import CERTIFICATE_URL, MNS_WINDOW, KeyedSender, Product, SignedPush
from shared.policy import MINUTE, SECOND
from shared.toolkit.http_events import HttpRequest
from tests.callers import CERTIFICATES, KEY, OLD_KEY, request
from tests.world import START

WINDOW = 5 * MINUTE
URL = "https://webhook-example.cn-shanghai.fcapp.run/vod"
VOD = KeyedSender("vod", (KEY, OLD_KEY))
HEADERS = request("vod").headers
PUSH = request("mns-xml")
CERTIFICATE = next(CERTIFICATES.iterdir()).read_bytes()


def refused(
    sender: KeyedSender, headers: Mapping[str, str], *, url: str = URL, now: int = START
) -> str | None:
    """Tell why a sender's request is refused; None for one that is taken."""
    try:
        sender.check(headers, url=url, now=now, window=WINDOW)
    except RefusedRequestError as error:
        return error.why
    return None


def refused_push(push: HttpRequest, *, now: int = START, certificate: bytes = CERTIFICATE) -> str | None:
    """Tell why a push is refused; None for one that is taken."""
    try:
        SignedPush.read(push, now=now).check(certificate)
    except RefusedRequestError as error:
        return error.why
    return None


def with_header(push: HttpRequest, name: str, value: str | None) -> HttpRequest:
    """Change a header, or leave it out."""
    others = {n: v for n, v in push.headers.items() if n != name}
    return replace(push, headers=others if value is None else {**others, name: value})


@pytest.mark.parametrize(
    ("product", "key", "signature"),
    [
        # The page of VOD shows the beginning of it, that of ICE another key's (media-jobs.md 1.1, 1.3).
        ("vod", "test123", "c72b60894140fa98920f1279219b7ed4"),
        ("ice", "Test123", "c587b80d2d0ede300e8967937da7219b"),
    ],
)
def test_the_vendors_examples_are_signed(product: Product, key: str, signature: str) -> None:
    url, time = "https://www.example.com/your/callback", 1_519_375_990
    headers = {f"x-{product}-timestamp": str(time), f"x-{product}-signature": signature}

    assert refused(KeyedSender(product, (key,)), headers, url=url, now=time * SECOND) is None


@pytest.mark.parametrize("sample", ["vod", "vod-old-key"])
def test_both_keys_are_taken_while_one_replaces_the_other(sample: str) -> None:
    new, old = KeyedSender("vod", (KEY,)), KeyedSender("vod", (OLD_KEY,))
    headers = request(sample).headers

    assert refused(VOD, headers) is None
    assert sorted(str(refused(one, headers)) for one in (new, old)) == ["None", "forged"]


def test_a_signature_that_nobody_can_check_is_refused_and_so_is_a_missing_one() -> None:
    assert refused(KeyedSender("vod"), HEADERS) == "no_key"
    assert refused(KeyedSender("vod"), {}) == "no_key"
    assert refused(VOD, {}) == "unsigned"
    for name in ("x-vod-timestamp", "x-vod-signature"):
        assert refused(VOD, {n: v for n, v in HEADERS.items() if n != name}) == "unsigned"


def test_only_a_sender_that_may_be_unsigned_is_and_it_signs_nothing_then() -> None:
    anybody = KeyedSender("vod", may_be_unsigned=True)

    assert refused(anybody, {}) is None
    assert refused(anybody, HEADERS) == "no_key"
    assert refused(anybody, {"x-vod-signature": HEADERS["x-vod-signature"]}) == "no_key"


def test_one_product_does_not_sign_for_the_other() -> None:
    assert refused(KeyedSender("ice", (KEY,)), HEADERS) == "unsigned"


def test_the_url_is_what_was_entered_in_the_console() -> None:
    entered = replace(VOD, url="http://callbacks.example/from-vod?a=b")
    signature = hashlib.md5(f"{entered.url}|{START // SECOND}|{KEY}".encode()).hexdigest()

    assert refused(entered, HEADERS) == "forged"
    assert refused(entered, {**HEADERS, "x-vod-signature": signature}) is None
    assert refused(VOD, HEADERS, url=URL + "/") == "forged"


@pytest.mark.parametrize(
    ("off", "why"),
    [(0, None), (WINDOW, None), (-WINDOW, None), (WINDOW + SECOND, "stale"), (-WINDOW - SECOND, "stale")],
)
def test_a_signature_is_of_about_now(off: int, why: str | None) -> None:
    assert refused(VOD, HEADERS, now=START + off) == why


@pytest.mark.parametrize(
    "timestamp", ["", "0", "176364000", "17636400000", "+763640000", " 763640000", "١٧٦٣٦٤٠٠٠٠"]
)
def test_a_time_that_is_not_ten_digits_is_none(timestamp: str) -> None:
    assert refused(VOD, {**HEADERS, "x-vod-timestamp": timestamp}) == "stale"


@given(data=st.data())
def test_a_keyed_request_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["x-vod-timestamp", "x-vod-signature"]))
    value = HEADERS[name]
    at = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=255).filter(lambda c: c != value[at]))

    assert refused(VOD, {**HEADERS, name: value[:at] + other + value[at + 1 :]}) is not None


def test_keys_are_not_shown() -> None:
    assert KEY not in repr(VOD)
    with pytest.raises(RefusedRequestError) as caught:
        VOD.check({**HEADERS, "x-vod-signature": "0"}, url=URL, now=START, window=WINDOW)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("sample", ["mns-xml", "mns-json", "mns-simplified"])
def test_what_mns_pushes_is_signed_as_another_library_has_it(sample: str) -> None:
    pushed = SignedPush.read(request(sample), now=START)

    assert refused_push(request(sample)) is None
    pkcs1_15.new(RSA.import_key(CERTIFICATE)).verify(SHA1.new(pushed.text), pushed.signature)


def test_a_push_is_signed_in_the_order_of_its_page() -> None:
    lines = SignedPush.read(PUSH, now=START).text.decode().split("\n")

    assert lines == [
        "POST",
        PUSH.headers["content-md5"],
        "text/xml;charset=utf-8",
        "Thu, 20 Nov 2025 12:00:00 GMT",
        "x-mns-request-id:691F00000000000000000101",
        f"x-mns-signing-cert-url:{PUSH.headers['x-mns-signing-cert-url']}",
        "x-mns-version:2015-06-06",
        "/mns",
    ]


@given(data=st.data())
def test_a_push_with_any_byte_of_its_body_changed_is_refused(data: st.DataObject) -> None:
    body = bytearray(PUSH.body)
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))

    assert refused_push(replace(PUSH, body=bytes(body))) == "changed"


@given(data=st.data())
def test_a_push_with_any_character_of_what_is_signed_changed_is_refused(data: st.DataObject) -> None:
    signed = [
        "authorization",
        "content-md5",
        "content-type",
        "date",
        *(n for n in PUSH.headers if n[:2] == "x-"),
    ]
    name = data.draw(st.sampled_from(signed))
    value = PUSH.headers[name]
    at = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=255).filter(lambda c: c != value[at]))

    assert refused_push(with_header(PUSH, name, value[:at] + other + value[at + 1 :])) is not None


@pytest.mark.parametrize("name", ["authorization", "x-mns-signing-cert-url", "content-md5", "date"])
def test_a_push_that_leaves_out_what_is_needed_is_unsigned(name: str) -> None:
    assert refused_push(with_header(PUSH, name, None)) == "unsigned"


def test_a_push_is_signed_for_one_path_and_method_and_with_every_header_of_mns() -> None:
    assert refused_push(replace(PUSH, raw_path="/vod")) == "forged"
    assert refused_push(replace(PUSH, method="PUT")) == "forged"
    assert refused_push(with_header(PUSH, "x-mns-more", "1")) == "forged"
    assert refused_push(with_header(PUSH, "x-mns-version", None)) == "forged"


@pytest.mark.parametrize(
    ("off", "why"),
    [
        (MNS_WINDOW, None),
        (-MNS_WINDOW, None),
        (MNS_WINDOW + SECOND, "stale"),
        (-MNS_WINDOW - SECOND, "stale"),
    ],
)
def test_a_push_is_of_about_now(off: int, why: str | None) -> None:
    assert refused_push(PUSH, now=START + off) == why


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Nov 2025 12:00:00 GMT", "20 Nov 99999999 12:00"])
def test_a_date_that_cannot_be_read_is_stale(date: str) -> None:
    assert refused_push(with_header(PUSH, "date", date)) == "stale"


def test_a_digest_may_also_be_of_sixteen_bytes() -> None:
    signer = PushSigner.make(random.Random(3), region="cn-shanghai")
    unsigned = {n: v for n, v in PUSH.headers.items() if n not in ("authorization", "x-mns-signing-cert-url")}
    digest = base64.b64encode(hashlib.md5(PUSH.body).digest()).decode()
    push = replace(PUSH, headers=signer.sign({**unsigned, "content-md5": digest}, path="/mns"))

    assert refused_push(push, certificate=signer.certificate) is None
    assert refused_push(push) == "forged"


@pytest.mark.parametrize("certificate", [b"", b"-----BEGIN CERTIFICATE-----", b"<Error/>"])
def test_a_certificate_that_cannot_be_read_refuses(certificate: bytes) -> None:
    assert refused_push(PUSH, certificate=certificate) == "certificate"


@pytest.mark.parametrize(
    "url",
    [
        "http://mnstest.oss-cn-hangzhou.aliyuncs.com/x509_public_certificate.pem",
        "https://mnstest.oss-cn-hangzhou.aliyuncs.com/x509_public_certificate.pem",
        "https://mns-cert.oss-cn-shanghai.aliyuncs.com/x509_public_certificate_2026.pem",
        "https://mns-cert.oss-cn-shanghai-finance-1.aliyuncs.com/a.pem",
    ],
)
def test_a_certificate_of_mns_is_asked_for_over_tls(url: str) -> None:
    asked = SignedPush.read(
        with_header(PUSH, "x-mns-signing-cert-url", base64.b64encode(url.encode()).decode()), now=START
    )

    assert asked.certificate_url == "https://" + url.partition("://")[2]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x509_public_certificate.pem",
        "https://mnstest.oss-cn-hangzhou.aliyuncs.com.evil.example/a.pem",
        "https://evil.mnstest.oss-cn-hangzhou.aliyuncs.com/a.pem",
        "https://mnstest.oss-cn-hangzhou.aliyuncs.com@evil.example/a.pem",
        "https://mnstest.oss-cn-hangzhou.aliyuncs.com:8080/a.pem",
        "https://mnstest.oss-cn-shanghai.aliyuncs.com/a.pem",
        "https://mns-cert.oss-cn-.aliyuncs.com/a.pem",
        "https://mns-cert.oss-cn-evil.example/.aliyuncs.com/a.pem",
        "https://mns-cert.oss-cn-shanghai.aliyuncs.com/../a.pem",
        "https://mns-cert.oss-cn-shanghai.aliyuncs.com/a.pem?x=y",
        "https://mns-cert.oss-cn-shanghai.aliyuncs.com/a.pem#",
        "https://mns-cert.oss-cn-shanghai.aliyuncs.com/",
        "https://mns-cert.oss-cn-shanghai.aliyuncs.com/a.pem\n",
        "HTTPS://mns-cert.oss-cn-shanghai.aliyuncs.com/a.pem",
        "ftp://mns-cert.oss-cn-shanghai.aliyuncs.com/a.pem",
        "file:///etc/passwd",
        "http://127.0.0.1/a.pem",
        "",
    ],
)
def test_no_other_address_is_asked_for_a_certificate(url: str) -> None:
    told = base64.b64encode(url.encode()).decode()

    assert CERTIFICATE_URL.fullmatch(url) is None
    assert refused_push(with_header(PUSH, "x-mns-signing-cert-url", told)) == "certificate"
