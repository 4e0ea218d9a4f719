"""The ledger that a command works on: a folder on this machine, unless the environment says else."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from shared import bootstrap
from shared.errors import PermanentError, SettingError, StoreUnavailableError
from shared.job_row import JobRow, read_job
from shared.jobs import refs_named
from shared.kinds import KINDS
from shared.ports import Services
from shared.settings import Settings

DEFAULT_FOLDER = Path("media-ledger-data")
_SHOWN = 400
# Where no folder can be made, however often it is tried.
_NO_PLACE = (errno.EEXIST, errno.ENOTDIR, errno.ENOENT, errno.EPERM, errno.EACCES, errno.EROFS)

Folder = Annotated[
    Path,
    typer.Option(
        "--dir",
        help="Folder with archive and ledger, unless LEDGER_OBJECTS and LEDGER_TABLES say else.",
        show_default=True,
    ),
]


def environment(folder: Path) -> dict[str, str]:
    """Give the environment that a function on this ledger has."""
    try:
        root = quote(str(folder.resolve()))
    except UnicodeEncodeError:
        raise SettingError("--dir is not UTF-8; name another folder", folder=str(folder)) from None
    return {
        "LEDGER_OBJECTS": f"file://{root}/archive",
        "LEDGER_TABLES": f"sqlite://{root}/ledger.db",
        **{name: value for name, value in os.environ.items() if _concerns_us(name)},
    }


def _concerns_us(name: str) -> bool:
    return name.startswith(("LEDGER_", "ALIBABA_CLOUD_"))


@contextmanager
def opened(settings: Mapping[str, str], *, must_exist: Path | None = None) -> Iterator[Services]:
    """Open the ledger for one command; with `must_exist`, refuse to make an empty one by mistake."""
    if must_exist is not None and "LEDGER_TABLES" not in os.environ:
        database = must_exist / "ledger.db"
        if not database.exists():
            raise PermanentError(
                "there is no ledger yet: run `media-ledger demo`, `media-ledger track` or"
                " `media-ledger settle` first, or say where it is with --dir",
                file=str(database),
            )
    with telling_no_place():
        services = bootstrap.build(Settings.read(settings))
    try:
        yield services
    finally:
        bootstrap.close(services)


@contextmanager
def telling_no_place() -> Iterator[None]:
    """Say of a folder where nothing can be made that another one is needed."""
    try:
        yield
    except StoreUnavailableError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno in _NO_PLACE:
            raise SettingError(
                "no ledger can be made there: name another folder with --dir", reason=str(cause)
            ) from None
        raise


@contextmanager
def as_environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Give functions that run here these settings and no others, as the platform would."""
    before = dict(os.environ)
    for name in filter(_concerns_us, before):
        del os.environ[name]
    os.environ.update(settings)
    try:
        yield
    finally:
        bootstrap.end_instance()
        os.environ.clear()
        os.environ.update(before)


def find_job(services: Services, name: str) -> JobRow:
    """Find a job by key, by `kind/job id` or by its vendor id alone; raise unless there is exactly one."""
    refs = refs_named(name, KINDS)
    found = [row for ref in refs if (row := read_job(services.ledger, ref.key)) is not None]
    if len(found) > 1:
        names = ", ".join(f"{row.ref.kind}/{row.ref.job_id}" for row in found)
        raise PermanentError(f"more than one job has this id, say which: {names[:_SHOWN]}")
    if not found:
        raise PermanentError("the ledger does not know this job", job=name[:_SHOWN])
    return found[0]
