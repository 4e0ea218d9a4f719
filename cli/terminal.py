"""What every command shares: exit statuses, JSON on request, errors in plain words."""

from __future__ import annotations

import getpass
import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated, NoReturn, TextIO

import typer
from rich.console import Console
from rich.markup import escape as escape_markup

from shared.errors import FunctionError, MisconfiguredError, TemporaryError
from shared.toolkit import configure_logging
from shared.toolkit.masking import Masker

# A table must not be folded to nothing where no terminal says how wide it is.
_WIDTH_WITHOUT_TERMINAL = 120
_SUBJECT = 200
# Half of a surrogate pair is what Python makes of a name that is not UTF-8: nothing can print it.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts instead of text for people.")]

AlwaysJson = Annotated[bool, typer.Option("--json", help="Taken for scripts that always say so: it is JSON.")]


class Exit(IntEnum):
    """What a command's exit status means; `--help` tells the same."""

    DONE = 0
    NEEDS_A_PERSON = 1
    WRONG_USE = 2
    LATER = 3


EXIT_STATUSES = (
    "Exit status: 0 done · 1 the answer needs a person · 2 wrong use, input or setting"
    " · 3 not yet, try again later."
)


def out() -> Console:
    """Give standard output, for people."""
    return _console(stderr=False)


def err() -> Console:
    """Give standard error, for progress and complaints."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, soft_wrap=True, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console


@contextmanager
def functions_log_to(stream: TextIO) -> Iterator[None]:
    """Let functions that run here log as they do when deployed, but into a stream."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(stream=stream)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def printable(text: str) -> str:
    """Keep text from being read by the terminal as a command."""
    return _UNPRINTABLE.sub("\ufffd", text)


def escape(text: str) -> str:
    """Keep a stranger's text from being read as markup, or by the terminal as a command."""
    return escape_markup(printable(text))


def print_json(value: object) -> None:
    """Print one JSON document, whole, with Chinese as it is: in UTF-8, whatever the terminal's locale."""
    text = f"{json.dumps(value, ensure_ascii=False, indent=2, default=str)}\n"
    # What is not UTF-8 becomes the escape that JSON has for it.
    typer.echo(text.encode(errors="backslashreplace"), nl=False)


def read_input(file: str) -> bytes:
    """Read a file, or standard input for `-`; end with a clear message when that is impossible."""
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        complain(f"{file}: {error.strerror or error}", Exit.WRONG_USE)


def complain(message: str, status: Exit) -> NoReturn:
    """Say what is wrong, without anything secret in it, and end."""
    err().print(f"[bold red]error:[/] {escape(Masker().text(message))}")
    raise typer.Exit(status)


def user() -> str:
    """Name whose shell this is."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        complain("this machine does not say who you are: say it with --by", Exit.WRONG_USE)


@contextmanager
def told_plainly(subject: str = "") -> Iterator[None]:
    """Turn the error families into messages and exit statuses; `subject` is the file or job."""
    try:
        yield
    except FunctionError as error:
        message = f"{subject[:_SUBJECT]}: {error}" if subject else str(error)
        complain(message, _status(error))


def _status(error: FunctionError) -> Exit:
    if isinstance(error, TemporaryError):
        return Exit.LATER
    return Exit.WRONG_USE if isinstance(error, MisconfiguredError) else Exit.NEEDS_A_PERSON
