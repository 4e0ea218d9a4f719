"""There are two packages named `mns`, and one of them prints secrets."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shared.adapters.aliyun.mns_sdk import load_sdk
from shared.errors import SettingError


def test_the_sdk_is_the_one_that_keeps_secrets() -> None:
    assert load_sdk().auth.Credentials is not None


def test_the_other_one_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "mns"]:
        monkeypatch.delitem(sys.modules, name)
    other = tmp_path / "mns" / "__init__.py"
    other.parent.mkdir()
    other.touch()
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(SettingError, match="prints the secret") as caught:
        load_sdk()
    assert caught.value.details["found"] == str(other)
    monkeypatch.delitem(sys.modules, "mns")
