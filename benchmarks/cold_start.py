"""A cold start that settles one callback, beside the obvious function on the vendor's clients, in turn.

    python benchmarks/cold_start.py [--json]

Each is a process of its own that imports its entry point, takes in one callback of an MNS queue, asks the
local media API, and stores over the local OSS and Tablestore (`cold_start_process.py`). Theirs is
`cold_start_theirs.py`, in an environment as pip installs it. Ours is `functions/callback`, which does more
(claim, inbox, record, versions), with what a package holds by the rules of `cli.package.contents`, and starts
with the initializer that the template names, `functions.instance`; theirs has none.

Times are of the clock on the wall, from before the initializer or, without one, the first import, to the
answer, with byte code; medians of rounds, limits on the median of the rounds' ratios. What they do not hold:
Python's own start, TLS (all is plain HTTP; ours makes one context, each client of theirs its own), and ours'
wait for its turn in the account's budget of calls, which is set out of the way here: ours with it, at the
default rates, is a figure of its own. Last comes what is left of ours: import times by package, in one more
process that measures them, and so takes longer.
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from benchmarks.harness import ROOT, Figure, Paired

ROUNDS = 15
PROCESS = ROOT / "benchmarks" / "cold_start_process.py"
SAMPLE = ROOT / "events" / "callback" / "queue-array.json"
# Fewer rounds where each waits for its turn, about a second.
PACED = 3
RATES, INSTANCES = "LEDGER_CALL_RATES", "LEDGER_CALLBACK_INSTANCES"
LEAST_SHOWN_MS = 1.0
_IMPORT = re.compile(r"import time: +(?P<own_us>\d+) \| +\d+ \| +(?P<package>\w+)")


@dataclass(frozen=True)
class Start:
    """What one process told of itself."""

    import_ms: float
    settled_ms: float
    processor_ms: float
    peak_mb: float


@dataclass(frozen=True)
class Side:
    """One of the two: command, handler and initializer, settings, and what in its answer shows its work."""

    command: tuple[str, ...]
    entries: tuple[str, ...]
    settings: Mapping[str, str]
    proof: str

    def start(self, event: bytes) -> Start:
        """Let a process settle the event."""
        told: dict[str, Any] = json.loads(self.ran(event).stdout.splitlines()[-1])
        assert self.proof in json.dumps(told.pop("answer")), told
        return Start(**told)

    def imports(self, event: bytes) -> Counter[str]:
        """Give the import times of such a process by package, in microseconds."""
        found: Counter[str] = Counter()
        for line in self.ran(event, "-X", "importtime").stderr.splitlines():
            if match := _IMPORT.match(line):
                is_of_python = match["package"] in sys.stdlib_module_names
                found["Python itself" if is_of_python else match["package"]] += int(match["own_us"])
        return found

    def ran(self, event: bytes, *flags: str) -> subprocess.CompletedProcess[str]:
        """Run a process to its end."""
        ended = subprocess.run(
            [*self.command, *flags, str(PROCESS), *self.entries],
            input=event.decode(),
            env={"PATH": os.environ["PATH"], **self.settings},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise SystemExit(f"{self.entries[0]} failed:\n{ended.stderr}")
        return ended


def measure(theirs_python: Path) -> Iterator[Figure]:
    """Serve a cloud, and start both in turn, each for a finished job of its own."""
    from localcloud.cloud import LocalCloud
    from localcloud.media.vod import Vod
    from shared.adapters.clocks import ManualClock, SystemClock
    from shared.bootstrap.preparation import prepare
    from shared.settings import Settings

    clock = ManualClock(SystemClock().now())
    vod = Vod(clock=clock)
    submit = next(action for action in vod.actions() if action.name.startswith("Submit"))
    jobs = (submit.handle({"MediaId": "media-1"}) for _ in range(2 * ROUNDS + PACED + 3))
    events = [_callback(str(job["JobId"])) for job in jobs if isinstance(job, dict)]
    clock.advance(60_000)
    with (
        # In memory where that can be: a disk would be waited for, by whoever writes more.
        tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder,
        LocalCloud(Path(folder, "cloud"), {"none": bytes}.__getitem__, actions=vod.actions()) as cloud,
    ):
        prepare(Settings.read(cloud.environment()))
        ours = _ours(cloud.environment(), Path(folder, "package"))
        theirs = _theirs(theirs_python, cloud.environment(), cloud.endpoints)
        unseen = iter(events)
        yield from _compared(ours, theirs, unseen)
        yield _paced(ours, unseen)
        yield from _remaining(ours.imports(events[-1]))


def _compared(ours: Side, theirs: Side, events: Iterator[bytes]) -> Iterator[Figure]:
    # The first of each writes the byte code, and fills the system's cache of files.
    ours.start(next(events)), theirs.start(next(events))
    rounds = [(ours.start(next(events)), theirs.start(next(events))) for _ in range(ROUNDS)]

    def figures(name: str, unit: str, value: str, limit: float | None = None) -> Iterator[Figure]:
        pair = Paired([getattr(a, value) for a, _ in rounds], [getattr(b, value) for _, b in rounds])
        yield Figure(f"{name}, ours to theirs", round(pair.ratio, 3), "ratio", limit)
        yield Figure(f"{name}, ours", round(median(pair.ours), 1), unit)
        yield Figure(f"{name}, theirs", round(median(pair.theirs), 1), unit)

    yield from figures("one callback settled, from cold", "ms", "settled_ms", 0.40)
    yield from figures("the same, time of the processor", "ms", "processor_ms")
    yield from figures("peak of memory", "MB", "peak_mb", 0.5)
    yield from figures("import of the entry point alone", "ms", "import_ms", 0.33)


def _paced(ours: Side, events: Iterator[bytes]) -> Figure:
    settings = {name: value for name, value in ours.settings.items() if name not in (RATES, INSTANCES)}
    paced = replace(ours, settings=settings)
    settled = [paced.start(next(events)).settled_ms for _ in range(PACED)]
    return Figure("one callback settled, with its turn at the default rates", round(median(settled), 1), "ms")


def _remaining(imports: Counter[str]) -> Iterator[Figure]:
    yield Figure("what is left of ours: all imports", imports.total() / 1000, "ms")
    for package, own_us in imports.most_common():
        if own_us / 1000 >= LEAST_SHOWN_MS:
            yield Figure(f"  of which {package}", own_us / 1000, "ms")


def _ours(settings: Mapping[str, str], package: Path) -> Side:
    """Give our side: the code of this repository on a folder that holds what a package holds."""
    from packaging.utils import canonicalize_name

    from cli.package import contents
    from cli.package.targets import HERE

    for distribution in importlib.metadata.distributions(path=[sysconfig.get_path("purelib")]):
        if canonicalize_name(distribution.metadata["Name"]) in contents.LEFT_OUT:
            continue
        for file in distribution.files or ():
            if ".." not in file.parts and contents.is_deployed(str(file), HERE):
                copy = package / file
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.locate(), copy)
    paths = os.pathsep.join([str(ROOT), str(package)])
    more = {"PYTHONPATH": paths, RATES: "vod=100000"}
    entries = "functions.callback.handler.handler", "functions.instance.initialize"
    # Without what is installed beside the copy.
    return Side((sys.executable, "-S"), entries, {**settings, **more}, proof='"did": "settled"')


def _theirs(python: Path, settings: Mapping[str, str], endpoints: Any) -> Side:
    from localcloud.cloud import BUCKET, INSTANCE, REGION
    from shared.tables import JOBS

    keys = {name: value for name, value in settings.items() if name.startswith("ALIBABA_CLOUD_ACCESS")}
    places = {
        "PYTHONPATH": str(ROOT),
        "REGION": REGION,
        "MEDIA_ENDPOINT": endpoints.media.removeprefix("http://"),
        "OSS_ENDPOINT": endpoints.oss,
        "OSS_BUCKET": BUCKET,
        "OTS_ENDPOINT": endpoints.ots,
        "OTS_INSTANCE": INSTANCE,
        "OTS_TABLE": JOBS.name,
    }
    entries = ("benchmarks.cold_start_theirs.handler",)
    return Side((str(python),), entries, {**keys, **places}, proof='["theirs/')


def _callback(job_id: str) -> bytes:
    """Make the event of a queue that holds one callback."""
    message = json.loads(SAMPLE.read_text(encoding="utf-8"))[0]
    body = json.loads(message["data"]["messageBody"])
    message["data"].update(messageId=job_id, messageBody=json.dumps({**body, "JobId": job_id}))
    return json.dumps([message]).encode()


if __name__ == "__main__":
    harness.run_in_environment("cold-start", "build.txt", "aliyun.txt", "cli.txt")
    theirs = harness.environment("cold-start-theirs", "build.txt", "bench-cold-start.txt")
    raise SystemExit(
        harness.main("Compare a cold start with the vendor's clients.", functools.partial(measure, theirs))
    )
