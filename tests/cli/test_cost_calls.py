"""The calls that `media-ledger cost` reckons with are those that the handlers make."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cli.cost import calls
from cli.cost.calls import Habits, per_job
from functions.archive import handler as archive
from functions.callback import handler as callback
from functions.deliver import handler as deliver
from functions.reconcile import handler as reconcile
from functions.track import handler as track
from shared.adapters.local.inline_invoker import InlineInvoker
from shared.policy import MINUTE, Policy
from shared.ports import Services
from tests import scripted_vendor
from tests.cli.counted_calls import Counted
from tests.scripted_targets import plan_to
from tests.world import World

TICK = (Path(__file__).parents[2] / "events" / "reconcile" / "timer.json").read_bytes()
REVIEW, QUALITY = "vod.media_audit", "mts.video_quality"
JOB = "0c8f04aa60bd4377a906bd6c91ec0000"
FILE = b'{"freeze":[{"result":"freeze","score":4.14,"timestamp":"233","type":"freeze"}]} {"border":[]}'
PICTURES = "https://pictures.oss-cn-shanghai.aliyuncs.com"
POLICY = Policy(
    jitter=0.0,
    region="cn-shanghai",
    user_id="1000000000000001",
    outputs={QUALITY: "oss://results.oss-cn-shanghai.aliyuncs.com/"},
    quality_sources=frozenset({"quality"}),
)
ALONE = Habits(pictures=0, targets=0, terms=1)  # the verdict


class Story:
    """One job from its announcement to its end, of these habits, and what each step of it calls."""

    def __init__(self, folder: Path, habits: Habits) -> None:
        targets = [f"target-{number}" for number in range(int(habits.targets))]
        invoker = InlineInvoker(self._function)
        self.habits, self.invoker = habits, invoker
        self.world = World(folder, policy=replace(POLICY, delivery=plan_to(*targets)) if targets else POLICY)
        self.counted = Counted(self.world, invoker)
        (self.kind,) = habits.mix
        prepare = {REVIEW: self._review, QUALITY: self._quality}[self.kind]
        self.body = prepare()

    def services(self) -> Services:
        """Give services as an invocation has them."""
        return replace(self.counted.services, deadline=self.world.clock.now() + MINUTE)

    def announce(self) -> Mapping[str, int]:
        track.handle(json.dumps({"kind": self.kind, "job_id": JOB}).encode(), self.services())
        return self.counted.taken()

    def call_back(self, number: int = 1) -> Mapping[str, int]:
        data = {"messageId": f"message-{number}", "messageBody": json.dumps(self.body)}
        event = {
            "specversion": "1.0",
            "type": "mns:Queue:SendMessage",
            "id": data["messageId"],
            "subject": "acs:mns:cn-shanghai:1000000000000001:queues/quality",
            "data": data,
        }
        callback.handle(json.dumps([event]).encode(), self.services())
        return self.counted.taken()

    def run_accepted(self) -> Mapping[str, int]:
        self.invoker.run_accepted()
        assert self.invoker.failed == ()
        return self.counted.taken()

    def run_timer(self) -> Mapping[str, int]:
        reconcile.handle(TICK, self.services())
        return self.counted.taken()

    def run_timer_when_due(self) -> list[dict[str, float]]:
        """Run it, and what it invokes, whenever something is due until nothing is; give what each called."""
        runs = []
        while (due := self.world.next_due()) is not None:
            self.world.clock.advance(max(0, due - self.world.clock.now()))
            runs.append(added(self.run_timer(), self.run_accepted()))
        return runs

    def _function(self, name: str) -> Callable[[bytes], object]:
        handlers = {"archive": archive.handle, "deliver": deliver.handle}
        return lambda payload: handlers[name](payload, self.services())

    def _review(self) -> dict[str, object]:
        urls = [f"{PICTURES}/{number}.jpg" for number in range(int(self.habits.pictures))]
        self.world.pictures.have(*urls)
        running = scripted_vendor.answer(JOB, "processing", suggestion=None)
        self.world.vendor.say(JOB, *[running] * int(self.habits.polls))
        self.world.vendor.know(JOB, scripted_vendor.answer(JOB, pictures=urls))
        body: dict[str, object] = json.loads(scripted_vendor.callback(JOB).body)
        return body

    def _quality(self) -> dict[str, object]:
        job = {"JobId": JOB, "Status": "Success", "Output": "blockness.txt"}
        self.world.vendor.know(JOB, json.dumps({"Code": "Success", "Job": job}).encode())
        file = self.world.folder / "buckets" / "results" / "blockness.txt"
        file.parent.mkdir(parents=True)
        file.write_bytes(FILE)
        return {"Type": "VideoQuality", "JobId": JOB, "State": "Success"}


Begin = Callable[..., Story]


def of_the_job(runs: list[dict[str, float]]) -> dict[str, float]:
    """Add up what runs of the timer called for the job's sake, without what any run calls."""
    total: dict[str, float] = {}
    for run in runs:
        for call, number in run.items():
            if call not in calls.RUN_OF["reconcile"] and not call.startswith("leases."):
                total[call] = total.get(call, 0) + number
    return total


def added(*parts: Mapping[str, float]) -> dict[str, float]:
    return {
        call: sum(part.get(call, 0) for part in parts)
        for call in sorted({name for one in parts for name in one})
    }


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Begin stories, and close their stores."""
    stories: list[Story] = []

    def begun(habits: Habits = ALONE) -> Story:
        stories.append(Story(tmp_path / str(len(stories)), habits))
        return stories[-1]

    yield begun
    for story in stories:
        story.world.close()


HABITS = [
    ALONE,
    Habits(announced=0, pictures=0, targets=0, terms=1),
    Habits(pictures=1, targets=1, terms=1),
    Habits(announced=0, pictures=3, targets=3, callbacks=2, terms=1),
    Habits(mix={QUALITY: 1}, pictures=0, targets=1, terms=0),
]


@pytest.mark.parametrize("habits", HABITS, ids=str)
def test_a_job_calls_for_what_it_is_reckoned_with(habits: Habits, begin: Begin) -> None:
    story = begin(habits)
    steps = [story.announce()] if habits.announced else []
    steps += [story.call_back(), story.run_accepted()]
    runs = story.run_timer_when_due()
    steps += [story.call_back(number) for number in range(2, int(habits.callbacks) + 1)]

    assert added(*steps, of_the_job(runs)) == added(per_job(habits))
    assert len(runs) == len(calls.TIMER) + bool(habits.pictures)


def test_each_step_calls_for_what_it_is_reckoned_with(begin: Begin) -> None:
    story = begin()

    assert story.announce() == calls.ANNOUNCED
    assert story.call_back() == calls.CALLBACK_OF_ANNOUNCED
    made_known, *later = (of_the_job([run]) for run in story.run_timer_when_due())
    assert [added(made_known), *later] == [added(calls.RECORD, calls.PER_TERM), *calls.TIMER[1:]]
    assert story.call_back(2) == calls.CALLBACK_AGAIN


def test_a_job_that_is_still_running_is_asked_about_again(begin: Begin) -> None:
    told = {}
    for polls in (1, 2):
        story = begin(replace(ALONE, polls=polls))
        story.announce()
        told[polls] = of_the_job(story.run_timer_when_due())

    assert added(told[2]) == added(told[1], calls.STILL_RUNNING)


def test_a_run_calls_for_what_it_is_reckoned_with(begin: Begin) -> None:
    story = begin()

    assert story.run_timer() == calls.RUN_OF["reconcile"]
    archive.handle(TICK, story.services())
    assert story.counted.taken() == calls.RUN_OF["archive"]

    story.call_back()
    first, *later = story.run_timer_when_due()
    assert first["jobs_due.scan"] == calls.RUN_OF["reconcile"]["jobs_due.scan"]
    for run in later:
        assert {call: run[call] for call in run if call.startswith("leases.")} == calls.RUN_WITH_WORK
