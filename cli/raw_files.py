"""Answers that were stored in a folder or a bucket: which there are, and what is in one.

One answer in each file, as it was received. A file that its job wrote may lie beside it: that of
`one.json` is `one.output.txt`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cli.terminal import Exit, complain
from shared import bootstrap
from shared.errors import ObjectNotFoundError, OversizedAnswerError
from shared.ports import Archive
from shared.settings import Settings

_MOST_BYTES = 64 * 1024 * 1024
_BESIDE = ".output.txt"


@dataclass(frozen=True)
class RawFiles:
    """The files below a folder of a store, by their names in it."""

    store: Archive
    folder: str

    def names(self, *, after: str = "") -> Iterator[str]:
        """Give the names of all answers behind one, in ascending order."""
        for key in self.store.keys(self.folder):
            name = key.removeprefix(f"{self.folder}/")
            if name > after and not name.endswith(_BESIDE):
                yield name

    def read(self, name: str) -> bytes:
        """Read a file; raise as the store does, and `OversizedAnswerError` for what no answer could be."""
        body = bytearray()
        for chunk in self.store.chunks(f"{self.folder}/{name}"):
            body += chunk
            if len(body) > _MOST_BYTES:
                raise OversizedAnswerError("larger than any answer is read", received=b"", limit=_MOST_BYTES)
        return bytes(body)

    def beside(self, name: str) -> Callable[[str], bytes | None]:
        """Give what finds a result file that lies beside an answer, by the name of its part."""

        def find(part: str) -> bytes | None:
            stem = name.rpartition(".")[0] or name
            try:
                return self.read(f"{stem}.{part}.txt")
            except ObjectNotFoundError:
                return None

        return find


@contextmanager
def raw_files(place: str, environment: Mapping[str, str]) -> Iterator[RawFiles]:
    """Open `oss://bucket/folder`, or a folder of this machine; nothing is written there."""
    if place.startswith("oss://"):
        root, folder = _in_bucket(place)
    else:
        root, folder = _here(Path(place))
    store = bootstrap.objects(Settings.read({**environment, "LEDGER_OBJECTS": root}))
    with closing(store) if isinstance(store, bootstrap.Closable) else nullcontext():
        yield RawFiles(store, folder)


def _in_bucket(place: str) -> tuple[str, str]:
    """Split it at the bucket: what is listed is a folder below the store's root."""
    where, mark, query = place.partition("?")
    bucket, _, folder = where.removeprefix("oss://").partition("/")
    if not folder.strip("/"):
        complain("--raw: name the folder in the bucket, too: oss://bucket/folder", Exit.WRONG_USE)
    return f"oss://{bucket}{mark}{query}", folder.strip("/")


def _here(place: Path) -> tuple[str, str]:
    folder = place.resolve()
    if not folder.is_dir():
        complain(f"--raw: {place} is no folder", Exit.WRONG_USE)
    if not folder.name:
        complain("--raw: the root of a file system is no folder of answers", Exit.WRONG_USE)
    return f"file://{quote(str(folder.parent))}", folder.name
