"""docs/security.md, held against the template and the settings: every right, every role, every secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from localcloud.template import read_template
from shared.console_settings import ConsoleSettings
from shared.settings import Settings
from shared.webhook_settings import WebhookSettings
from tests.test_template_rights import ROLES, STACK

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
OF_ALL = "log:PostLogStoreLogs"
ACTION = re.compile(r"`([a-z]+:[A-Z]\w+)`")


def rows(heading: str) -> dict[str, str]:
    """Give the table below a heading: its rows by their first cell."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.strip("| ").split(" | ", 1) for line in section.splitlines() if line.startswith("| ")]
    return {cell[0]: cell[1] for cell in cells[1:]}


@pytest.mark.parametrize("name", sorted(ROLES))
def test_the_rights_of_a_function_are_told_as_its_role_has_them(name: str) -> None:
    granted = {action for action, _ in STACK.grants(ROLES[name])}

    assert OF_ALL in granted
    assert set(ACTION.findall(rows("What each function may do")[f"`{name}`"])) == granted - {OF_ALL}


def test_no_function_is_told_of_that_is_none() -> None:
    assert set(rows("What each function may do")) == {f"`{name}`" for name in ROLES}


def test_every_role_and_every_secret_is_told_of_as_a_key() -> None:
    template = read_template(ROOT / "template.yml").tree
    assert isinstance(template, dict)
    hidden = {name for name, one in template["Parameters"].items() if one.get("NoEcho")}
    secrets = {
        str(field.alias)
        for model in (Settings, WebhookSettings, ConsoleSettings)
        for field in model.model_fields.values()
        if SecretStr.__name__ in str(field.annotation)
    }
    keys = " ".join(rows("What an attacker gains with each key"))
    told = set(re.findall(r"`(\w+)`", keys))

    assert secrets
    assert (hidden | secrets | set(STACK.of_type("ALIYUN::RAM::Role"))) - told == set()
