"""The composition root on places in the cloud: which adapter, whose keys, until when."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from localcloud.cloud import BUCKET, LocalCloud
from localcloud.media.gateway import Gateway
from localcloud.media.jobs import Pace
from localcloud.media.server import MediaApiServer
from localcloud.media.vod import Outcome as Ended
from localcloud.media.vod import Vod
from localcloud.media.wire import Action, Answer
from shared import bootstrap, settlement
from shared.adapters.aliyun.fc2_invoker import Fc2Invoker
from shared.adapters.aliyun.fc3_invoker import Fc3Invoker
from shared.adapters.aliyun.oss_result_files import OssResultFiles
from shared.adapters.clocks import SystemClock
from shared.delivery.targets import Dispatch
from shared.errors import SettingError, StoreUnavailableError, VendorRefusedError
from shared.jobs import JobRef
from shared.marks import Mark, mark
from shared.settings import Settings
from shared.settlement import Outcome
from shared.toolkit import InvocationContext, fake_context
from shared.toolkit.context import Credentials

ROOT = Path(__file__).parents[2]
OTHER = "2000000000000002"
ROLE = f"acs:ram::{OTHER}:role/reader"
OWN = Credentials("own-key", "own-secret")
ASSUMED = Credentials("STS.assumed", "assumed-secret", "assumed-token")
# What these import on top of a laptop's stores is what a cold start pays.
BUILD = """
import os, sys
from shared import bootstrap, settlement
from shared.jobs import JobRef
from shared.marks import Mark, mark
from shared.settings import Settings
from shared.settlement import Outcome
bootstrap.close(bootstrap.build(Settings.read(os.environ)))
clients = ["alibabacloud_credentials", "alibabacloud_oss_v2", "fc2", "mns", "requests", "tablestore"]
ours = ["shared.adapters.aliyun.cloud", "shared.adapters.local.sqlite_ledger"]
ours += ["shared.inbound.signatures", "shared.webhook_settings", "shared.console_settings", "shared.pages"]
print(*(name for name in clients + ours if name in sys.modules))
"""
ON_THE_CLOUD = {
    "LEDGER_OBJECTS": "oss://bucket?region=cn-shanghai",
    "LEDGER_TABLES": "ots://instance?region=cn-shanghai",
    "LEDGER_RESULT_FILES": "oss:",
    "LEDGER_INVOKER": "fc3:?region=cn-shanghai&account=1000000000000001",
    "LEDGER_MNS": "https://1000000000000001.mns.cn-shanghai.aliyuncs.com",
}


def loaded(environment: Mapping[str, str]) -> list[str]:
    """Give what is loaded by building the services in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-c", BUILD],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ended.stdout.split()


def test_on_a_laptops_stores_nothing_of_the_cloud_is_loaded(tmp_path: Path) -> None:
    places = {"LEDGER_OBJECTS": f"file://{tmp_path}", "LEDGER_TABLES": f"sqlite://{tmp_path}/ledger.db"}

    assert loaded(places) == ["shared.adapters.local.sqlite_ledger"]


def test_on_the_cloud_no_client_is_loaded_before_it_is_needed() -> None:
    assert loaded(ON_THE_CLOUD) == ["shared.adapters.aliyun.cloud"]


@pytest.mark.parametrize(
    ("url", "kind", "endpoint"),
    [
        ("fc3:", Fc3Invoker, "https://1000000000000001.cn-shanghai.fc.aliyuncs.com"),
        (
            "fc3:?network=internal",
            Fc3Invoker,
            "https://1000000000000001.cn-shanghai-internal.fc.aliyuncs.com",
        ),
        ("fc2://media?account=2", Fc2Invoker, "https://2.cn-shanghai.fc.aliyuncs.com"),
    ],
)
def test_functions_are_reached_at_their_accounts_address(url: str, kind: type, endpoint: str) -> None:
    region = {"LEDGER_REGION": "cn-shanghai", "LEDGER_USER_ID": "1000000000000001"}
    services = bootstrap.build(Settings.read({**ON_THE_CLOUD, **region, "LEDGER_INVOKER": url}))

    assert isinstance(services.invoker, kind)
    assert vars(services.invoker)["_endpoint"] == endpoint
    assert isinstance(services.result_files, OssResultFiles)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    """Serve a cloud."""
    with LocalCloud(tmp_path / "cloud", {"ours-next": bytes, "next": bytes}.__getitem__) as cloud:
        yield cloud


def test_functions_of_others_are_named_without_our_prefix(cloud: LocalCloud) -> None:
    plan = {"targets": {"next": {"url": "fc:next"}}, "rules": [{"to": ["next"]}]}
    settings = {**cloud.environment(), "LEDGER_INVOKER": "fc3:?prefix=ours-"}
    services = bootstrap.build(Settings.read({**settings, "LEDGER_DELIVERY": json.dumps(plan)}))
    (target,) = services.policy.delivery.targets

    assert services.invoker.invoke("next", b"", task_id="a")
    with pytest.raises(SettingError):
        services.invoker.invoke("ours-next", b"", task_id="a")
    services.sender.send(target, Dispatch(b"{}", "e", "d", 1, "job", 1), deadline=services.deadline)
    bootstrap.close(services)


def test_each_invocation_has_its_own_keys_and_time(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in cloud.environment().items():
        if not name.startswith("ALIBABA_CLOUD_"):
            monkeypatch.setenv(name, value)
    right, wrong = Credentials("localAccessKeyId", "localAccessKeySecret"), Credentials("old-key", "old")

    def invocation(keys: Credentials, *, ago: int = 0) -> bool:
        context = fake_context(credentials=keys)
        started = SystemClock().now() - ago
        services = bootstrap.for_invocation(InvocationContext.of(context, started_ms=started, environ={}))
        return services.objects.has("records/one")

    assert invocation(right) is False
    with pytest.raises(VendorRefusedError):
        invocation(wrong)
    assert invocation(right) is False
    with pytest.raises(StoreUnavailableError, match="no time left"):
        invocation(right, ago=60_000)
    bootstrap.end_instance()


def test_a_bucket_of_another_place_is_read_where_its_address_says(cloud: LocalCloud) -> None:
    services = bootstrap.build(Settings.read({**cloud.environment(), "LEDGER_RESULT_FILES": "oss:"}))
    services.objects.put("results/one.txt", b"found", content_type="text/plain")

    found = services.result_files.read(f"oss://{BUCKET}.oss-cn-beijing.aliyuncs.com/results/one.txt")

    assert found == b"found"
    bootstrap.close(services)


def test_jobs_of_another_account_are_asked_for_with_its_role(tmp_path: Path) -> None:
    def assume(params: Mapping[str, str]) -> Answer:
        assert params["RoleArn"] == ROLE
        return {
            "Credentials": {
                "AccessKeyId": ASSUMED.access_key_id,
                "AccessKeySecret": ASSUMED.access_key_secret,
                "SecurityToken": str(ASSUMED.security_token),
                "Expiration": "2099-01-01T00:00:00Z",
            }
        }

    clock = SystemClock()
    vod = Vod(
        clock=clock,
        pace=Pace(0, 0),
        outcomes={"media-1": Ended("success", data={"Suggestion": "pass"})},
        job_ids=iter(["theirs"]),
    )
    next(action for action in vod.actions() if action.name.startswith("Submit")).handle(
        {"MediaId": "media-1"}
    )
    sts = Gateway(
        [Action("sts", "2015-04-01", "AssumeRole", assume)], keys=[OWN], clock=clock, random=random.Random(1)
    )
    theirs = Gateway(vod.actions(), keys=[ASSUMED], clock=clock, random=random.Random(1))
    with MediaApiServer(sts) as sts_server, MediaApiServer(theirs) as vod_server:
        settings = {
            "LEDGER_OBJECTS": f"file://{tmp_path}",
            "LEDGER_TABLES": f"sqlite://{tmp_path}/ledger.db",
            "LEDGER_ENDPOINTS": f"vod={vod_server.endpoint},sts={sts_server.endpoint}",
            "LEDGER_ROLES": ROLE,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": OWN.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": OWN.access_key_secret,
        }
        services = bootstrap.build(Settings.read(settings))

        def settle(job_id: str, user_id: str) -> Outcome:
            ref = JobRef("vod.media_audit", job_id)
            wish = Mark(ref, "test", is_notification=False, region="cn-shanghai", user_id=user_id)
            lease = mark(services, wish)
            assert lease is not None
            return settlement.settle_claimed(services, lease, by="person")

        refused, settled = settle("ours", "1000000000000001"), settle("theirs", OTHER)
        bootstrap.close(services)

    assert isinstance(refused.error, VendorRefusedError)
    assert settled.did == "settled"


@pytest.mark.parametrize("network", ["", "&network=internal"])
def test_links_for_a_browser_lead_to_the_public_address_of_a_bucket(network: str) -> None:
    objects = ON_THE_CLOUD["LEDGER_OBJECTS"] + network
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "key", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret"}
    settings = Settings.read({**ON_THE_CLOUD, **keys, "LEDGER_OBJECTS": objects})
    links = bootstrap.links(settings)

    assert links is not None
    assert urlsplit(links.link("evidence/1.jpg", seconds=300)).netloc == "bucket.oss-cn-shanghai.aliyuncs.com"


def test_there_are_no_links_into_a_folder() -> None:
    settings = Settings.read({"LEDGER_OBJECTS": "file:///archive", "LEDGER_TABLES": "sqlite:///ledger.db"})

    assert bootstrap.links(settings) is None
