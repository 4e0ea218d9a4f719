"""One seed, one run: jobs, vendor and weather are drawn, a storm passes, time goes on until all is quiet."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from functions.archive import handler as archive_evidence
from functions.callback import handler as callback
from functions.deliver import handler as deliver
from functions.reconcile import handler as reconcile
from functions.replay import handler as replay
from functions.track import handler as track
from shared import interventions, redelivery
from shared.errors import ObjectNotFoundError
from shared.jobs import JobRef, State
from shared.kinds import Kind
from shared.policy import HOUR, MINUTE, SECOND, Policy
from shared.ports import Services
from shared.replay import tasks
from shared.replay.selection import Selection
from shared.tables import JOBS, Row
from tests.memory_stores import MemoryObjectStore
from tests.simulation.audiences import Audience, draw_audiences, plan_for
from tests.simulation.clocks import Clocks
from tests.simulation.cloud import Function, Handle, Host, Invocations, Mns, SubmitSide
from tests.simulation.hazards import LEASE, Hazards
from tests.simulation.instances import Instances
from tests.simulation.logs import collected
from tests.simulation.messages import TOPIC
from tests.simulation.pictures import SimulatedPictures
from tests.simulation.scheduler import Scheduler
from tests.simulation.stores import SimulatedLedger
from tests.simulation.stories import ACCOUNT, OUTPUT, REGION, Story, draw_stories
from tests.simulation.switches import NOTHING, Switch
from tests.simulation.targets import Targets
from tests.simulation.trace import Trace
from tests.simulation.vendor import SimulatedVendor
from tests.simulation.weather import Weather, draw_weather

START = 1_763_640_000_000  # 2025-11-20T12:00:00Z
JOBS_OF_A_RUN = 100
# Few enough for the storm's backlogs to reach it.
CALLS_PER_SECOND = 1.5
_CALLBACK_INSTANCES = 4
_DELIVER_INSTANCES = 10
_ARCHIVE_INSTANCES = 10
RUNS = "reconcile"
"""The instances that work on runs of the timer and their shards."""
_FAN_OUT_AT = 30
_PICTURES_LAST = 8 * HOUR
_TICK = MINUTE
_LATER_TICK = 10 * MINUTE
_MOST_TICKS = 1_000
TIMER = json.dumps({"triggerTime": "2025-11-20T12:00:00Z", "triggerName": "timer", "payload": ""}).encode()
REPLAYED = Selection(first=date(2025, 11, 20), last=date(2025, 11, 22))
"""Every job of a run, by its day."""
_SHARDS = 3
_CORRUPT = "00.vod.media_audit.corrupt"
_CORRUPT_ROW: Row = {
    "state": "pondering",
    "seen_day": "0.2025-11-20",
    "first_seen_at": START,
    "due_bucket": "0",
    "due_at": START,
}


@dataclass
class Run:
    """One run of the simulated world; `go` lives through it."""

    seed: int
    jobs: int = JOBS_OF_A_RUN
    sky: Callable[[random.Random, int], Weather] = draw_weather
    told: Callable[[random.Random], tuple[Audience, ...]] = draw_audiences
    without: Switch = NOTHING
    release: Mapping[str, Kind] | None = None
    """What a release brings in the middle of the storm; the jobs are replayed then, and when it is over."""
    objects: MemoryObjectStore = field(default_factory=MemoryObjectStore)
    trace: Trace = field(default_factory=Trace)
    is_restless: bool = False
    """Something was still due after a very long time."""
    defects: list[str] = field(default_factory=list)
    """Errors that are none of the product's three families."""

    def __post_init__(self) -> None:
        drawn, scheduler = self._drawn, Scheduler(START)
        self.scheduler = scheduler
        self.stories: list[Story] = draw_stories(drawn("stories"), start=START, jobs=self.jobs)
        self.weather: Weather = self.sky(drawn("weather"), START)
        self.hazards = Hazards(self.weather, scheduler, self.trace, drawn("hazards"))
        self.clocks = Clocks(scheduler, self.weather, drawn("clocks"))
        lag = self.weather.index_lag
        self.ledger = SimulatedLedger(scheduler, self.clocks, self.hazards, drawn("lag"), lag=lag)
        self.vendor = SimulatedVendor(self.stories, scheduler, self.hazards, drawn("vendor"))
        self.pictures = SimulatedPictures(scheduler, self.hazards, f"{self.seed}/pictures")
        self.audiences = self.told(drawn("audiences"))
        self.policy = self.without.policy(self._policy())
        plan = self.policy.delivery
        self.targets = Targets(plan, scheduler, self.hazards, drawn("targets"), self.objects)
        self.instances = Instances(
            objects=self.objects,
            ledger=self.without.ledger(self.ledger),
            media_api=self.without.media_api(self.vendor),
            result_files=self.vendor,
            pictures=self.pictures,
            invoker=lambda: self._invocations,
            policy=self.policy,
            scheduler=scheduler,
            hazards=self.hazards,
            clocks=self.clocks,
            drawn=drawn("instances"),
            sender=self.targets.sender,
        )
        callbacks = self.without.callback(callback.handle)
        self._callback = self._host("callback", callbacks, 60 * SECOND, _CALLBACK_INSTANCES)
        self._track = self._host("track", track.handle, 60 * SECOND, 2)
        self._reconcile = self._host(RUNS, reconcile.handle, 120 * SECOND, 8)
        # The same function, in instances of their own, so that its runs' part of the calls can be told apart.
        self._named = self._host("named", reconcile.handle, 120 * SECOND, 4)
        self._deliver = self._host("deliver", deliver.handle, 320 * SECOND, _DELIVER_INSTANCES)
        self._archive = self._host("archive", archive_evidence.handle, 300 * SECOND, _ARCHIVE_INSTANCES)
        replays = self._host("replay", replay.handle, 600 * SECOND, 2)
        hosts = {"reconcile": self._reconcile, "deliver": self._deliver, "archive": self._archive}
        hosts["replay"] = replays
        self._invocations = Invocations(hosts, scheduler, self.hazards, drawn("invocations"))
        self.mns = Mns(self._callback, scheduler, self.hazards, drawn("mns"), self._reconcile_now)
        self.submit_side = SubmitSide(self._track, scheduler, self.hazards)

    def go(self) -> None:
        """Live through the run, to the end or until it is clear that it does not come to rest."""
        with collected(self.defects):
            self.targets.open()
            try:
                self._begin()
                self.scheduler.run(self.weather.ends_at)
                self._run_until_quiet()
                if not self.is_restless:
                    self._let_a_person_help()
                    self._run_until_quiet()
                # The first goes on where the storm stopped one, the second begins at the beginning: there are
                # what a store that was away or another holder has kept from it.
                for _ in range(2 if self.release is not None else 0):
                    self._replay()
                    self._run_until_quiet()
            finally:
                self.scheduler.end()
                self.targets.close()

    def _policy(self) -> Policy:
        return Policy(
            lease=LEASE,
            region=REGION,
            user_id=ACCOUNT,
            outputs={"mts.video_quality": OUTPUT},
            quality_sources=frozenset({TOPIC}),
            calls_per_second=dict.fromkeys(("vod", "mts", "ice"), CALLS_PER_SECOND),
            callback_instances=_CALLBACK_INSTANCES,
            fan_out_at=None
            if self.weather.is_undivided
            else self._drawn("fan-out").choice((None, _FAN_OUT_AT)),
            delivery=plan_for(self.audiences),
            # Whether a sample's job has ended years ago or tomorrow: all pictures have as much time.
            evidence_window=1,
            evidence_least=_PICTURES_LAST,
        )

    def _begin(self) -> None:
        self.ledger.insert(JOBS, (_CORRUPT,), _CORRUPT_ROW)
        for story in self.stories:
            for at in story.announced_at:
                self.scheduler.at(at, partial(self.submit_side.announce, story))
            for call in story.calls:
                self.scheduler.at(call.at, partial(self.mns.send, story, call))
        drawn = self._drawn("person")
        for story in drawn.sample(self.stories, len(self.stories) // 10):
            at = drawn.randrange(START, self.weather.ends_at + 1)
            self.scheduler.at(at, partial(self._redeliver, story.ref))
        self.scheduler.at(START, self._tick)
        if self.release is not None:
            self.scheduler.at((START + self.weather.ends_at) // 2, partial(self._bring, self.release))

    def _bring(self, release: Mapping[str, Kind]) -> None:
        """Deploy another release, and replay beside the callbacks; some old instances outlive the storm."""
        self.instances.deploy(release)
        self.scheduler.at(self.weather.ends_at, self.instances.end_roll_out)
        self._replay()

    def _replay(self) -> None:
        """Have stored answers normalized again, and targets told of new versions."""
        tasks.begin(self.instances.bare(), REPLAYED, shards=_SHARDS, deliver=True)

    def _tick(self) -> None:
        """Let the timer go off, and set it for the next minute as long as the storm lasts."""
        if not (self.hazards.is_in("timer_stopped") or self.hazards.happens("timer_skipped")):
            for _ in range(2 if self.hazards.happens("timer_twice") else 1):
                self._reconcile.execute(TIMER, lambda succeeded: None)
                self._archive.execute(TIMER, lambda succeeded: None)
        if not self.hazards.is_over:
            self.scheduler.at(self.scheduler.now() + _TICK, self._tick)

    def _run_until_quiet(self) -> None:
        """Let the timer go off while anything is due, and whatever else is to come."""
        for _ in range(_MOST_TICKS):
            now, due, picture = self.scheduler.now(), self.ledger.next_due(), self.ledger.next_evidence()
            known = [at for at in (due, picture, self.scheduler.next_at) if at is not None]
            if not known:
                return
            at = max(min(known), now)
            self.scheduler.run(at)
            if due is not None and due <= at:
                self._reconcile.execute(TIMER, lambda succeeded: None)
            if picture is not None and picture <= at:
                self._archive.execute(TIMER, lambda succeeded: None)
            self.scheduler.run(at + self._next_tick(at))
        self.is_restless = True

    def _next_tick(self, at: int) -> int:
        """Give how long to wait for the timer: seldom is enough where only targets are tried again."""
        asks = any(row.wants_query(at + _LATER_TICK) for row in self.ledger.rows().values())
        return _TICK if asks or at < self.weather.ends_at + HOUR else _LATER_TICK

    def _let_a_person_help(self) -> None:
        """Release what is quarantined, retry what is not confirmed, deliver again what was not taken."""
        services = self.instances.bare()
        for key, row in sorted(self.ledger.rows().items()):
            if row.state is State.QUARANTINED:
                self.hazards.note("person", f"releases {key}")
                interventions.release(services, row.ref, by="person")
            elif (row.text("drift") or "").startswith("CrashLoopError"):
                self.hazards.note("person", f"retries {key}")
                interventions.retry(services, row.ref, by="person")
            elif row.undelivered:
                self.hazards.note("person", f"redelivers {key}")
                redelivery.redeliver(services, row.ref, by="person", only_undelivered=True)

    def _redeliver(self, ref: JobRef) -> None:
        with suppress(ObjectNotFoundError):  # what is not in the archive is told by another check
            redelivery.redeliver(self.instances.bare(), ref, by="person")

    def _reconcile_now(self, keys: Sequence[str]) -> None:
        """Have jobs looked at by name, beside the timer's run."""
        self._named.execute(json.dumps({"jobs": list(keys)}).encode(), lambda succeeded: None)

    def _host(self, name: str, handle: Handle, timeout: int, instances: int) -> Host:
        function = Function(name, handle, timeout, instances)
        return Host(function, self.scheduler, self.hazards, self._launch, self.defects)

    def _launch(self, instance: str, deadline: int) -> Services:
        return self.instances.services(instance, deadline)

    def _drawn(self, what: str) -> random.Random:
        return random.Random(f"{self.seed}/{what}")
