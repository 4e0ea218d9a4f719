"""A server of pictures that follows a script."""

from __future__ import annotations

import hashlib
import tempfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from shared.downloads import Download, Downloads
from shared.errors import DownloadFailedError, GoneError
from shared.ports import Clock
from tests.faults import Faults

AWAY = DownloadFailedError("the server is away")
GONE = GoneError("there is no such picture")


@contextmanager
def downloaded(body: bytes) -> Iterator[Download]:
    """Give a picture as whoever fetched it has it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "picture")
        file.write_bytes(body)
        sha256 = hashlib.sha256(body).hexdigest()
        yield Download(lambda: file.open("rb"), len(body), sha256, "image/jpeg", ".jpg")


def read(found: Download) -> bytes:
    """Read the whole file."""
    with found.open() as file:
        return file.read()


class ScriptedDownloads:
    """Pictures by their whole addresses; of any other there is none. `asked` is every attempt, in order."""

    def __init__(self, clock: Clock) -> None:
        self.asked: list[str] = []
        self.bodies: dict[str, bytes] = {}
        self._clock = clock
        self._answers: defaultdict[str, deque[Exception | Callable[[], object]]] = defaultdict(deque)

    def have(self, *urls: str, body: bytes | None = None) -> None:
        """Show pictures from now on, each another one unless a body is given."""
        self.bodies |= {url: f"picture at {url}".encode() if body is None else body for url in urls}

    def say(self, url: str, *answers: Exception | Callable[[], object]) -> None:
        """Queue what comes first, each once: an error, or something that happens before the picture comes."""
        self._answers[url].extend(answers)

    @contextmanager
    def download(self, url: str, *, deadline: int) -> Iterator[Download]:
        """See `Downloads.download`."""
        if self._clock.now() >= deadline:
            raise DownloadFailedError("no time is left")
        self.asked.append(url)
        queue = self._answers[url]
        answer = queue.popleft() if queue else None
        if isinstance(answer, Exception):
            raise answer.with_traceback(None)
        if answer is not None:
            answer()
        if url not in self.bodies:
            raise GONE.with_traceback(None)
        with downloaded(self.bodies[url]) as picture:
            yield picture


class FaultyDownloads:
    """Downloads whose calls go through `faults`; the call is the asking for one."""

    def __init__(self, inner: Downloads, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    def download(self, url: str, *, deadline: int) -> AbstractContextManager[Download]:
        """See `Downloads.download`."""
        with self._faults.around("download", url):
            return self._inner.download(url, deadline=deadline)
