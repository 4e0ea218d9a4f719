"""`deploy`: package, upload, and create or update the stack, in one command."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from cli.demonstration import TEMPLATE
from cli.deploy.advice import advice_for
from cli.deploy.carrying_out import Deployer, Outcome
from cli.deploy.dry_run import Step, steps_of
from cli.deploy.release import PackageFile, Release, StackName, parameters_of
from cli.deploy.stacks import Event
from cli.deploy.template import read_for
from cli.local_ledger import DEFAULT_FOLDER, environment
from cli.package.targets import TargetName
from cli.packaging import make_package
from cli.terminal import AsJson, Exit, complain, err, escape, out, print_json, told_plainly
from shared.bootstrap.deployment import opened
from shared.errors import SettingError
from shared.settings import Settings

_COLOURS = {"FAILED": "bold red", "COMPLETE": "green"}


class Runtime(str, Enum):
    """The runtimes of Function Compute that a package is made for."""

    PYTHON_3_10 = "python3.10"
    PYTHON_3_12 = "python3.12"


StackOption = Annotated[str, typer.Option("--stack", help="The stack's name; it is made if it is not there.")]
Region = Annotated[str, typer.Option("--region", help="Region of stack and bucket, such as cn-shanghai.")]
CodeBucket = Annotated[
    str | None, typer.Option("--code-bucket", help="Bucket for packages; it must exist, in the same region.")
]
RuntimeOption = Annotated[Runtime, typer.Option("--runtime", help="What the functions run on.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameter", "-p", help="Name=value, or Name=@file, for a parameter of template.yml."),
]
PackageOption = Annotated[
    Path | None, typer.Option("--package", help="A zip of `media-ledger package`, instead of making it now.")
]
TemplateOption = Annotated[
    Path,
    typer.Option("--template", help="A changed copy; left out, this repository's own.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print every call instead of making it.")]
WaitOnly = Annotated[bool, typer.Option("--wait-only", help="Change nothing: wait for what goes on.")]
Timeout = Annotated[
    int, typer.Option("--timeout", min=10, max=1440, help="Minutes that ROS may take.", show_default=True)
]


def deploy(
    stack: StackOption,
    region: Region,
    code_bucket: CodeBucket = None,
    runtime: RuntimeOption = Runtime.PYTHON_3_10,
    parameters: Parameters = None,
    package: PackageOption = None,
    template: TemplateOption = TEMPLATE,
    timeout: Timeout = 60,
    dry_run: DryRun = False,
    wait_only: WaitOnly = False,
    as_json: AsJson = False,
) -> None:
    """Package, upload, and create or update the stack of template.yml; then wait for it: docs/deploy.md.

    Can be run at any time: the same code and parameters change nothing. Parameters that are not given keep
    the values they had. Ctrl-C ends the waiting alone. Exit status 1 when the stack is not as it should be,
    3 when it was not finished in time.
    """
    with told_plainly():
        name = StackName.checked(stack, region)
        if wait_only:
            with _deployer(name) as deployer:
                _tell(deployer.look_on(timeout_minutes=timeout), name, as_json=as_json)
            return
        if code_bucket is None:
            raise SettingError("--code-bucket: name a bucket for packages; it must exist, in the same region")
        described = read_for(runtime.value, template)
        file = package or make_package(TargetName(runtime.value), Path("dist")).file
        zipped = PackageFile.checked(file, code_bucket)
        given = parameters_of(parameters or (), described, zipped)
        release = Release(name, described, zipped, given, timeout)
        if dry_run:
            _show(release, steps_of(release), as_json=as_json)
            return
        with _deployer(name) as deployer:
            _tell(deployer.deploy(release), name, release.package, as_json=as_json)


@contextmanager
def _deployer(stack: StackName) -> Iterator[Deployer]:
    settings = Settings.read(environment(DEFAULT_FOLDER) | {"LEDGER_REGION": stack.region})
    with opened(settings) as account:
        yield Deployer(account, stack, _tell_of)


def _tell_of(event: Event) -> None:
    colour = _COLOURS.get(event.status.rpartition("_")[2], "dim")
    reason = f": {escape(event.reason)}" if event.status.endswith("_FAILED") else ""
    err().print(f"{escape(event.time)} [{colour}]{escape(event.status)}[/] {escape(event.resource)}{reason}")


def _show(release: Release, steps: Sequence[Step], *, as_json: bool) -> None:
    """Print what would be called."""
    if as_json:
        print_json({"missing": release.missing, "calls": [asdict(step) for step in steps]})
        return
    console = out()
    for number, step in enumerate(steps, start=1):
        console.print(f"[bold]{number}. {step.service} {step.method} {step.action}[/], {step.when}")
        for name, value in step.parameters.items():
            console.print(f"   {escape(name)} = {escape(value)}")
        console.print(f"   {step.command}", style="dim", markup=False)
    console.print("Nothing was called. Values that are not shown are variables of the shell in the commands.")
    if release.missing:
        console.print(f"To create the stack, also give {escape(', '.join(release.missing))}.")


def _tell(outcome: Outcome, name: StackName, package: PackageFile | None = None, *, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(outcome, package))
    else:
        for line in _lines(outcome):
            out().print(line)
    stack = outcome.stack
    if stack.is_moving:
        again = shlex.join(["media-ledger", "deploy", "--stack", name.name, "--region", name.region])
        complain(f"{stack.status}: it goes on without us; `{again} --wait-only` looks on", Exit.LATER)
    if outcome.problem:
        complain(f"{stack.status}: {outcome.problem}", Exit.NEEDS_A_PERSON)


def _lines(outcome: Outcome) -> Iterator[str]:
    stack = outcome.stack
    same = ", and nothing to change" if outcome.operation == "none" else ""
    yield f"[bold]{escape(stack.name)}[/] {escape(stack.id)}: {escape(stack.status)}{same}"
    if outcome.problem and stack.reason:
        yield f"  {escape(stack.reason)}"
    for event in outcome.failures:
        yield f"  [bold red]{escape(event.resource)}[/] ({escape(event.type)}): {escape(event.reason)}"
        if advice := advice_for(event.reason):
            yield f"    {advice}"
    for name, value in stack.outputs.items() if outcome.problem is None else ():
        yield f"  [bold]{escape(name)}[/]"
        yield from (f"    {escape(line)}" for line in value.splitlines())


def _as_json(outcome: Outcome, package: PackageFile | None) -> dict[str, object]:
    stack = outcome.stack
    return {
        "operation": outcome.operation,
        "stack": {"id": stack.id, "name": stack.name, "status": stack.status, "reason": stack.reason},
        "problem": outcome.problem,
        "package": package and {"bucket": package.bucket, "key": package.key, "uploaded": outcome.uploaded},
        "failures": [
            {
                "resource": one.resource,
                "type": one.type,
                "reason": one.reason,
                "advice": advice_for(one.reason),
            }
            for one in outcome.failures
        ],
        "outputs": dict(stack.outputs),
    }
