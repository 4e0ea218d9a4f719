"""OSS behind a real socket on the loopback interface, over folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from localcloud.loopback import LoopbackServer
from localcloud.oss.buckets import Bucket
from localcloud.oss.service import OssService
from shared.adapters.local.folder_object_store import FolderObjectStore

_MAX_BODY_BYTES = 256 * 1024 * 1024


def oss_server(service: OssService, *, port: int = 0) -> LoopbackServer:
    """Put a service behind a port; it serves while its `with` block lasts."""
    return LoopbackServer(service.answer, name="oss", port=port, max_body_bytes=_MAX_BODY_BYTES)


def folder_buckets(root: Path, names: Iterable[str]) -> dict[str, Bucket]:
    """Keep each bucket in a folder: its objects under `objects`, what is told of them beside it."""
    return {
        name: Bucket(FolderObjectStore(root / name / "objects"), FolderObjectStore(root / name / "facts"))
        for name in names
    }
