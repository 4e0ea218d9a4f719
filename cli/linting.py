"""`lint-template`: check a ROS template without an account."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.demonstration import TEMPLATE
from cli.terminal import AsJson, Exit, escape, out, print_json, printable, told_plainly
from localcloud.lint.definitions import load_definitions
from localcloud.lint.findings import Finding, Severity
from localcloud.lint.linter import lint_file

_COLOURS = {Severity.ERROR: "bold red", Severity.NOTE: "bold blue"}


def lint_template(
    file: Annotated[Path, typer.Argument(help="The template; left out, this repository's own.")] = TEMPLATE,
    as_json: AsJson = False,
) -> None:
    """Check a ROS template and the code beside it, offline: docs/lint.md."""
    with told_plainly():
        findings = lint_file(file)
    errors = [one for one in findings if one.severity is Severity.ERROR]
    if as_json:
        print_json(_as_json(file, findings))
    else:
        _print(file, findings, len(errors))
    if errors:
        raise typer.Exit(Exit.NEEDS_A_PERSON)


def _print(file: Path, findings: Sequence[Finding], errors: int) -> None:
    console = out()
    for one in findings:
        place = f"{file}:{one.at.line}:{one.at.column}"
        hint = f" (did you mean {one.nearest}?)" if one.nearest else ""
        said = f"{one.path}: {one.problem}{hint}"
        console.print(f"{escape(place)}: [{_COLOURS[one.severity]}]{one.severity.value}:[/] {escape(said)}")
    notes = len(findings) - errors
    console.print(f"{escape(str(file))}: {errors} mistakes, {notes} notes")


def _as_json(file: Path, findings: Sequence[Finding]) -> dict[str, object]:
    return {
        "file": printable(str(file)),
        "definitions": dict(load_definitions().sources),
        "findings": [
            {
                "line": one.at.line,
                "column": one.at.column,
                "severity": one.severity.value,
                "path": one.path,
                "problem": one.problem,
                "nearest": one.nearest,
            }
            for one in findings
        ],
    }
