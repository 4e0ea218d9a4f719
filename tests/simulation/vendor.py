"""The vendor's query APIs: each job as its story says, on a bad day or a good one."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable

from shared.errors import (
    JobNotFoundError,
    ObjectNotFoundError,
    ThrottledError,
    VendorRefusedError,
    VendorUnavailableError,
)
from shared.policy import HOUR, SECOND
from shared.vendor import ApiAnswer, ApiRequest, Part
from tests.simulation.hazards import Hazards
from tests.simulation.scheduler import Scheduler
from tests.simulation.stories import LONGEST_LAG, OUTPUT, Story


class SimulatedVendor:
    """Answers queries and keeps what was asked when; `Story.says` is the truth."""

    def __init__(
        self, stories: Iterable[Story], scheduler: Scheduler, hazards: Hazards, drawn: random.Random
    ) -> None:
        self._stories = {story.ref.job_id: story for story in stories}
        self._scheduler = scheduler
        self._hazards = hazards
        self._random = drawn
        self.asked: defaultdict[str, list[int]] = defaultdict(list)
        """When each job was asked about."""
        self.calls: defaultdict[str, list[int]] = defaultdict(list)
        """When each product was called."""

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        story = self._stories[request.params["JobId"]]
        now = self._scheduler.now()
        self.asked[story.ref.key].append(now)
        self.calls[request.product].append(now)
        self._refuse(now, deadline)
        if request.product == "mts" and self._hazards.weather.sluggish and not self._hazards.is_over:
            self._scheduler.delay(max(0, min(self._hazards.weather.sluggish, deadline - now)))
        if story.illness == "kills who asks":
            self._hazards.kill("what it was told kills it")
        return ApiAnswer(self._says(story, now - self._behind(story)), request_id="r")

    def read(self, uri: str) -> bytes:
        """See `ResultFiles.read`."""
        now = self._scheduler.now()
        name = uri.removeprefix(OUTPUT)
        job_id = name.partition("-")[0]
        story = self._stories.get(job_id)
        if story is None:
            raise ObjectNotFoundError("no such file", uri=uri)
        for since, said in story.says:
            is_written = now >= max(since, story.output_at)
            if is_written and said.output is not None and name == said.file_of(job_id):
                return said.output
        raise ObjectNotFoundError("no such file", uri=uri)

    def _behind(self, story: Story) -> int:
        """Draw how far the replica that answers is behind: far, where that can only look like a step back."""
        if not self._hazards.happens("behind"):
            return 0
        return self._random.randrange(HOUR if story.has_one_end else LONGEST_LAG)

    def _is_hidden(self, story: Story) -> bool:
        """Tell whether our key does not see a job: three in four of MPS."""
        is_mine = story.ref.kind.startswith("mts.") and int(story.ref.job_id, 16) % 4 > 0
        return is_mine and self._hazards.is_in("hidden")

    def _refuse(self, now: int, deadline: int) -> None:
        hazards = self._hazards
        if hazards.is_in("key_rotated"):
            raise VendorRefusedError("this key was disabled")
        if hazards.is_in("vendor_outage") or hazards.happens("vendor_away"):
            raise VendorUnavailableError("the service is away")
        if hazards.happens("throttled"):
            wish = self._random.choice((None, 5 * SECOND, 90 * SECOND))
            raise ThrottledError("slow down", retry_after_ms=wish)
        if hazards.happens("vendor_silent"):
            self._scheduler.delay(max(0, min(10 * SECOND, deadline - now)))
            raise VendorUnavailableError("it took the call and never answered")

    def _says(self, story: Story, now: int) -> Part:
        sample = story.at(now)
        if sample is None or self._is_hidden(story) or story.illness == "nobody knows it":
            raise JobNotFoundError("there is no such job")
        if story.illness == "garbled":
            return Part("answer", "json", f"<html>{story.ref.job_id}".encode())
        about = "0" * 32 if story.illness == "another job's answer" else story.ref.job_id
        return sample.answer(about, story.form)
