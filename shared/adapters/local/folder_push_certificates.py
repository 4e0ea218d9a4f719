"""`PushCertificates` in a folder: where a local cloud puts those that it signs with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shared.errors import RefusedRequestError


@dataclass(frozen=True)
class FolderPushCertificates:
    """Finds a certificate by the last part of its address."""

    folder: Path

    def get(self, url: str, *, source: str, deadline: int) -> bytes:
        """See `PushCertificates.get`."""
        try:
            return (self.folder / url.rpartition("/")[2]).read_bytes()
        except OSError:
            raise RefusedRequestError("its certificate is not there", why="certificate") from None
