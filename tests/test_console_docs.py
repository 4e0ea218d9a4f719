"""`docs/console.md`, held against the code: its commands make a key set and a token that are taken."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest

from shared.console import files
from shared.console.access import COOKIE
from shared.console_settings import ConsoleSettings
from shared.inbound.json_web_keys import ALGORITHMS, KeySet
from shared.inbound.json_web_tokens import LEEWAY, TokenRules
from shared.listings import MOST_EXAMINED
from shared.policy import MINUTE

PAGE = (Path(__file__).parent.parent / "docs" / "console.md").read_text(encoding="utf-8")
KEY_SET, TOKEN = re.findall(r"^```sh\n(b64.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def run(script: str, folder: Path) -> str:
    """Run commands of the page as a shell does."""
    done = subprocess.run(["sh", "-eu", "-c", script], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_commands_make_a_key_set_and_a_token_for_it(tmp_path: Path) -> None:
    run(KEY_SET, tmp_path)
    rules = TokenRules(
        KeySet.parse((tmp_path / "console-jwks.json").read_text()), ConsoleSettings.read({}).audience
    )

    rules.check(run(TOKEN, tmp_path), now=int(time.time() * 1_000))


@pytest.mark.parametrize(
    "told",
    [
        f"`{COOKIE}`",
        f"(`{ConsoleSettings.read({}).audience}`, if you leave it)",
        ", ".join([*ALGORITHMS][:2]) + f" or {[*ALGORITHMS][2]}",
        "followed for five minutes",
        f"a file over {files.MAX_BYTES >> 20} MB",
        "a thousand entries",
    ],
)
def test_what_is_told_is_so(told: str) -> None:
    assert told in " ".join(PAGE.split())


def test_numbers_in_words_are_those_of_the_code() -> None:
    assert (files.LINK_SECONDS, LEEWAY, MOST_EXAMINED) == (5 * 60, MINUTE, 1_000)
