"""What the local Function Compute adds to a handler, and how soon `media-ledger serve` is ready.

    python benchmarks/local_fc.py [--json]

A function that does nothing is invoked in its own process, once it is warm, with a small event and with one
of 1 MB; the handler tells how long it took itself, and that is subtracted. Then the same through the
invocation API: a signed request of FC 3.0 on a loopback port, a new connection for each. Limits are on the
slowest of a hundred, or nearly so. A cold start is a new process, from its making to its first answer.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from benchmarks.harness import ROOT, Figure

if TYPE_CHECKING:
    from localcloud.fc.functions import LocalFunctions
    from shared.toolkit.context import Credentials

WARM_ROUNDS = 500
COLD_ROUNDS = 9
SERVE_ROUNDS = 5
LIMIT_MS = 15
SOURCE = """\
import time

def handler(event, context):
    began = time.perf_counter()
    return str(1_000 * (time.perf_counter() - began))
"""
SERVE = (
    "import sys; from cli.main import main; sys.argv[1:] = ['serve', '--json', '--dir', sys.argv[1]]; main()"
)


def measure() -> Iterator[Figure]:
    """Measure on an idle machine; what else runs is measured too."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _invoking(Path(folder))
    yield Figure("`media-ledger serve`, until it says where it is", _serving(), "s", 3)


def _invoking(folder: Path) -> Iterator[Figure]:
    from localcloud.fc.functions import LocalFunctions
    from localcloud.fc.service import FcService, fc_server
    from localcloud.template import FunctionSpec, Template
    from shared.adapters.clocks import SystemClock
    from shared.toolkit.context import Credentials

    (folder / "index.py").write_text(SOURCE, encoding="utf-8")
    template = Template({"own": FunctionSpec("own", "index.handler", "python3.10", 60, 512, {}, ())}, {})
    keys = Credentials("own-key", "own-secret")
    yield _cold(lambda: LocalFunctions(template, {}, code=folder))
    with LocalFunctions(template, {}, code=folder) as functions:
        own = functions.resolve("own")
        service = FcService(functions.resolve, keys=[keys], clock=SystemClock(), random=random.Random(0))
        yield from _warm("warm", lambda: own(b"event"))
        yield from _warm("warm, an event of 1 MB", lambda: own(bytes(1_000_000)))
        with fc_server(service) as server:
            yield from _warm("warm, through the API", lambda: _post(server.endpoint, keys, b"event"))


def _warm(name: str, invoke: Callable[[], bytes]) -> Iterator[Figure]:
    invoke()
    added = sorted(_added_ms(invoke) for _ in range(WARM_ROUNDS))
    yield Figure(f"{name}: on top of the handler", round(median(added), 3), "ms")
    yield Figure(f"{name}: the slowest of 100", round(quantiles(added, n=100)[-1], 3), "ms", LIMIT_MS)


def _added_ms(invoke: Callable[[], bytes]) -> float:
    began = time.perf_counter()
    own_ms = float(invoke())
    return 1_000 * (time.perf_counter() - began) - own_ms


def _cold(start: Callable[[], LocalFunctions]) -> Figure:
    seconds = []
    for _ in range(COLD_ROUNDS):
        with start() as functions:
            began = time.perf_counter()
            functions.invoke("own", b"event")
            seconds.append(time.perf_counter() - began)
    return Figure("cold: a process until its first answer", round(1_000 * median(seconds), 1), "ms")


def _post(endpoint: str, keys: Credentials, event: bytes) -> bytes:
    import requests

    from shared.adapters.clocks import SystemClock
    from shared.adapters.signing import Content, Envelope, sign_acs3
    from shared.vendor import ApiRequest

    host = urlsplit(endpoint).netloc
    path = "/2023-03-30/functions/own/invocations"
    envelope = Envelope(host, SystemClock().now(), "nonce", method="POST")
    request = ApiRequest("fc", "2023-03-30", "InvokeFunction")
    headers = dict(sign_acs3(request, keys, envelope, Content(path, event)).headers)
    return requests.post(endpoint + path, data=event, headers=headers, timeout=60).content


def _serving() -> float:
    seconds = []
    for _ in range(SERVE_ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", SERVE, str(Path(folder, "cloud"))]
            began = time.perf_counter()
            with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as serving:
                assert serving.stdout
                told = json.loads(serving.stdout.readline())
                seconds.append(time.perf_counter() - began)
                assert told["endpoints"]
                serving.terminate()
    return round(median(seconds), 2)


if __name__ == "__main__":
    harness.run_in_environment("cold-start", "build.txt", "aliyun.txt", "cli.txt")
    raise SystemExit(harness.main("Measure the local Function Compute.", measure))
