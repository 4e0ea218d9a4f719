"""Where keys come from outside of Function Compute: each place in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer
from shared.adapters.aliyun.credentials import ChainCredentials
from shared.errors import SettingError

ROOT = Path(__file__).parents[4]
# The client reads the environment once in the life of a process.
ASK = """
import json, logging, sys
from shared.adapters.aliyun.credentials import ChainCredentials
from shared.errors import SettingError
logging.basicConfig(level=logging.DEBUG)
ask = ChainCredentials()
assert "alibabacloud_credentials" not in sys.modules
try:
    keys = ask()
    print(json.dumps([keys.access_key_id, keys.access_key_secret, keys.security_token]))
    assert ask() == keys
except SettingError as error:
    print(json.dumps([error.message, str(error.__context__)]))
"""
NOWHERE = {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}
GIVEN = {
    "Code": "Success",
    "AccessKeyId": "STS.uri",
    "AccessKeySecret": "canary-secret",
    "SecurityToken": "canary-token",
    "Expiration": "2099-01-01T00:00:00Z",
}


def ask(home: Path, **environment: str) -> tuple[list[str | None], str]:
    """Give what a process with this environment says, and all that it logged."""
    path = os.environ["PATH"]
    ended = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={"HOME": str(home), "PATH": path, **NOWHERE, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said: list[str | None] = json.loads(ended.stdout)
    return said, ended.stderr


def test_keys_of_the_environment_come_first(tmp_path: Path) -> None:
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "env-key", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "canary-secret"}

    said, logged = ask(tmp_path, **keys)

    assert said == ["env-key", "canary-secret", None]
    assert "canary" not in logged


def test_a_profile_of_the_vendors_command_line_is_found(tmp_path: Path) -> None:
    profile = {
        "name": "default",
        "mode": "AK",
        "access_key_id": "cli-key",
        "access_key_secret": "canary-secret",
    }
    (tmp_path / ".aliyun").mkdir()
    (tmp_path / ".aliyun" / "config.json").write_text(
        json.dumps({"current": "default", "profiles": [profile]})
    )

    said, logged = ask(tmp_path)

    assert said == ["cli-key", "canary-secret", None]
    assert "canary" not in logged


def test_an_ini_file_is_found(tmp_path: Path) -> None:
    (tmp_path / ".alibabacloud").mkdir()
    (tmp_path / ".alibabacloud" / "credentials.ini").write_text(
        "[default]\ntype = access_key\naccess_key_id = ini-key\naccess_key_secret = canary-secret\n"
    )

    said, _ = ask(tmp_path)

    assert said == ["ini-key", "canary-secret", None]


def test_an_address_that_gives_keys_is_asked(tmp_path: Path) -> None:
    def give(request: HttpRequest) -> HttpReply:
        return HttpReply(200, json.dumps(GIVEN).encode())

    with LoopbackServer(give, name="keys", max_body_bytes=1024) as server:
        said, logged = ask(tmp_path, ALIBABA_CLOUD_CREDENTIALS_URI=f"{server.endpoint}/keys")

    assert said == ["STS.uri", "canary-secret", "canary-token"]
    assert "canary" not in logged


def test_without_any_keys_it_is_said_what_to_do_and_nothing_that_was_tried(tmp_path: Path) -> None:
    token = tmp_path / "oidc-token"
    token.write_text("canary-oidc-token")
    oidc = {
        "ALIBABA_CLOUD_ROLE_ARN": "acs:ram::1000000000000001:role/ledger",
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "acs:ram::1000000000000001:oidc-provider/ledger",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(token),
        "HTTPS_PROXY": "http://127.0.0.1:1",  # so that nothing leaves this machine
    }

    said, logged = ask(tmp_path, **oidc)

    assert said[0] is not None
    assert said[0].startswith("no credentials: set ALIBABA_CLOUD_ACCESS_KEY_ID")
    assert said[1] == "None"
    assert "canary" not in f"{said} {logged}"


def test_without_the_client_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "alibabacloud_credentials.client", None)

    with pytest.raises(SettingError, match=r"media-ledger\[aliyun\]"):
        ChainCredentials()()
