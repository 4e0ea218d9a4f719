from __future__ import annotations

import pytest
from pydantic import SecretStr

from shared.delivery.rules import DeliveryPlan
from shared.downloads import HostRule
from shared.errors import MisconfiguredError, SettingError
from shared.settings import Settings
from shared.toolkit.context import Credentials
from shared.toolkit.masking import Masker

GOOD = {"LEDGER_OBJECTS": "file:///archive", "LEDGER_TABLES": "sqlite:///ledger.db"}


def test_the_smallest_environment_gives_defaults() -> None:
    settings = Settings.read(GOOD)

    assert (settings.signature, settings.answer_format, settings.trust_env) == ("acs3", "json", False)


def test_a_variable_that_is_empty_counts_as_unset() -> None:
    assert Settings.read({**GOOD, "LEDGER_REGION": ""}).region is None


def test_variables_of_others_are_not_read() -> None:
    assert Settings.read({**GOOD, "region": "cn-beijing", "PATH": "/bin"}).region is None


def test_endpoints_are_read_by_product() -> None:
    settings = Settings.read({**GOOD, "LEDGER_ENDPOINTS": "vod=http://127.0.0.1:1, ice=https://ice.example"})

    assert dict(settings.endpoints) == {"vod": "http://127.0.0.1:1", "ice": "https://ice.example"}


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("LEDGER_OBJECTS", "s3://bucket", "file:///folder or oss://bucket/prefix"),
        ("LEDGER_OBJECTS", "file://relative", "file:///folder"),
        ("LEDGER_OBJECTS", "oss://bucket", "LEDGER_OBJECTS needs a region"),
        ("LEDGER_TABLES", "ledger.db", "sqlite:///file or ots://instance"),
        ("LEDGER_TABLES", "ots://instance", "LEDGER_TABLES needs a region"),
        ("LEDGER_INVOKER", "fc://function", "inline: or fc3:?prefix=media-ledger- or fc2://service"),
        ("LEDGER_INVOKER", "fc3:", "LEDGER_INVOKER needs a region"),
        ("LEDGER_INVOKER", "fc3:?region=cn-shanghai", "LEDGER_INVOKER needs an account"),
        ("LEDGER_ROLES", "reader", "acs:ram::1000000000000001:role/name"),
        ("LEDGER_ROLES", "acs:ram::1:role/a,acs:ram::1:role/b", "an account has one role"),
        ("LEDGER_ENDPOINTS", "127.0.0.1:80", "vod=http://host:port"),
        ("LEDGER_ENDPOINTS", "vod=ftp://host", "vod=http://host:port"),
        ("LEDGER_REGION", "CN-Shanghai", "pattern"),
        ("LEDGER_USER_ID", "me", "pattern"),
        ("LEDGER_RESULT_FILES", "oss://bucket", "must be oss: without a bucket"),
        ("LEDGER_OUTPUTS", "mts.video_quality=bucket", "mts.video_quality=oss://"),
        ("LEDGER_SIGNATURE", "v4", "'acs3' or 'rpc1'"),
        ("LEDGER_ANSWER_FORMAT", "yaml", "'json' or 'xml'"),
        (
            "LEDGER_EVIDENCE_HOSTS",
            "https://cdn.example",
            "pictures.example.com, .example.com or 10.1.2.3:8080",
        ),
        ("LEDGER_COPY_OUTPUTS", "mts.productions", "unknown name mts.productions: known are ice.production"),
        ("LEDGER_EVIDENCE_NETWORKS", "10.0.0.1/8", "must look like 10.0.0.0/8"),
        ("LEDGER_WORKERS", "0", "greater than or equal to 1"),
        ("LEDGER_WORKERS", "many", "integer"),
        ("LEDGER_LEASE_SECONDS", "1", "greater than or equal to 10"),
        ("LEDGER_RETRY_AFTER_UNIT_MS", "0", "greater than 0"),
        ("LEDGER_CALL_RATES", "vod", "vod=15,mts=50"),
        ("LEDGER_CALL_RATES", "vod=many", "vod=15,mts=50"),
        ("LEDGER_CALL_RATES", "vod=0", "vod=15,mts=50"),
        ("LEDGER_CALL_RATES", "=15", "vod=15,mts=50"),
        ("LEDGER_CALL_RATES", "vdo=5", "unknown name vdo: known are ice, mts, vod"),
        ("LEDGER_CALL_RATES", "vod=5,vod=6", "vod is there 2 times"),
        (
            "LEDGER_ENDPOINTS",
            "mns=https://host",
            "unknown name mns: known are fc, ice, mts, oss, ots, ros, sts, vod",
        ),
        ("LEDGER_ENDPOINTS", "vod=http://a,vod=http://b", "vod is there 2 times"),
        ("LEDGER_OUTPUTS", "mts=oss://bucket", "unknown name mts: known are ice.production"),
        (
            "LEDGER_OUTPUTS",
            "mts.production=oss://a,mts.production=oss://b",
            "mts.production is there 2 times",
        ),
        ("LEDGER_CALLBACK_INSTANCES", "0", "greater than or equal to 1"),
        ("LEDGER_FAN_OUT_AT", "0", "greater than or equal to 1"),
        ("LEDGER_DELIVERY", "{", "the plan: not JSON"),
        ("LEDGER_DELIVERY", '{"targets": {"a": {"url": "host"}}}', "target 'a': url must look like one of"),
        ("LEDGER_DELIVERY", '{"rules": [{"to": ["a"]}]}', "rule 1: to: 'a' is unknown"),
        ("LEDGER_MNS", "mns", "must look like https://<account>.mns.<region>.aliyuncs.com"),
        ("LEDGER_LOG_LEVEL", "LOUD", "'DEBUG'"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(variable: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingError) as refused:
        Settings.read({**GOOD, variable: value})

    assert variable in str(refused.value)
    assert allowed in str(refused.value)
    assert isinstance(refused.value, MisconfiguredError)


PLAN = """{
    "targets": {"desk": {"url": "https://desk.example/?token=canary-token"}, "next": {"url": "fc:next"}},
    "rules": [{"to": ["desk"], "kinds": ["vod.media_audit"]}]
}"""
KEY = "canary-key-000001"


def test_who_is_told_is_read_with_the_keys_to_sign_with() -> None:
    settings = Settings.read(
        {**GOOD, "LEDGER_DELIVERY": PLAN, "LEDGER_DELIVERY_KEYS": f'{{"desk": ["{KEY}", "{KEY}2"]}}'}
    )

    assert [target.name for target in settings.delivery.targets] == ["desk", "next"]
    assert settings.delivery_keys == (("desk", (SecretStr(KEY), SecretStr(f"{KEY}2"))),)
    assert len({settings: 1, settings.model_copy(): 2}) == 1
    assert "canary" not in f"{settings!r} {settings}"


def test_nobody_is_told_where_nothing_is_set() -> None:
    assert (Settings.read(GOOD).delivery, Settings.read(GOOD).delivery_keys) == (DeliveryPlan(), ())


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("{", "not JSON"),
        ('["desk"]', "the keys: must be an object"),
        (f'{{"desk": "{KEY}"}}', "a target's keys: must be a list"),
        ('{"desk": []}', "a target's keys: must be a list of texts, at least one"),
        ('{"desk": ["canary"]}', "a key must be 16 to 128 printable"),
        (f'{{"desk": ["{KEY}", "{KEY}", "{KEY}"]}}', "one key or two"),
        (f'{{"next": ["{KEY}"]}}', "keys are for https targets of LEDGER_DELIVERY: desk"),
        (f'{{"{KEY}": ["{KEY}"]}}', "keys are for https targets of LEDGER_DELIVERY: desk"),
    ],
)
def test_wrong_keys_are_refused_and_not_shown(keys: str, told: str) -> None:
    with pytest.raises(SettingError) as refused:
        Settings.read({**GOOD, "LEDGER_DELIVERY": PLAN, "LEDGER_DELIVERY_KEYS": keys})

    assert "LEDGER_DELIVERY_KEYS" in str(refused.value)
    assert told in str(refused.value)
    assert "canary" not in str(refused.value)


def test_of_a_wrong_plan_its_keys_are_not_blamed() -> None:
    with pytest.raises(SettingError) as refused:
        Settings.read({**GOOD, "LEDGER_DELIVERY": "{", "LEDGER_DELIVERY_KEYS": f'{{"desk": ["{KEY}"]}}'})

    assert "LEDGER_DELIVERY_KEYS" not in str(refused.value)


def test_rates_are_read_by_product() -> None:
    settings = Settings.read({**GOOD, "LEDGER_CALL_RATES": "vod=30, ice=0.5"})

    assert dict(settings.call_rates) == {"vod": 30.0, "ice": 0.5}


def test_every_wrong_or_missing_variable_is_named_at_once() -> None:
    with pytest.raises(SettingError) as refused:
        Settings.read({"LEDGER_WORKERS": "0"})

    assert all(name in str(refused.value) for name in ("LEDGER_OBJECTS", "LEDGER_TABLES", "LEDGER_WORKERS"))


def test_names_are_read_between_commas() -> None:
    settings = Settings.read({**GOOD, "LEDGER_VIDEO_QUALITY_SOURCES": "one, two,"})

    assert settings.quality_sources == frozenset({"one", "two"})


def test_a_secret_is_not_shown() -> None:
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "key", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "canary-secret"}
    settings = Settings.read({**GOOD, **keys})

    assert settings.access_key_secret == SecretStr("canary-secret")
    assert "canary-secret" not in f"{settings!r} {settings}"


KEY_ID = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "key"}
KEY_SECRET = {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "canary-secret"}


def test_a_key_is_given_with_its_token_and_taken_away() -> None:
    whole = {**GOOD, **KEY_ID, **KEY_SECRET, "ALIBABA_CLOUD_SECURITY_TOKEN": "token"}

    assert Settings.read(GOOD).keys is None
    assert Settings.read(whole).keys == Credentials("key", "canary-secret", "token")
    assert Settings.read(whole).without_keys() == Settings.read(GOOD)


@pytest.mark.parametrize(("half", "missing"), [(KEY_ID, *KEY_SECRET), (KEY_SECRET, *KEY_ID)])
def test_of_half_a_key_the_other_half_is_asked_for(half: dict[str, str], missing: str) -> None:
    with pytest.raises(SettingError, match=f"is set without {missing}: set both, or neither") as refused:
        Settings.read({**GOOD, **half})

    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("value", ["canary\r", "canary key", "canäry"])
@pytest.mark.parametrize("variable", [*KEY_ID, *KEY_SECRET, "ALIBABA_CLOUD_SECURITY_TOKEN"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(variable: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"{variable} has a space, a line end") as refused:
        Settings.read({**GOOD, **KEY_ID, **KEY_SECRET, variable: value})

    assert "can" not in str(refused.value)
    assert Masker().text(str(refused.value)) == str(refused.value)


def test_a_role_is_found_by_its_account() -> None:
    roles = "acs:ram::1000000000000001:role/one, acs:ram::2000000000000002:role/two"

    assert Settings.read({**GOOD, "LEDGER_ROLES": roles}).roles == (
        ("1000000000000001", "acs:ram::1000000000000001:role/one"),
        ("2000000000000002", "acs:ram::2000000000000002:role/two"),
    )


def test_hosts_and_networks_of_evidence_are_read_once_each() -> None:
    settings = Settings.read(
        {
            **GOOD,
            "LEDGER_EVIDENCE_HOSTS": " .example.com, cdn.test:8080,.EXAMPLE.com,",
            "LEDGER_EVIDENCE_NETWORKS": "10.0.0.0/8,::1",
        }
    )

    assert settings.evidence_hosts == (HostRule("example.com", below=True), HostRule("cdn.test", port=8080))
    assert [str(network) for network in settings.evidence_networks] == ["10.0.0.0/8", "::1/128"]


def test_outputs_are_copied_of_kinds_of_which_anything_is_kept() -> None:
    environment = {**GOOD, "LEDGER_COPY_OUTPUTS": "mts.production, ice.production"}
    settings = Settings.read({**environment, "LEDGER_EVIDENCE_DAYS": "mts.production=7,vod.media_audit=0"})

    assert settings.copy_outputs == {"mts.production", "ice.production"}
    with pytest.raises(SettingError, match=r"LEDGER_COPY_OUTPUTS names ice\.production, of which LEDGER_"):
        Settings.read({**environment, "LEDGER_EVIDENCE_DAYS": "ice.production=0"})


@pytest.mark.parametrize("network", ["127.0.0.1", "0.0.0.0/0", "::1", "::/0"])
def test_a_function_is_given_no_way_to_its_own_machine(network: str) -> None:
    environment = {**GOOD, "LEDGER_EVIDENCE_NETWORKS": network}
    Settings.read(environment)

    with pytest.raises(SettingError, match="LEDGER_EVIDENCE_NETWORKS includes this machine itself"):
        Settings.read({**environment, "LEDGER_OBJECTS": "oss://archive?region=cn-shanghai"})
    local = {
        "LEDGER_OBJECTS": "oss://archive?region=cn-shanghai",
        "LEDGER_ENDPOINTS": "oss=http://127.0.0.1:80",
    }
    Settings.read({**environment, **local})
