"""What the repository promises about itself: pins, portable files, a README that tells the truth."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEFT_BEHIND = re.compile(
    r"\.(?!ci$).+|.+\.egg-info|__pycache__|node_modules|build|dist|media-ledger-(demo|data|cloud)"
)
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))

each_lock = pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)


def own_files(folder: Path = ROOT) -> Iterator[Path]:
    """Give the files of this repository, without what tools leave behind."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not LEFT_BEHIND.fullmatch(path.name):
            yield from own_files(path)
        elif path.is_file():
            yield path


def pins(lock: Path) -> dict[str, str]:
    """Give every pin of a lock file by its requirement, with the lines that belong to it."""
    text = lock.read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    return {block.partition(" \\\n")[0].strip(): block for block in blocks if block.strip()}


def make_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))


def fenced_commands(text: str) -> list[str]:
    """Give the lines of a page's shell blocks, without prompts and comments."""
    blocks = re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ").partition(" #")[0].strip() for b in blocks for line in b.splitlines()]
    return [line for line in lines if line]


@each_lock
def test_every_pin_is_exact_and_has_hashes(lock: Path) -> None:
    found = pins(lock)

    assert found
    assert [name for name in found if not re.match(r"[a-z0-9-]+==[^\s;]+( ; .+)?$", name)] == []
    assert [name for name, block in found.items() if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").iterdir()), ids=lambda path: path.name)
def test_requirements_name_no_index(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert re.findall(r"https?://|file:|--\S*index\S*|--find-links|--trusted-host", text) == []


def test_every_list_has_its_lock() -> None:
    lists = {path.stem for path in (ROOT / "requirements").glob("*.in")}

    assert lists == {path.stem for path in LOCKS}


def test_every_environment_of_the_vendors_clients_has_its_list() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    environments = re.search(r"^VENDORS := (.+)$", makefile, re.MULTILINE)

    assert environments
    assert set(environments[1].split()) == {path.stem for path in LOCKS if path.stem.startswith("vendor")}


@pytest.mark.parametrize("smaller", ["build", "function", "aliyun", "cli", "tracing"])
def test_tests_run_on_the_versions_that_are_deployed(smaller: str) -> None:
    theirs, ours = pins(ROOT / f"requirements/{smaller}.txt"), pins(ROOT / "requirements/dev.txt")

    assert set(theirs) - set(ours) == set()


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    # The vendor's page prints a path of its own server (query-apis.md 6, quirk 41).
    personal = re.compile(rb"(?<![\w.])/(?:root|home(?!/admin/algo/)|Users)/[A-Za-z0-9._-]")

    found = {
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in own_files()
        for match in personal.finditer(path.read_bytes())
    }

    assert found == set()


def test_every_make_target_of_the_readme_exists() -> None:
    commands = fenced_commands((ROOT / "README.md").read_text(encoding="utf-8"))
    named = {match[1] for line in commands if (match := re.match(r"make ([a-z][a-z-]*)", line))}

    assert {"demo", "test"} <= named
    assert named - make_targets() == set()


def test_make_alone_shows_every_command_that_is_meant_for_people() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert set(re.findall(r"^  make ([a-z-]+)", shown, re.MULTILINE)) == {
        *("help", "demo", "test", "unit", "lint", "lint-template", "types", "imports", "browser"),
        *("storms", "simulate", "fuzz", "audit", "bench", "format", "invoke", "package", "lock", "clean"),
    }
    assert re.search(r"^  make demo +\S", shown, re.MULTILINE)
