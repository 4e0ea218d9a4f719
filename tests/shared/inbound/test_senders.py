"""Who calls back is known by the path; whose topic pushes, by the push itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RefusedRequestError
from shared.inbound.senders import PATHS, Senders, Topic, sender_of
from tests.callers import TOPIC


@pytest.mark.parametrize(
    ("path", "sender"),
    [
        ("/vod", "vod"),
        ("/ice", "ice"),
        ("/mns", "mns"),
        ("/notifications", "mns"),
        ("/behind/a/proxy/vod", "vod"),
    ],
)
def test_who_calls_is_known_by_the_end_of_the_path(path: str, sender: str) -> None:
    assert sender_of(path) == sender


@given(path=st.text(max_size=12).filter(lambda path: path.rpartition("/")[2] not in PATHS))
def test_any_other_path_is_nobodys(path: str) -> None:
    with pytest.raises(RefusedRequestError) as caught:
        sender_of(path)
    assert caught.value.status == 404


def test_only_our_own_topics_push() -> None:
    senders = Senders(topics=(TOPIC, Topic("cn-beijing", "1", "a")))

    assert senders.topic(TOPIC.account, TOPIC.name) == TOPIC
    for account, name in [("1", TOPIC.name), (TOPIC.account, "a"), (None, "a"), ("1", None)]:
        with pytest.raises(RefusedRequestError) as caught:
            senders.topic(account, name)
        assert caught.value.why == "topic"
