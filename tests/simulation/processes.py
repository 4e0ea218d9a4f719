"""Real processes over one SQLite ledger and one folder, killed again and again while they settle jobs.

Nothing is simulated here but the vendor, and the clock, which runs sixty times as fast, so that leases of
processes that were killed lapse while others are still at work. When the fire is over, one process alone
does what is left and looks at what there is.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from functions.archive import handler as archive_evidence
from functions.callback import handler as callback
from functions.deliver import handler as deliver
from functions.reconcile import handler as reconcile
from localcloud.consumer import Consumer
from shared import archive, interventions
from shared.adapters.clocks import ManualClock
from shared.adapters.local.folder_object_store import FolderObjectStore
from shared.adapters.local.inline_invoker import InlineInvoker
from shared.adapters.local.sqlite_ledger import SqliteLedger
from shared.adapters.parallel import ThreadParallel
from shared.completeness.making import make_report
from shared.completeness.survey import Window
from shared.delivery import signature
from shared.delivery.targets import Dispatch, Target
from shared.documents.urls import without_query
from shared.downloads import Download
from shared.due import BUCKETS
from shared.errors import FunctionError, ObjectNotFoundError
from shared.job_row import JobRow, read_job
from shared.jobs import State
from shared.kinds import KINDS
from shared.policy import DAY, Policy
from shared.ports import Clock, Services
from shared.tables import INBOX, JOBS, JOBS_DUE
from shared.vendor import ApiAnswer, ApiRequest
from tests.scripted_downloads import downloaded
from tests.simulation.audiences import Audience, plan_for
from tests.simulation.messages import TOPIC, Message, queue_event
from tests.simulation.records import final_record
from tests.simulation.run import START, TIMER
from tests.simulation.stories import ACCOUNT, OUTPUT, REGION, Story, draw_stories

ROOT = Path(__file__).parents[2]
WORKERS = 8
_SPEED = 60
_COPIES = 4
_TIME = 60_000
"""What an invocation has, in the clock's milliseconds."""
_KEYS = ("a-key-of-these-processes",)
_EVERYBODY = Audience("publisher", "https://publisher.example/events")


@dataclass(frozen=True)
class Found:
    """What was seen when the fire was over."""

    faults: list[str]
    summary: str


class _FastClock:
    """A clock that runs sixty times as fast as this machine's, and is the same in all processes."""

    def __init__(self, began: float) -> None:
        self._began = began

    def now(self) -> int:
        """See `Clock.now`."""
        return START + int((time.monotonic() - self._began) * _SPEED * 1000)

    def sleep(self, ms: int) -> None:
        """See `Clock.sleep`."""
        time.sleep(ms / 1000 / _SPEED)


class _Vendor:
    """Knows how every job ended, and takes a moment to say so."""

    def __init__(self, stories: list[Story]) -> None:
        self._stories = {story.ref.job_id: story for story in stories}

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        time.sleep(0.002)
        story = self._stories[request.params["JobId"]]
        return ApiAnswer(story.last.answer(story.ref.job_id, story.form), request_id="r")

    def read(self, uri: str) -> bytes:
        """See `ResultFiles.read`."""
        story = self._stories[uri.removeprefix(OUTPUT).partition("-")[0]]
        if story.last.output is None:
            raise ObjectNotFoundError("no such file", uri=uri)
        return story.last.output


class _Wire:
    """Brings events to a consumer that all processes share."""

    def __init__(self, consumer: Consumer, clock: Clock) -> None:
        self._consumer = consumer
        self._clock = clock

    def send(self, target: Target, dispatch: Dispatch, *, deadline: int) -> None:
        """See `EventSender.send`."""
        headers = signature.sign(dispatch.body, keys=_KEYS, now=self._clock.now())
        self._consumer.take(dispatch.body, headers)


class _AtOnce:
    """Runs `deliver` and `archive` in the process that invokes them, so that they are killed as often."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
        """See `Invoker.invoke`."""
        handlers = {"archive": archive_evidence.handle, "deliver": deliver.handle}
        handlers[function](payload, _in_time(self._services))
        return True


class _Pictures:
    """Shows each picture at once."""

    def download(self, url: str, *, deadline: int) -> AbstractContextManager[Download]:
        """See `Downloads.download`."""
        return downloaded(without_query(url).encode())


def under_fire(*, seconds: float, jobs: int = 500) -> Found:
    """Let the processes be killed for so long, and tell what there is then."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", __name__, folder, str(seconds), str(jobs)]
        # A process of its own: one that has threads, as a test's may have, must not be forked.
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return Found([f"the processes could not be looked after: {done.stderr[-2000:]}"], "")
    return Found(**json.loads(done.stdout))


def main(folder: Path, seconds: float, jobs: int) -> Found:
    """Fork the workers, kill one after the other and replace it, then finish their work and look at it."""
    stories = draw_stories(random.Random(0), start=START, jobs=jobs)
    clock = _FastClock(time.monotonic())
    with closing(SqliteLedger(folder / "ledger.sqlite")), closing(_consumer(folder, clock)):
        pass
    workers = [_fork(folder, stories, clock) for _ in range(WORKERS)]
    killed, until = 0, time.monotonic() + seconds
    drawn = random.Random()
    while time.monotonic() < until:
        time.sleep(drawn.uniform(0.01, 0.15))
        at = drawn.randrange(WORKERS)
        _kill(workers[at])
        killed += 1
        workers[at] = _fork(folder, stories, clock)
    for pid in workers:
        _kill(pid)
    with closing(SqliteLedger(folder / "ledger.sqlite")) as ledger:
        services = _services(folder, ledger, stories, ManualClock(clock.now()), drawn)
        settled = sum(row.state.is_terminal for row in _rows(services, stories))
        _finish(services, stories)
        faults = list(_faults(folder, services, stories))
    summary = (
        f"{killed} of {WORKERS} processes at a time were killed, {settled} of {jobs} jobs settled by then"
    )
    return Found(faults, summary)


def _fork(folder: Path, stories: list[Story], clock: Clock) -> int:
    pid = os.fork()
    if not pid:
        try:
            _work(folder, stories, clock)
        finally:
            os._exit(1)
    return pid


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _work(folder: Path, stories: list[Story], clock: Clock) -> None:
    """Deliver callbacks of any jobs, again and again, and let the timer go off in between."""
    drawn = random.Random()
    services = _services(folder, SqliteLedger(folder / "ledger.sqlite"), stories, clock, drawn)
    acknowledged = os.open(folder / f"acknowledged-{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    parent = os.getppid()
    while os.getppid() == parent:  # nobody would kill an orphan
        in_time = _in_time(services)
        with suppress(FunctionError):
            if drawn.randrange(8) == 0:
                reconcile.handle(TIMER, in_time)
                continue
            messages = [
                _message(drawn.choice(stories), drawn.randrange(_COPIES))
                for _ in range(drawn.randrange(1, 4))
            ]
            callback.handle(queue_event(messages), in_time)
            lines = "".join(f"{message.ref.key} {message.message_id}\n" for message in messages)
            os.write(acknowledged, lines.encode())


def _message(story: Story, copy: int) -> Message:
    return Message(f"{story.ref.job_id}-{copy}", story.ref, story.last.status, story.last.suggestion)


def _services(
    folder: Path, ledger: SqliteLedger, stories: list[Story], clock: Clock, drawn: random.Random
) -> Services:
    vendor = _Vendor(stories)
    services = Services(
        objects=FolderObjectStore(folder / "archive"),
        ledger=ledger,
        media_api=vendor,
        result_files=vendor,
        invoker=InlineInvoker(_no_function),
        clock=clock,
        parallel=ThreadParallel(2),
        random=drawn,
        kinds=KINDS,
        policy=Policy(
            region=REGION,
            user_id=ACCOUNT,
            outputs={"mts.video_quality": OUTPUT},
            quality_sources=frozenset({TOPIC}),
            calls_per_second={"vod": 1_000.0, "mts": 1_000.0, "ice": 1_000.0},
            delivery=plan_for([_EVERYBODY]),
        ),
        deadline=0,
        sender=_Wire(_consumer(folder, clock), clock),
        downloads=_Pictures(),
    )
    return replace(services, invoker=_AtOnce(services))


def _consumer(folder: Path, clock: Clock) -> Consumer:
    return Consumer(folder / "consumer.sqlite", keys=_KEYS, clock=clock)


def _in_time(services: Services) -> Services:
    return replace(services, deadline=services.clock.now() + _TIME)


def _finish(services: Services, stories: list[Story]) -> None:
    """Deliver one callback of each job, and let the timer go off until nothing is due; a person helps."""
    for story in stories:
        callback.handle(queue_event([_message(story, 0)]), _in_time(services))
    _run_out(services)
    for row in _rows(services, stories):
        if row.state is State.QUARANTINED:
            interventions.release(services, row.ref, by="person")
    _run_out(services)


def _run_out(services: Services) -> None:
    clock = services.clock
    for _ in range(500):
        pages = [
            services.ledger.scan(JOBS, JOBS_DUE, one, upto=START + 100 * DAY, limit=1) for one in BUCKETS
        ]
        due = min((int(page.rows[0]["due_at"]) for page in pages if page.rows), default=None)
        if due is None:
            return
        clock.sleep(max(0, due - clock.now()))
        reconcile.handle(TIMER, _in_time(services))
        clock.sleep(1_000)


def _rows(services: Services, stories: list[Story]) -> Iterator[JobRow]:
    for story in stories:
        row = read_job(services.ledger, story.ref.key)
        if row is not None:
            yield row


def _faults(folder: Path, services: Services, stories: list[Story]) -> Iterator[str]:
    with closing(_consumer(folder, services.clock)) as consumer:
        known = consumer.jobs()
    for story in stories:
        row = read_job(services.ledger, story.ref.key)
        if row is None or row.state.value != story.last.status:
            yield f"{story.ref.key} is {row.state.value if row else 'not there'}, not {story.last.status}"
            continue
        columns = ("holder", "query_at", "effects", "outbox", "undelivered", "due_at")
        left = [name for name in columns if name in row.columns]
        if left or row.count("version") != 1 or row.count("drifts"):
            yield f"{row.key} still has {left}, version {row.count('version')}, drift {row.text('drift')}"
        if services.objects.get(archive.current_key(row)) != final_record(story):
            yield f"{row.key}: records/ does not hold what the vendor's answer says"
        if known.get(row.key) != (1, row.text("digest"), row.state.value):
            yield f"{row.key}: who is told of everything knows {known.get(row.key)}"
    for path in sorted(folder.glob("acknowledged-*")):
        # The last line may have been cut off.
        for line in path.read_text().rpartition("\n")[0].splitlines():
            key, message_id = line.split(" ")
            if services.ledger.get(INBOX, (key, message_id)) is None:
                yield f"delivery {message_id} was answered and is not in the inbox"
    day = date(2025, 11, 20)
    report = make_report(services, Window(day, day + timedelta(days=10)), run="run")
    settled = sum(group.count for group in report.buckets if group.name in ("settled", "failed"))
    if (report.jobs, settled, report.needs_person) != (len(stories), len(stories), False):
        yield f"the report counts {settled} settled of {report.jobs} jobs, and there are {len(stories)}"
    if report.evidence.pending or report.evidence.lost or not report.evidence.kept:
        yield f"not every picture is kept: {report.evidence}"
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as database:
        checked = database.execute("PRAGMA integrity_check").fetchone()[0]
        if checked != "ok":
            yield f"the ledger's file is damaged: {checked}"


def _no_function(name: str) -> Callable[[bytes], object]:
    raise LookupError(name)


if __name__ == "__main__":
    print(json.dumps(asdict(main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))))
