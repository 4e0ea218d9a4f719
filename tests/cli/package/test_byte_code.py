"""Byte code: by whom it is made, and that it is the same each time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cli.package.byte_code import Interpreter, compile_modules, find_interpreter
from cli.package.errors import PackageError
from cli.package.targets import HERE, PYTHON_3_10, Target, TargetName


def program(folder: Path, name: str, script: str) -> None:
    """Put a program on the path."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the only folder on the path."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_the_python_that_runs_this_compiles_for_itself() -> None:
    found = find_interpreter(HERE)

    assert found is not None
    assert found.program == sys.executable
    assert found.version.startswith(HERE.python)


@pytest.mark.parametrize(
    ("says", "is_found"),
    [
        ("echo CPython 3.10.99", True),
        ("echo CPython 3.11.4", False),
        ("echo PyPy 3.10.14", False),
        ("echo 'version manager: no such version' >&2; exit 127", False),
    ],
)
def test_a_name_on_the_path_counts_only_if_it_starts_that_python(
    on_the_path: Path, says: str, is_found: bool
) -> None:
    program(on_the_path, "python3.10", says)

    found = find_interpreter(PYTHON_3_10)
    assert found == (Interpreter(str(on_the_path / "python3.10"), "3.10.99") if is_found else None)


def test_no_name_on_the_path_is_no_interpreter(on_the_path: Path) -> None:
    assert find_interpreter(Target(TargetName.PYTHON_3_10, "3.10", glibc=28)) is None


def here() -> Interpreter:
    """Give the Python that runs this."""
    found = find_interpreter(HERE)
    assert found is not None
    return found


def compiled(folder: Path) -> dict[str, bytes]:
    """Write a few modules, compile them, and give the byte code."""
    (folder / "package").mkdir(parents=True)
    for number in range(3):
        text = f"NAMES = {{'a', 'b', 'c'}}\ndef f{number}(x): return x in {{'one', 'two', 'three'}}\n"
        (folder / "package" / f"m{number}.py").write_text(text, encoding="utf-8")
    compile_modules(folder, here())
    return {path.name: path.read_bytes() for path in folder.rglob("*.pyc")}


def test_the_same_modules_give_the_same_byte_code_in_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = compiled(tmp_path / "one")
    monkeypatch.setenv("PYTHONHASHSEED", "7")

    assert len(one) == 3
    assert compiled(tmp_path / "a" / "longer" / "way") == one


def test_a_traceback_names_the_file_where_it_is_deployed(tmp_path: Path) -> None:
    codes = compiled(tmp_path / "one")

    assert all(b"/code/package/m" in code and str(tmp_path).encode() not in code for code in codes.values())


def test_a_module_that_is_no_python_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("print 'as of old'\n", encoding="utf-8")

    with pytest.raises(PackageError, match=r"broken\.py"):
        compile_modules(tmp_path, here())
