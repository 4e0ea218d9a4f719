"""The pictures that reviews point at."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from shared.documents.urls import without_query
from shared.downloads import Download
from shared.errors import DownloadFailedError, DownloadRefusedError, GoneError
from shared.kinds.values import short_hash
from shared.policy import HOUR
from tests.scripted_downloads import downloaded
from tests.simulation.hazards import Hazards
from tests.simulation.scheduler import Scheduler

Fate = Literal["there", "late", "gone", "refused"]
"""What is true of a picture; one that is late can be had from `LATE` on."""

LATE = 3 * HOUR
_FATES: tuple[Fate, ...] = ("there", "there", "there", "late", "gone", "refused")


class SimulatedPictures:
    """Shows pictures by their addresses, on a bad day or a good one."""

    def __init__(self, scheduler: Scheduler, hazards: Hazards, seed: str) -> None:
        self._scheduler = scheduler
        self._hazards = hazards
        self._seed = seed
        self._start = scheduler.now()
        self.fates: dict[str, Fate] = {}
        """By evidence id, as far as anybody asked."""

    @contextmanager
    def download(self, url: str, *, deadline: int) -> Iterator[Download]:
        """See `Downloads.download`."""
        plain = without_query(url)
        fate = self.fates.setdefault(short_hash(plain), random.Random(f"{self._seed}/{plain}").choice(_FATES))
        if self._hazards.happens("vendor_away"):
            raise DownloadFailedError("the server is away")
        if fate == "refused":
            raise DownloadRefusedError("this is no picture")
        if fate == "gone" or (fate == "late" and self._scheduler.now() < self._start + LATE):
            raise GoneError("there is no such picture")
        with downloaded(plain.encode()) as picture:
            yield picture
