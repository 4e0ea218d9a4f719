"""What OSS refuses: a wrong bucket, a wrong key, a clock that is wrong."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localcloud.loopback import HttpReply, LoopbackServer
from localcloud.oss import faults
from localcloud.oss.faults import Fault
from localcloud.oss.wire import RefusedError
from shared.adapters.aliyun.oss_object_store import OssObjectStore
from shared.adapters.clocks import ManualClock, SystemClock
from shared.errors import (
    SettingError,
    StoreUnavailableError,
    VendorRefusedError,
)
from shared.toolkit.context import Credentials
from tests.shared.adapters.aliyun.oss_calls import KEY, METHODS, TEXT
from tests.shared.adapters.oss_on_the_wire import (
    BUCKET,
    OWN,
    TEMPORARY,
    OssOnTheWire,
    new_client,
    oss_on_the_wire,
)

HOUR = 3_600_000


@pytest.fixture
def oss(tmp_path: Path) -> Iterator[OssOnTheWire]:
    with oss_on_the_wire(tmp_path) as running:
        yield running


@pytest.fixture(params=list(METHODS.values()), ids=list(METHODS))
def call(request: pytest.FixtureRequest) -> Callable[[OssObjectStore], object]:
    method: Callable[[OssObjectStore], object] = request.param
    return method


def test_a_bucket_that_is_not_there_names_the_setting(
    oss: OssOnTheWire, call: Callable[[OssObjectStore], object]
) -> None:
    with pytest.raises(SettingError, match=r"LEDGER_OBJECTS.*vendor_code=NoSuchBucket"):
        call(oss.objects("nobodys-bucket"))


@pytest.mark.parametrize("status", [200, 405])
def test_what_is_not_oss_has_stored_and_holds_nothing(
    call: Callable[[OssObjectStore], object], status: int
) -> None:
    with LoopbackServer(lambda _: HttpReply(status), name="portal", max_body_bytes=1024) as portal:
        objects = OssObjectStore(new_client(portal.endpoint), BUCKET)

        with pytest.raises(SettingError, match="not OSS: check the endpoint"):
            call(objects)
        objects.close()


def test_a_name_that_no_bucket_can_have_names_itself(oss: OssOnTheWire) -> None:
    with pytest.raises(SettingError, match="Not_A_Bucket"):
        oss.objects("Not_A_Bucket").get(KEY)


@pytest.mark.parametrize(
    ("held", "advice", "code"),
    [
        (Credentials("own-key", "wrong-secret"), "access key, its secret", "SignatureDoesNotMatch"),
        (Credentials("nobodys-key", "own-secret"), "access key", "InvalidAccessKeyId"),
        (Credentials("temporary-key", "temporary-secret"), "its token", "InvalidSecurityToken"),
    ],
)
def test_a_wrong_key_is_refused_and_nothing_of_it_is_told(
    oss: OssOnTheWire, held: Credentials, advice: str, code: str
) -> None:
    with pytest.raises(VendorRefusedError, match=f"{advice}.*{code}") as caught:
        oss.objects(credentials=lambda: held).get(KEY)

    told = "".join(traceback.format_exception(caught.value))
    assert caught.value.details["request_id"]
    assert not [
        secret
        for secret in (held.access_key_id, held.access_key_secret, OWN.access_key_secret)
        if secret in told
    ]
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("refusal", "advice"),
    [(faults.DENIED, "permissions"), (faults.TOKEN_EXPIRED, "token")],
    ids=["denied", "token expired"],
)
def test_a_refusal_is_not_tried_again(
    oss: OssOnTheWire,
    call: Callable[[OssObjectStore], object],
    refusal: RefusedError,
    advice: str,
) -> None:
    for method in ("GET", "PUT", "HEAD", "DELETE"):
        oss.service.faults.plan(method, Fault(refusal))

    with pytest.raises(VendorRefusedError, match=rf"check.*{advice}.*vendor_code={refusal.code}"):
        call(oss.objects())


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_wrong_is_told(tmp_path: Path, hours: int) -> None:
    clock = ManualClock(SystemClock().now() + hours * HOUR)

    with (
        oss_on_the_wire(tmp_path, clock=clock) as oss,
        pytest.raises(VendorRefusedError, match=r"check the clock.*RequestTimeTooSkewed"),
    ):
        oss.objects().get(KEY)


def test_the_credentials_are_those_of_the_moment(oss: OssOnTheWire) -> None:
    held = [OWN, TEMPORARY]
    objects = oss.objects(credentials=lambda: held.pop())

    objects.put(KEY, b"body", content_type=TEXT)

    assert objects.get(KEY) == b"body"
    assert held == []


def test_a_source_of_credentials_that_fails_says_so_itself(oss: OssOnTheWire) -> None:
    def absent() -> Credentials:
        raise SettingError("no credentials: set ALIBABA_CLOUD_ACCESS_KEY_ID")

    def away() -> Credentials:
        raise ConnectionError("http://169.254.0.1/?token=secret")

    with pytest.raises(SettingError, match="ALIBABA_CLOUD_ACCESS_KEY_ID"):
        oss.objects(credentials=absent).get(KEY)
    with pytest.raises(StoreUnavailableError, match=r"credentials: ConnectionError \(key="):
        oss.objects(credentials=away).get(KEY)
