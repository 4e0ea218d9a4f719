"""Reads the template to deploy: its text for one runtime, and what its parameters want."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.lint.findings import Severity
from localcloud.lint.linter import lint
from localcloud.template import TemplateError, parse_template

_RUNTIME = re.compile(r"^( +Runtime: )python3\.[0-9]+", re.MULTILINE)


@dataclass(frozen=True)
class DeployedTemplate:
    """A template's text, the file it comes from, and its parameters by what they want.

    `changed` tells that the text names another runtime than the file.
    """

    file: Path
    runtime: str
    text: str
    changed: bool
    parameters: frozenset[str]
    required: frozenset[str]
    secret: frozenset[str]


def read_for(runtime: str, file: Path) -> DeployedTemplate:
    """Read a template for functions of that runtime; raise `TemplateError` where it has mistakes."""
    try:
        original = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{file}: cannot be read as text: {error}") from error
    text = _RUNTIME.sub(rf"\g<1>{runtime}", original)
    template = parse_template(text, source=str(file))
    for function in template.functions.values():
        if function.runtime != runtime:
            raise TemplateError(f"{file}: the function {function.name} cannot run on {runtime}")
    _check(text, file)
    parameters: Any = template.tree.get("Parameters", {})
    return DeployedTemplate(
        file=file,
        runtime=runtime,
        text=text,
        changed=text != original,
        parameters=frozenset(parameters),
        required=frozenset(name for name, one in parameters.items() if "Default" not in one),
        secret=frozenset(name for name, one in parameters.items() if one.get("NoEcho")),
    )


def _check(text: str, file: Path) -> None:
    findings = lint(text, folder=file.absolute().parent, source=str(file))
    errors = [one for one in findings if one.severity is Severity.ERROR]
    if errors:
        first = errors[0]
        raise TemplateError(
            f"{file}, line {first.at.line}: {first.path}: {first.problem}; {len(errors)} mistakes in all,"
            f" which `media-ledger lint-template {file}` shows"
        )
