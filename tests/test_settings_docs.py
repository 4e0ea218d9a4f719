"""`docs/settings.md` tells of every setting, with its default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared import places
from shared.console_settings import ConsoleSettings
from shared.settings import Settings
from shared.webhook_settings import WebhookSettings

PAGE = (Path(__file__).parent.parent / "docs" / "settings.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `((?:LEDGER|ALIBABA_CLOUD)_\w+)` \| (?:`([^`]*)`)? ?\|", PAGE, re.MULTILINE))
NEEDED = ("LEDGER_OBJECTS", "LEDGER_TABLES")
FIELDS = {
    str(field.alias): field
    for model in (Settings, WebhookSettings, ConsoleSettings)
    for field in model.model_fields.values()
}
# What no text of a variable says, or what says that nothing is set.
IN_WORDS = {"LEDGER_INVOKER": places.invoker}


def test_every_setting_is_explained_once() -> None:
    assert sorted(re.findall(r"^\| `((?:LEDGER|ALIBABA_CLOUD)_\w+)`", PAGE, re.MULTILINE)) == sorted(FIELDS)


@pytest.mark.parametrize("variable", [name for name in ROWS if name not in NEEDED])
def test_the_default_that_is_told_is_the_default(variable: str) -> None:
    default = FIELDS[variable].default
    told = ROWS[variable]

    if variable in IN_WORDS:
        assert IN_WORDS[variable](told) == default
    elif told:
        assert str(default) == told
    else:
        assert not default or default == type(default)()


@pytest.mark.parametrize("block", re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
def test_the_example_is_taken(block: str) -> None:
    told = dict(re.findall(r"^export (\w+)='([^']*)'$", block, re.MULTILINE))

    assert isinstance(Settings.read(told).objects, places.Bucket)


@pytest.mark.parametrize("scheme", ["file", "oss", "sqlite", "ots", "inline", "fc3", "fc2"])
def test_every_place_is_told(scheme: str) -> None:
    assert f"`{scheme}:" in PAGE
