"""Where archive, ledger, files, queues and functions are: each place has its adapter, loaded with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from shared.bootstrap.basis import Basis
from shared.places import Bucket, EveryBucket, Fc2, Fc3, Instance
from shared.ports import Archive, Invoker, Ledger, ObjectLinks, ObjectReads, ResultFiles
from shared.queues import NoQueues, Queues

Target = Callable[[bytes], object]


def objects(basis: Basis) -> Archive:
    """Open the archive."""
    place = basis.settings.objects
    if isinstance(place, Bucket):
        return basis.cloud.objects(place)
    from shared.adapters.local.folder_object_store import FolderObjectStore

    return FolderObjectStore(Path(place.path))


def links(basis: Basis) -> ObjectLinks | None:
    """Make links for a browser, which is in no internal network; None where the archive is a folder."""
    place = basis.settings.objects
    if not isinstance(place, Bucket):
        return None
    return basis.cloud.objects(replace(place, network=replace(place.network, is_internal=False)))


def ledger(basis: Basis) -> Ledger:
    """Open the ledger."""
    place = basis.settings.tables
    if isinstance(place, Instance):
        return basis.cloud.ledger(place)
    from shared.adapters.local.sqlite_ledger import SqliteLedger

    return SqliteLedger(Path(place.path))


class UserFiles(ResultFiles, ObjectReads, Protocol):
    """Files that jobs wrote, read whole or piece by piece."""


def result_files(basis: Basis) -> UserFiles:
    """Open the files that jobs wrote."""
    place = basis.settings.result_files
    if isinstance(place, EveryBucket):
        return basis.cloud.result_files(place)
    from shared.adapters.local.folder_result_files import FolderResultFiles

    return FolderResultFiles(Path(place.path) if place else None)


def queues(basis: Basis) -> Queues:
    """Open the account's queues."""
    if basis.settings.mns is None:
        return NoQueues()
    from shared.adapters.aliyun.mns_queues import MnsQueues

    return MnsQueues(
        basis.settings.mns,
        credentials=basis.present.credentials,
        clock=basis.clock,
        open_session=basis.sessions.open,
    )


def invoker(basis: Basis, resolve: Callable[[str], Target]) -> Invoker:
    """Reach our own functions; those that run in this process are found by `resolve`."""
    place = basis.settings.invoker
    if isinstance(place, Fc3 | Fc2):
        return basis.cloud.invoker(place)
    from shared.adapters.local.inline_invoker import InlineInvoker

    return InlineInvoker(resolve)


def invoker_of_others(basis: Basis, own: Invoker) -> Invoker:
    """Reach functions that are not ours, whose names have no prefix."""
    place = basis.settings.invoker
    if isinstance(place, Fc3 | Fc2) and place.prefix:
        return basis.cloud.invoker(replace(place, prefix=""))
    return own
