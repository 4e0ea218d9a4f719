"""An instance that is warm: hands a handler one event after the other, and tells what each took.

    python benchmarks/callback_process.py HANDLER [INITIALIZER]

Both are named as in a template. Each line of the input is a JSON list of events, and is answered with a line.
Loads nothing that either side would have to load, as `cold_start_process.py`.
"""

import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import perf_counter, process_time
from types import SimpleNamespace

# As the runtime of Python 3.12 hands it over: the keys are in the environment (function-compute.md 1.4).
CONTEXT = SimpleNamespace(
    request_id="1-00000000-callback",
    region="cn-shanghai",
    account_id="1000000000000001",
    function=SimpleNamespace(name="callback", handler="handler", memory=512, timeout=600),
)


def main() -> None:
    told = sys.stdout
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stdout = nowhere  # what is logged is written, and not read
        for initializer in sys.argv[2:]:
            found(initializer)(CONTEXT)
        handler = found(sys.argv[1])
        for line in sys.stdin:
            print(
                json.dumps(handled(handler, [text.encode() for text in json.loads(line)])),
                file=told,
                flush=True,
            )


def handled(handler: Callable[..., object], events: list[bytes]) -> dict[str, object]:
    walls, answer, busy = [], None, process_time()
    for event in events:
        started = perf_counter()
        answer = handler(event, CONTEXT)
        walls.append((perf_counter() - started) * 1000)
    return {"wall_ms": walls, "processor_ms": (process_time() - busy) * 1000, "answer": answer}


def found(name: str) -> Callable[..., object]:
    module, _, attribute = name.rpartition(".")
    entry: Callable[..., object] = getattr(import_module(module), attribute)
    return entry


main()
