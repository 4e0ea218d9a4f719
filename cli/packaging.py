"""`package`: the zips that Function Compute runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.package.building import Package, build
from cli.package.targets import TARGETS, TargetName
from cli.terminal import AsJson, Exit, complain, err, escape, out, print_json, told_plainly

MB = 1_000_000
_SHOWN = 8

For = Annotated[
    list[TargetName] | None,
    typer.Option(
        "--for", help="Runtime to package for, or `here` for the Python that runs this; all of them."
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Folder to write the zips into.", show_default=True)]
# A larger one has something in it that no function imports: every cold start would pay for it.
AtMost = Annotated[int, typer.Option("--at-most", help="MB that a zip may have.", show_default=True)]


def package(
    targets: For = None, folder: Out = Path("dist"), at_most: AtMost = 17, as_json: AsJson = False
) -> None:
    """Make the zips to deploy, one for each runtime: functions, shared, and what they import.

    Versions and hashes come from requirements/. The same files, packed and compiled by the same versions of
    Python, give the same bytes. Where no Python of a runtime's version is on the path, its package has no
    byte code, and its imports take three to four times as long. Exit status 1 for a zip that is too large.
    """
    with told_plainly():
        made = [make_package(name, folder) for name in targets or TARGETS]
    if as_json:
        print_json([{**asdict(one), "file": str(one.file)} for one in made])
    else:
        for line in (line for one in made for line in _lines(one)):
            out().print(line)
    if large := [str(one.file) for one in made if one.size > at_most * MB]:
        complain(f"larger than {at_most} MB: {', '.join(large)}", Exit.NEEDS_A_PERSON)


def make_package(name: TargetName, folder: Path) -> Package:
    """Make one zip, and warn of what its cold starts will miss."""
    with err().status(f"packaging for {name.value} ..."):
        made = build(TARGETS[name], folder)
    if made.compiled_by is None:
        err().print(
            f"[bold yellow]warning:[/] no python{TARGETS[name].python} here: {name.value} has no byte code"
        )
    return made


def _lines(one: Package) -> Iterator[str]:
    yield f"[bold]{escape(str(one.file))}[/]  {one.size / MB:.1f} MB  sha256 {one.sha256}"
    yield f"  packed by {one.packed_by}; byte code by {one.compiled_by or 'nobody'}"
    largest = list(one.parts.items())[:_SHOWN]
    yield "  " + " · ".join(f"{escape(name)} {size / MB:.1f}" for name, size in largest)
