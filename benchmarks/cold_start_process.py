"""One cold start: run the initializer, if there is one, hand the handler an event, and tell what that took.

    python benchmarks/cold_start_process.py HANDLER [INITIALIZER] < EVENT

Both are named as in a template, and both count: Function Compute runs the initializer of a new instance
before its first invocation (function-compute.md 1.3).

Prints one line of JSON. Loads nothing beforehand that either side would have to load, but what Function
Compute's own runtime has loaded: `json` reads its requests.
"""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from time import perf_counter, process_time
from types import SimpleNamespace

# As the runtime of Python 3.12 hands it over: the keys are in the environment (function-compute.md 1.4).
CONTEXT = SimpleNamespace(
    request_id="1-00000000-cold-start",
    region="cn-shanghai",
    account_id="1000000000000001",
    function=SimpleNamespace(name="callback", handler="handler", memory=512, timeout=60),
)


def main() -> None:
    event = sys.stdin.buffer.read()
    started, busy = perf_counter(), process_time()
    for initializer in sys.argv[2:]:
        found(initializer)(CONTEXT)
    handler = found(sys.argv[1])
    imported = perf_counter()
    answer = handler(event, CONTEXT)
    settled = perf_counter()
    told = {
        "import_ms": (imported - started) * 1000,
        "settled_ms": (settled - started) * 1000,
        "processor_ms": (process_time() - busy) * 1000,
        "peak_mb": peak_mb(),
        "answer": answer,
    }
    print("\n" + json.dumps(told))


def found(name: str) -> Callable[..., object]:
    module, _, attribute = name.rpartition(".")
    entry: Callable[..., object] = getattr(import_module(module), attribute)
    return entry


def peak_mb() -> float:
    from pathlib import Path  # not before: it would be loaded for both sides

    # `getrusage` would tell the parent's peak where that was higher: it outlives exec.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


main()
