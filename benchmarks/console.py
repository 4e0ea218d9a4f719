"""How long a browser takes until the page of a job is ready, by the number of its findings.

    python benchmarks/console.py [--json]

`media-ledger console` serves the pages, and Chromium opens both in turn. A page is ready when it is parsed,
its script has run and its layout is known; the time is that since the click, with all that the server does.
Without a Chromium nothing is measured.
"""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import urljoin

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from benchmarks.harness import Figure, in_turn

ROUNDS = 11
LIMIT = 1.5
# Runs before anything of the page does.
_NOTE = """addEventListener("DOMContentLoaded", () => {
    document.documentElement.getBoundingClientRect();
    window.ready = performance.now();
});"""


def measure() -> Iterator[Figure]:
    """Measure the page of a job with many findings against that of one with few."""
    # Only the benchmark's own environment has what these stand on.
    from tests.browser.ledger import FEW, MANY, fill
    from tests.browser.visiting import NAME, console_command, path_of, started

    chromium = shutil.which(NAME)
    if chromium is None:
        print(f"not run: no {NAME}", file=sys.stderr)
        return
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        shelf = fill(Path(folder))
        clock = str(shelf.folder / "clock")
        with console_command(shelf.folder, LEDGER_CLOCK=clock) as link, started(chromium) as browser:
            page = browser.new_page()
            page.goto(link)
            page.add_init_script(_NOTE)

            def ready(name: str) -> float:
                answer = page.goto(urljoin(link, path_of(shelf.jobs[name])))
                assert answer is not None
                assert answer.ok
                return float(page.evaluate("window.ready"))

            paired = in_turn(partial(ready, "many"), partial(ready, "few"), rounds=ROUNDS)
            listed = in_turn(partial(ready, "listed"), partial(ready, "few"), rounds=ROUNDS)
    yield Figure(f"a page with {MANY} findings is ready, against one with {FEW}", paired.ratio, "x", LIMIT)
    yield Figure(f"  with {FEW}", median(paired.theirs), "ms")
    yield Figure(f"  with {MANY}, most of them beside the record", median(paired.ours), "ms")
    yield Figure(f"a page with {MANY}, all in the record, against one with {FEW}", listed.ratio, "x", LIMIT)
    yield Figure(f"  with {MANY}, all in the record", median(listed.ours), "ms")


if __name__ == "__main__":
    harness.run_in_environment("console", "build.txt", "dev.txt")
    raise SystemExit(harness.main("Measure when a job's page is ready in Chromium.", measure))
