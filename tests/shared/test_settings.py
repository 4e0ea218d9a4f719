from __future__ import annotations

import pytest
from pydantic import SecretStr

from shared.errors import MisconfiguredError, SettingError
from shared.settings import Settings

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
        ("LEDGER_OBJECTS", "s3://bucket", "file:///path"),
        ("LEDGER_OBJECTS", "file://relative", "file:///path"),
        ("LEDGER_TABLES", "ledger.db", "sqlite:///path"),
        ("LEDGER_ENDPOINTS", "127.0.0.1:80", "vod=http://host:port"),
        ("LEDGER_ENDPOINTS", "vod=ftp://host", "vod=http://host:port"),
        ("LEDGER_REGION", "CN-Shanghai", "pattern"),
        ("LEDGER_USER_ID", "me", "pattern"),
        ("LEDGER_RESULT_FILES", "oss://bucket", "file:///path"),
        ("LEDGER_OUTPUTS", "mts.video_quality=bucket", "mts.video_quality=oss://"),
        ("LEDGER_SIGNATURE", "v4", "'acs3' or 'rpc1'"),
        ("LEDGER_ANSWER_FORMAT", "yaml", "'json' or 'xml'"),
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
        ("LEDGER_ENDPOINTS", "oss=https://host", "unknown name oss: known are ice, mts, vod"),
        ("LEDGER_ENDPOINTS", "vod=http://a,vod=http://b", "vod is there 2 times"),
        ("LEDGER_OUTPUTS", "mts=oss://bucket", "unknown name mts: known are ice.production"),
        (
            "LEDGER_OUTPUTS",
            "mts.production=oss://a,mts.production=oss://b",
            "mts.production is there 2 times",
        ),
        ("LEDGER_CALLBACK_INSTANCES", "0", "greater than or equal to 1"),
        ("LEDGER_FAN_OUT_AT", "0", "greater than or equal to 1"),
        ("LEDGER_LOG_LEVEL", "LOUD", "'DEBUG'"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(variable: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingError) as refused:
        Settings.read({**GOOD, variable: value})

    assert variable in str(refused.value)
    assert allowed in str(refused.value)
    assert isinstance(refused.value, MisconfiguredError)


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
    settings = Settings.read({**GOOD, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "canary-secret"})

    assert settings.access_key_secret == SecretStr("canary-secret")
    assert "canary-secret" not in f"{settings!r} {settings}"
