"""Parameters that travel in the body, because a URL has no room for them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

import pytest

from localcloud.media.server import MediaApiServer
from localcloud.media.wire import Action, Answer
from shared.adapters.clocks import ManualClock
from shared.adapters.media_api import SignedMediaApi
from shared.adapters.signing import Scheme
from shared.errors import VendorRefusedError
from shared.toolkit import strict_json
from shared.toolkit.context import Credentials
from shared.vendor import ApiRequest
from tests.localcloud.media.worlds import OWN, START, TEMPORARY, new_gateway

VERSION = "2019-09-10"
LONG = "a b*c~d+e/中&=%\"'<?#\U0001f39e\n" * 3_000


@pytest.fixture
def endpoint() -> Iterator[str]:
    """Serve an action that tells what arrived."""

    def echo(params: Mapping[str, str]) -> Answer:
        return {"Text": params["Text"], "Empty": params["Empty"], "Name": params["Name"]}

    gateway = new_gateway([Action("ros", VERSION, "Echo", echo)], clock=ManualClock(START))
    with MediaApiServer(gateway) as server:
        yield server.endpoint


def echoed(endpoint: str, scheme: Scheme, keys: Credentials) -> strict_json.Tree:
    api = SignedMediaApi(
        credentials=lambda: keys,
        clock=ManualClock(START),
        random=random.Random(1),
        scheme=scheme,
        endpoints={"ros": endpoint},
    )
    request = ApiRequest("ros", VERSION, "Echo", {"Name": "media"}, form={"Text": LONG, "Empty": ""})
    try:
        return strict_json.parse(api.call(request, deadline=START + 60_000).part.body)
    finally:
        api.close()


@pytest.mark.parametrize("keys", [OWN, TEMPORARY])
@pytest.mark.parametrize("scheme", ["acs3", "rpc1"])
def test_a_body_arrives_as_it_was_signed(endpoint: str, scheme: Scheme, keys: Credentials) -> None:
    answer = echoed(endpoint, scheme, keys)

    assert isinstance(answer, dict)
    assert (answer["Text"], answer["Empty"], answer["Name"]) == (LONG, "", "media")


@pytest.mark.parametrize("scheme", ["acs3", "rpc1"])
def test_a_body_is_signed_with_the_secret(endpoint: str, scheme: Scheme) -> None:
    with pytest.raises(VendorRefusedError):
        echoed(endpoint, scheme, Credentials(OWN.access_key_id, "another"))
