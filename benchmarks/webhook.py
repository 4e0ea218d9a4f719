"""What `webhook` takes in: callbacks of VOD, ICE and MNS over HTTP, on the local Function Compute.

    python benchmarks/webhook.py [--json] [--seconds 60]

Everything runs on the cores of this machine: the load (`webhook_load.py`, a process of its own), the local
cloud, in one more with its HTTP trigger, and the functions, each instance a process. Each callback is of a
job that nobody announced; of a hundred, one is forged. What comes of them runs too: `webhook` invokes
`reconcile`, once a second at most, the timers go off, and the local media APIs answer them. The ledger is a
SQLite file and the archive a folder; the last figure is that of the local OSS and Tablestore,
whose clients and servers share the cores as well.

The load keeps its rate whatever the answers do, and a request is timed from when it was due. Five seconds of
it come before, and do not count. Then the same callbacks as fast as eight callers get answers. Memory is that
of the instance of `webhook` with the most, at its peak: before and after.

A cold start is measured over the local OSS and Tablestore, whose clients load then, from the request to its
answer, when no process of the function runs. An instance has a share of a core alone, as the template says:
what one costs in time of the processor, divided by that share, is a figure of its own. It holds the start of
Python and of the imitated runtime, and that of aiohttp, which a package leaves out and Tablestore's client
loads where it finds it.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from benchmarks.harness import ROOT, Figure
from benchmarks.webhook_load import Plan, Sent, results

if TYPE_CHECKING:
    from localcloud.cloud import LocalCloud
    from localcloud.fc.functions import LocalFunctions

LOAD = "from benchmarks.webhook_load import main; main()"
PER_SECOND = 103.0
WARM_UP_S, FASTEST = 5.0, 3_000
COLD_ROUNDS = 5
# Enough that no request waits for a worker of the load while answers take what they may.
WORKERS, AT_ONCE = 48, 8
TAKEN = (200, 204)


@dataclass(frozen=True)
class Stage:
    """A local cloud that runs, and what sends to it."""

    cloud: LocalCloud
    functions: LocalFunctions
    plan: Plan

    def sent(self, name: str, count: int, *, per_second: float | None) -> list[Sent]:
        """Have callbacks sent by another process; give what came of them."""
        plan = replace(
            self.plan,
            name=name,
            count=count,
            per_second=per_second,
            workers=WORKERS if per_second else AT_ONCE,
        )
        command = [sys.executable, "-c", LOAD, json.dumps(asdict(plan))]
        ended = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        return list(results(ended.stdout))

    def warmed_up(self) -> list[Sent]:
        """Have instances started by what does not count."""
        first = self.sent("first", 1, per_second=None)
        return [*first, *self.sent("warm", int(WARM_UP_S * PER_SECOND), per_second=PER_SECOND)]

    def fastest(self) -> list[Sent]:
        """Have callbacks sent as fast as they are answered."""
        return self.sent("fast", FASTEST, per_second=None)

    def peak_mb(self) -> int:
        """Give the peak of the instance of `webhook` that had the most memory in use."""
        return self.functions.figures()["webhook"].peak_mb


@contextmanager
def staged(folder: Path, settings: Mapping[str, str]) -> Iterator[Stage]:
    """Serve a cloud whose functions have these settings besides its own."""
    import random

    from localcloud.cloud import ACCOUNT, CALLBACK_KEY, REGION, LocalCloud
    from localcloud.fc.functions import LocalFunctions
    from localcloud.mns.push_signing import PushSigner
    from localcloud.template import read_template
    from shared.bootstrap.preparation import prepare
    from shared.settings import Settings

    template = read_template(ROOT / "template.yml")
    signer = PushSigner.make(random.Random(0), region=REGION)
    signer.put(folder / "certificates")
    pushes = {
        "LEDGER_PUSH_TOPICS": f"acs:mns:{REGION}:{ACCOUNT}:/topics/media-callbacks",
        "LEDGER_PUSH_CERTIFICATES": f"file://{folder / 'certificates'}",
        "LEDGER_SOURCE_RATE": "10000",  # all of it comes from one address
    }
    with LocalCloud(folder / "cloud", lambda name: functions.resolve(name), template=template) as cloud:
        environment = {**cloud.environment(), **pushes, **settings}
        prepare(Settings.read(environment))
        with LocalFunctions(template, environment, code=ROOT, region=REGION, account_id=ACCOUNT) as functions:
            told = {**asdict(signer), "certificate": signer.certificate.decode()}
            plan = Plan(cloud.urls["webhook"], CALLBACK_KEY, "", 0, 1, told)
            yield Stage(cloud, functions, plan)


def measure(seconds: float) -> Iterator[Figure]:
    """Measure on an idle machine; what else runs is measured too."""
    # In memory where that can be: a disk would be waited for, by whoever writes more.
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        yield from _cold(Path(folder, "cold"))
        yield from _warm(Path(folder, "warm"), seconds)
        yield _on_the_wire(Path(folder, "wire"))


def _warm(folder: Path, seconds: float) -> Iterator[Figure]:
    folder.mkdir()
    ledger = folder / "ledger.sqlite"
    stores = {"LEDGER_OBJECTS": f"file://{folder}/archive", "LEDGER_TABLES": f"sqlite://{ledger}"}
    with staged(folder, stores) as stage:
        first = stage.warmed_up()
        before = stage.peak_mb()
        sent = stage.sent("paced", int(seconds * PER_SECOND), per_second=PER_SECOND)
        grown = stage.peak_mb() - before
        fastest = stage.fastest()
        yield from _answers(sent)
        yield Figure("growth of an instance's memory meanwhile", grown, "MB", 10)
        yield Figure("its peak before", before, "MB")
        yield _accepted("callbacks accepted a second, as fast as eight callers get answers", fastest)
        more = len(taken([*first, *sent, *fastest])) - inbox_rows(ledger)
        yield Figure("accepted answers without an inbox row, or rows without an answer", abs(more), "", 0)
        for name, figures in stage.functions.figures().items():
            if figures.invocations:
                yield Figure(f"  invocations of {name} in all", figures.invocations, "")
                yield Figure(f"  instances of {name} started", figures.cold_starts, "")


def _on_the_wire(folder: Path) -> Figure:
    folder.mkdir()
    with staged(folder, {}) as stage:
        stage.warmed_up()
        return _accepted("the same, over the local OSS and Tablestore", stage.fastest())


def taken(sent: Sequence[Sent]) -> list[Sent]:
    """Give the requests that were accepted."""
    return [one for one in sent if one.status in TAKEN]


def inbox_rows(ledger: Path) -> int:
    """Count what is kept of callbacks."""
    with sqlite3.connect(ledger) as database:
        return int(database.execute("SELECT count(*) FROM inbox").fetchone()[0])


def _accepted(name: str, sent: Sequence[Sent], at_least: float | None = None) -> Figure:
    return Figure(name, round(len(taken(sent)) / max(one.ended for one in sent), 1), "/s", at_least=at_least)


def _answers(sent: Sequence[Sent]) -> Iterator[Figure]:
    yield _accepted("callbacks accepted a second", sent, at_least=100)
    times = [1_000 * one.seconds for one in sent]
    yield Figure(
        "from when it was due to its answer, the slowest of 100", quantiles(times, n=100)[-1], "ms", 250
    )
    yield Figure("the same, median", median(times), "ms")
    yield Figure("the same, the slowest", max(times), "ms")
    forged = [one for one in sent if one.is_forged]
    yield Figure("forged", len(forged) / len(sent), "of all")
    yield Figure("forged and not refused with 403", sum(one.status != 403 for one in forged), "", 0)
    others = Counter(one.status for one in sent if not one.is_forged and one.status not in TAKEN)
    yield Figure(f"not forged and not accepted {dict(others) or ''}".rstrip(), others.total(), "", 0)


def _cold(folder: Path) -> Iterator[Figure]:
    from localcloud.template import read_template

    tree = read_template(ROOT / "template.yml").resources("ALIYUN::FC3::Function")
    (share,) = (one["Cpu"] for one in tree.values() if "webhook" in str(one["Handler"]))
    rounds = [_one_cold(folder / str(number)) for number in range(COLD_ROUNDS + 1)][1:]
    yield Figure("cold start to answer", 1_000 * median(a for a, _ in rounds), "ms", 1_500)
    busy = 1_000 * median(b for _, b in rounds)
    yield Figure("the same, time of the processor", busy, "ms")
    yield Figure(
        f"the same at the template's share of a core, {share}", busy / float(str(share)), "ms", 1_500
    )


def _one_cold(folder: Path) -> tuple[float, float]:
    """Give the seconds that the first callback of an instance takes, and those of the processor."""
    folder.mkdir(parents=True)
    with staged(folder, {}) as stage:
        (only,) = stage.sent("cold", 1, per_second=None)
        assert only.status in TAKEN, only
        return only.seconds, processor_seconds("functions.webhook.handler.handler")


def processor_seconds(handler: str) -> float:
    """Give the time that the instance of a handler has used the processor for; Linux tells."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # another's, or it has ended
            if f"\0FC_FUNCTION_HANDLER={handler}\0".encode() in process.joinpath("environ").read_bytes():
                user, system = process.joinpath("stat").read_text().rpartition(")")[2].split()[11:13]
                return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    raise SystemExit(f"no instance of {handler} runs")


def main() -> int:
    """Read how long, and measure."""
    arguments = argparse.ArgumentParser(add_help=False)
    arguments.add_argument("--seconds", type=float, default=60.0)
    own, sys.argv[1:] = arguments.parse_known_args()
    return harness.main("Measure HTTP callbacks, for 60 or --seconds.", partial(measure, own.seconds))


if __name__ == "__main__":
    harness.run_in_environment("cold-start", "build.txt", "aliyun.txt", "cli.txt")
    raise SystemExit(main())
