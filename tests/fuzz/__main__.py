"""Fuzz the parsers with Atheris, which follows what their code does with an input: `make fuzz`.

    python -m tests.fuzz SECONDS [PARSER ...]     so long for each of them, by default for every one
    python -m tests.fuzz keep [PARSER ...]        add what was learned to the corpus, the small inputs of it

What fuzzing learns stays in build/fuzz/<parser>/, from which the next run goes on. An input that makes a
parser raise what it must not, takes over 5 seconds or a gigabyte is left in build/fuzz/findings/, and the run
ends with status 1. Once it is understood it becomes a line of the parser's file in tests/fuzz/corpus/.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.parsers import PARSERS, Parser

ROOT = Path(__file__).parents[2]
WORK = ROOT / "build" / "fuzz"
FINDINGS = WORK / "findings"
LIMITS = ("-timeout=5", "-rss_limit_mb=1024", "-max_len=16384")
NOT_RUN = 3
_END_OF_THE_LOG = 1_500
# People read what is kept, and every `make test` runs it.
_KEPT_BYTES = 300
_KEPT_INPUTS = 10


def main(words: Sequence[str]) -> int:
    """Do what the words say, parser by parser; the exit status tells how it ended."""
    if find_spec("atheris") is None:
        print("not run: Atheris is not installed", file=sys.stderr)
        return NOT_RUN
    what, *names = words or [""]
    known = {parser.name: parser for parser in PARSERS}
    if not (what == "keep" or what.isdecimal()) or not set(names) <= set(known):
        print(f"usage: python -m tests.fuzz SECONDS|keep [{'|'.join(known)}]", file=sys.stderr)
        return 2
    FINDINGS.mkdir(parents=True, exist_ok=True)
    failed = 0
    for parser in [known[name] for name in names or known]:
        folder = _begun(parser)
        if what == "keep":
            _keep(parser, folder)
        elif not _fuzz(parser, folder, seconds=what):
            failed += 1
    return int(failed > 0)


def _begun(parser: Parser) -> Path:
    """Give the folder of what is known to reach something, with the inputs to begin with."""
    folder = WORK / parser.name
    folder.mkdir(exist_ok=True)
    for data in parser.inputs():
        path = folder / hashlib.sha256(data).hexdigest()
        if not path.exists():
            path.write_bytes(data)
    return folder


def _fuzz(parser: Parser, folder: Path, *, seconds: str) -> bool:
    """Fuzz one parser; tell whether nothing was found."""
    finding = f"-artifact_prefix={FINDINGS / parser.name}-"
    ended = _libfuzzer(parser, *LIMITS, f"-max_total_time={seconds}", finding, str(folder))
    runs = [line for line in ended.stderr.splitlines() if line.startswith("Done ")]
    print(f"{parser.name}: {runs[-1] if runs else 'a finding'}", flush=True)
    if ended.returncode:
        # libFuzzer's own words, then the traceback.
        print(ended.stderr[-_END_OF_THE_LOG:] + ended.stdout[-_END_OF_THE_LOG:], flush=True)
    return ended.returncode == 0


def _keep(parser: Parser, folder: Path) -> None:
    """Write down the last small inputs that reached something new: libFuzzer keeps no others."""
    found = [path for path in folder.iterdir() if path.stat().st_size <= _KEPT_BYTES]
    found.sort(key=lambda path: (path.stat().st_mtime, path.name))
    learned = [data for path in found if (data := path.read_bytes()) not in parser.inputs()]
    kept = [*parser.kept(), *learned[-_KEPT_INPUTS:]]
    parser.corpus.write_text("".join(f"{data!r}\n" for data in kept), encoding="ascii")


def _libfuzzer(parser: Parser, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz.one_parser", parser.name, *flags]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
