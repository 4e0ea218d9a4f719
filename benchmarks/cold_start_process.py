"""One cold start: import the entry point of a module, hand it an event, and tell what that took.

    python benchmarks/cold_start_process.py MODULE < EVENT

Prints one line of JSON. Loads nothing beforehand that either side would have to load, but what Function
Compute's own runtime has loaded: `json` reads its requests.
"""

import json
import sys
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
    entry = import_module(sys.argv[1]).handler
    imported = perf_counter()
    answer = entry(event, CONTEXT)
    settled = perf_counter()
    told = {
        "import_ms": (imported - started) * 1000,
        "settled_ms": (settled - started) * 1000,
        "processor_ms": (process_time() - busy) * 1000,
        "peak_mb": peak_mb(),
        "answer": answer,
    }
    print("\n" + json.dumps(told))


def peak_mb() -> float:
    from pathlib import Path  # not before: it would be loaded for both sides

    # `getrusage` would tell the parent's peak where that was higher: it outlives exec.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


main()
