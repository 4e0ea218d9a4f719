"""Joins the checks of a template."""

from __future__ import annotations

from pathlib import Path

from localcloud.lint.definitions import load_definitions
from localcloud.lint.deployed_code import check_functions
from localcloud.lint.document import read_document
from localcloud.lint.findings import Finding, note
from localcloud.lint.names import Names
from localcloud.lint.references import ReferenceChecker
from localcloud.lint.sections import (
    check_outputs,
    check_parameters,
    check_repeated,
    check_resources,
    check_sections,
)
from localcloud.lint.triggers import check_triggers
from localcloud.template import TemplateError


def lint_file(path: Path) -> list[Finding]:
    """Check a template and the code beside it; raise `TemplateError` where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{path}: cannot be read as text: {error}") from error
    return lint(text, folder=path.absolute().parent, source=str(path))


def lint(text: str, *, folder: Path, source: str) -> list[Finding]:
    """Check a template's text; its code and sample events are looked for in `folder`.

    Findings come in the order of the file. Raise `TemplateError` where the text is no YAML mapping.
    """
    known = load_definitions()
    document = read_document(text, source=source)
    root = document.root
    if "Transform" in root.by_key:
        return [note(root.by_key["Transform"].at, ("Transform",), "another format in disguise: not checked")]
    names = Names(root)
    findings = [
        *check_repeated(document),
        *check_sections(root),
        *check_parameters(names),
        *check_resources(names, known),
        *check_triggers(names, known),
        *ReferenceChecker(root, names, known).check(),
        *check_outputs(root),
        *check_functions(names, folder),
    ]
    return sorted(findings, key=lambda one: (one.at.line, one.at.column, one.path))
