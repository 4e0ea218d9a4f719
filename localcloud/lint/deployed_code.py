"""Checks functions against the code beside the template: handlers, hooks, variables, sample events."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path as FilePath

from localcloud.lint.document import Mapping, Node, Path
from localcloud.lint.findings import Finding, error, nearest, note
from localcloud.lint.names import Names, Resource
from localcloud.template import FUNCTION

_IMPORTER = FilePath(__file__).with_name("import_handlers.py")
_SECONDS_TO_IMPORT = 60

# Where a function names what is called: at each invocation, and at the start and the end of an instance.
_INVOKED = ("Handler",)
_LIFECYCLE = "InstanceLifecycleConfig"
_HANDLERS = (_INVOKED, (_LIFECYCLE, "Initializer", "Handler"), (_LIFECYCLE, "PreStop", "Handler"))

# Their loader knows packages with an `__init__.py` only (style.md 5.2).
_WITHOUT_NAMESPACES = ("python3", "python3.9", "python3.10")

_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# Set by the platform, whatever the template says (function-compute.md 1.3).
_SET_BY_THE_PLATFORM = frozenset(
    ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN")
)
_MOST_BYTES_OF_VARIABLES = 4096


def check_functions(names: Names, folder: FilePath) -> Iterator[Finding]:
    """Check every function; `folder` is the template's, where the code is, too."""
    handlers: dict[str, tuple[Node, Path]] = {}
    for resource in names.resources_of(FUNCTION):
        yield from _variables(resource, names)
        yield from _memory(resource, names)
        if not _is_python_here(resource, names):
            continue
        runtime = names.known_text(resource.properties.get("Runtime"))
        for keys in _HANDLERS:
            handler, path = _at(resource.properties, keys), (*resource.path, *keys)
            text = names.known_text(handler)
            if handler is None or text is None:
                continue
            problems = [*_handler_form(text, handler, folder, path)]
            if not problems and runtime in _WITHOUT_NAMESPACES:
                problems = [*_unmarked_packages(text, handler, folder, path)]
            yield from problems
            if not problems:
                handlers[text] = handler, path
                if keys == _INVOKED:
                    yield from _samples(text, handler, folder, path)
    if handlers:
        yield from _imports(handlers, folder)


def _at(node: Node | None, keys: tuple[str, ...]) -> Node | None:
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _is_python_here(resource: Resource, names: Names) -> bool:
    code = resource.properties.get("Code")
    inline = isinstance(code, Mapping) and {"SourceCode", "ZipFile"} & code.by_key.keys()
    return (names.known_text(resource.properties.get("Runtime")) or "").startswith("python") and not inline


# --- variables and memory ----------------------------------------------------------------------


def _variables(resource: Resource, names: Names) -> Iterator[Finding]:
    variables = resource.properties.get("EnvironmentVariables")
    if not isinstance(variables, Mapping):
        return
    path = (*resource.path, "EnvironmentVariables")
    size = 0
    for entry in variables.entries:
        own = (*path, entry.key)
        if entry.key.startswith("FC_") or entry.key in _SET_BY_THE_PLATFORM:
            yield error(entry.at, own, "this name is reserved for the platform")
        elif not _VARIABLE.fullmatch(entry.key):
            yield error(entry.at, own, "a name is a letter, then letters, digits and underscores")
        size += len(entry.key.encode()) + len(names.least_text(entry.value).encode())
    if size > _MOST_BYTES_OF_VARIABLES:
        yield error(variables.at, path, f"{size} bytes of variables; {_MOST_BYTES_OF_VARIABLES} are allowed")


def _memory(resource: Resource, names: Names) -> Iterator[Finding]:
    """Check memory for each processor: 1 to 4 GB (function-compute.md 1.5)."""
    cpu, memory = (names.known_text(resource.properties.get(key)) for key in ("Cpu", "MemorySize"))
    try:
        gigabytes = int(memory or "") / 1024 / float(cpu or "")
    except (ValueError, ZeroDivisionError):
        return
    if not 1 <= gigabytes <= 4:
        at = resource.properties.by_key["Cpu"].at
        problem = f"{memory} MB for {cpu} processors: 1 to 4 GB are allowed for each"
        yield error(at, (*resource.path, "Cpu"), problem)


# --- handlers ----------------------------------------------------------------------------------


def _handler_form(text: str, handler: Node, folder: FilePath, path: Path) -> Iterator[Finding]:
    module, dot, _ = text.rpartition(".")
    if not dot:
        yield error(handler.at, path, f"{text!r} is no module and function, such as index.handler")
        return
    top = re.split(r"[./]", module)[0]
    if (folder / top).is_dir() or (folder / f"{top}.py").is_file():
        return
    here = {one.name.removesuffix(".py") for one in folder.iterdir() if one.is_dir() or one.suffix == ".py"}
    near = nearest(top, here)
    if near:
        yield error(handler.at, path, f"there is no {top} beside the template", near)
    else:
        yield note(handler.at, path, f"there is no {top} beside the template: not checked")


def _unmarked_packages(text: str, handler: Node, folder: FilePath, path: Path) -> Iterator[Finding]:
    module = FilePath(*text.rpartition(".")[0].split("."))
    for package in module.parents[:-1]:
        if (folder / package).is_dir() and not (folder / package / "__init__.py").is_file():
            problem = f"the runtime imports nothing from {package.as_posix()}/ without an __init__.py"
            yield error(handler.at, path, problem)


def _samples(text: str, handler: Node, folder: FilePath, path: Path) -> Iterator[Finding]:
    match = re.match(r"functions[./](\w+)[./]", text)
    events = folder / "events"
    if match is None or not events.is_dir():
        return
    own = events / match[1]
    if not own.is_dir() or not any(one.is_file() for one in own.iterdir()):
        yield error(handler.at, path, f"there is no sample event in events/{match[1]}/")


def _imports(handlers: dict[str, tuple[Node, Path]], folder: FilePath) -> Iterator[Finding]:
    for text, problem in _import_problems(sorted(handlers), folder).items():
        handler, path = handlers[text]
        if "missing" in problem:
            reason = f"{problem['missing']}, which may be there when deployed"
            yield note(handler.at, path, f"not imported: {reason}")
        else:
            yield error(handler.at, path, f"{text} cannot be called: {problem['broken']}")


def _import_problems(handlers: list[str], folder: FilePath) -> dict[str, dict[str, str]]:
    """Import handlers as the runtime would, in a process of its own, which may hang or end."""
    command = [sys.executable, str(_IMPORTER), *handlers]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=_SECONDS_TO_IMPORT, check=True
        )
        found = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        reason = f"importing took more than {_SECONDS_TO_IMPORT} s"
        return {handler: {"broken": reason} for handler in handlers}
    except (subprocess.CalledProcessError, ValueError, IndexError):
        return {handler: {"broken": "importing ended the process"} for handler in handlers}
    return {handler: problem for handler, problem in found.items() if problem}
