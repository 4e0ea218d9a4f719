"""Makes archive and ledger ready for use, or says what has to be mended; changes nothing that is there."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.bootstrap.basis import Basis
from shared.errors import MisconfiguredError, ObjectNotFoundError, StoreUnavailableError
from shared.places import Bucket, Folder, Instance, SqliteFile
from shared.settings import Settings
from shared.tables import TABLES

# No object of ours has such a name: what is asked for is whether its bucket answers.
_NOBODYS = "init"
_VERSIONED = (
    "bucket {bucket} has versioning, which makes OSS replace what must stay, even when it is suspended:"
    " use a bucket that never had it"
)


@dataclass(frozen=True)
class Prepared:
    """What became of one place: what was made there, and how it differs from what it should be."""

    what: Literal["archive", "ledger"]
    where: str
    made: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()


def prepare(settings: Settings) -> list[Prepared]:
    """Make what is missing and can be made; may be done any number of times.

    Raise `SettingError` for a bucket that is not there, and what else a store has to say.
    """
    basis = Basis.of(settings)
    return [_archive(basis, settings.objects), _ledger(basis, settings.tables)]


def _archive(basis: Basis, place: Folder | Bucket) -> Prepared:
    if isinstance(place, Folder):
        made = _made_folder(Path(place.path))
        return Prepared("archive", f"file://{place.path}", ("folder",) if made else ())
    with closing(basis.cloud.objects(place)) as objects:
        # Only a bucket that is there, and that we may read, says that it has no such object.
        with suppress(ObjectNotFoundError):
            objects.get(_NOBODYS)
        differ = (_VERSIONED.format(bucket=place.name),) if objects.ignores_put_new() else ()
    return Prepared("archive", f"oss://{place.name}/{place.prefix}".rstrip("/"), differences=differ)


def _ledger(basis: Basis, place: SqliteFile | Instance) -> Prepared:
    if isinstance(place, SqliteFile):
        from shared.adapters.local.sqlite_ledger import SqliteLedger

        was_there = Path(place.path).exists()
        SqliteLedger(Path(place.path)).close()
        return Prepared("ledger", f"sqlite://{place.path}", () if was_there else ("file",))
    from shared.adapters.aliyun.tablestore_tables import create_tables, differences

    made: list[str] = []
    with closing(basis.cloud.instance(place)) as instance:
        for table in TABLES:
            try:
                made += create_tables(instance, [table])
            except MisconfiguredError:
                # A table with another key takes none of our indexes: what differs is told below.
                missing = f"table {place.prefix}{table.name} does not exist"
                if differences(instance, [table]) in ([], [missing]):
                    raise
        differ = differences(instance)
    return Prepared("ledger", f"ots://{place.name}", tuple(made), tuple(differ))


def _made_folder(path: Path) -> bool:
    if path.is_dir():
        return False
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise StoreUnavailableError("the folder cannot be made", folder=str(path)) from error
    return True
