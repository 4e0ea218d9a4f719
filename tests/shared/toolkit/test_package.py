from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared import toolkit
from tests.shared.toolkit.conftest import LogLines

FOLDER = Path(toolkit.__file__).parent


def test_every_exported_name_exists() -> None:
    found = {name: getattr(toolkit, name) for name in toolkit.__all__}

    assert set(found) == set(toolkit._HOME)
    assert set(toolkit.__all__) <= set(dir(toolkit))


def test_a_name_that_is_not_exported_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tracer'"):
        toolkit.tracer  # noqa: B018


def test_it_names_pydantic_and_opentelemetry_and_no_other_package() -> None:
    imported = {
        name.partition(".")[0] if not name.startswith("shared.toolkit") else "shared.toolkit"
        for file in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in _names(node)
    }

    assert imported - set(sys.stdlib_module_names) <= {
        "shared.toolkit",
        "pydantic",
        "pydantic_core",
        "opentelemetry",
    }


def test_importing_all_of_its_modules_loads_the_standard_library_and_itself_alone() -> None:
    modules = ", ".join(f"shared.toolkit.{file.stem}" for file in FOLDER.glob("[a-z]*.py"))
    code = f"import sys; before = set(sys.modules); import {modules}; print(*set(sys.modules) - before)"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=FOLDER.parents[1]
    ).stdout.split()

    assert {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names) == {"shared"}
    assert all(name == "shared" or name.startswith("shared.toolkit") for name in loaded if "shared" in name)


def test_importing_the_package_loads_none_of_its_modules() -> None:
    code = "import sys, shared.toolkit; print(*[m for m in sys.modules if 'toolkit.' in m])"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=FOLDER.parents[1]
    )

    assert loaded.stdout.strip() == ""


def test_the_example_of_the_readme_runs(log: LogLines) -> None:
    example = (FOLDER / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    module: dict[str, Any] = {"__name__": "example"}
    exec(compile(example, "README.md", "exec"), module)

    report = module["handler"](b"17\nx", toolkit.fake_context())

    assert (report["items"], report["succeeded"]) == (2, 1)
    assert log.named("a number came")[0].items() >= {"item_id": "17", "number": 17}.items()


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
