from __future__ import annotations

import pytest

from shared.delivery.targets import SIZE_LIMITS, Target
from shared.toolkit import strict_json


def target(text: str, name: str = "desk") -> Target:
    return Target.parse(name, strict_json.parse(text))


@pytest.mark.parametrize(
    ("url", "kind", "address"),
    [
        ("https://host.example/a?b=c", "https", "https://host.example/a?b=c"),
        ("https://[2001:db8::1]:8443/", "https", "https://[2001:db8::1]:8443/"),
        ("mns://queue/settled-jobs", "queue", "settled-jobs"),
        ("mns://topic/settled", "topic", "settled"),
        ("fc:publish_video", "function", "publish_video"),
        ("python:company.hooks:tell", "hook", "company.hooks:tell"),
    ],
)
def test_the_url_says_of_which_kind_a_target_is(url: str, kind: str, address: str) -> None:
    found = target(f'{{"url": "{url}"}}')

    assert (found.kind, found.address, found.size_limit) == (kind, address, SIZE_LIMITS[found.kind])
    assert (found.inline_record, found.timeout_ms, found.allows_private) == (False, 10_000, False)


def test_a_target_can_ask_for_the_record_more_time_and_private_addresses() -> None:
    text = '{"url": "http://10.0.0.1/", "record": true, "timeout_seconds": 30, "private_addresses": true}'

    found = target(text)

    assert (found.inline_record, found.timeout_ms, found.allows_private) == (True, 30_000, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "must be an object"),
        ("{}", "url is missing"),
        ('{"url": 1}', "url is missing"),
        ('{"url": "ftp://host/"}', "url must look like one of https://host/path"),
        ('{"url": "mns://bucket/x"}', "url must look like one of"),
        ('{"url": "mns://queue/-x"}', "url must look like one of"),
        ('{"url": "fc:1x"}', "url must look like one of"),
        ('{"url": "python:hooks"}', "url must look like one of"),
        ('{"url": "python:hooks:a.b"}', "url must look like one of"),
        ('{"url": "http://host/"}', "url must be https, unless private_addresses is true"),
        ('{"url": "https:///path"}', "no valid host and port"),
        ('{"url": "https://host:port/"}', "no valid host and port"),
        ('{"url": "https://host:0/"}', "no valid host and port"),
        ('{"url": "https://[::1/"}', "no valid host and port"),
        ('{"url": "https://me:canary@host/"}', "holds a user or password"),
        ('{"url": "https://host/#part"}', "has a fragment"),
        ('{"url": "https://host/a b"}', "printable ASCII"),
        ('{"url": "https://host/媒"}', "printable ASCII"),
        ('{"url": "https://host/", "recrod": true}', "'recrod' is unknown: did you mean 'record'?"),
        ('{"url": "https://host/", "record": "yes"}', "record must be true or false"),
        ('{"url": "https://host/", "timeout_seconds": 0}', "a whole number from 1 to 300"),
        ('{"url": "https://host/", "timeout_seconds": 301}', "a whole number from 1 to 300"),
        ('{"url": "https://host/", "timeout_seconds": 1.5}', "a whole number from 1 to 300"),
        ('{"url": "https://host/", "timeout_seconds": "9"}', "a whole number from 1 to 300"),
        (f'{{"url": "https://host/", "timeout_seconds": {"9" * 5000}}}', "a whole number from 1 to 300"),
        ('{"url": "fc:f", "private_addresses": true}', "private_addresses is for https targets alone"),
        ('{"url": "python:m:f", "record": true}', "record is not for hooks"),
    ],
)
def test_what_is_wrong_with_a_target_is_told_with_its_name(text: str, told: str) -> None:
    with pytest.raises(ValueError) as refused:
        target(text)

    assert str(refused.value).startswith("target 'desk': ")
    assert told in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("name", ["", "Desk", "a_b", "a" * 33, "a/b"])
def test_a_name_is_short_and_plain(name: str) -> None:
    with pytest.raises(ValueError, match="a name is made of a-z"):
        target('{"url": "fc:f"}', name)


def test_what_lets_one_in_is_not_shown() -> None:
    found = target('{"url": "https://host.example/hook?access_token=canary"}')

    assert "canary" not in f"{found!r} {found.shown}"
    assert found.shown == "https://host.example/hook"
