"""One parser under Atheris, in a process of its own: `python -m tests.fuzz.one_parser NAME [FLAG ...]`.

The flags are those of libFuzzer, which ends the process.
"""

from __future__ import annotations

import sys


def main(name: str, *flags: str) -> None:
    """Fuzz until libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["shared"]):
        from tests.fuzz.parsers import PARSERS
    (parser,) = (one for one in PARSERS if one.name == name)

    def feed(data: bytes) -> None:
        parser.accepts(data)

    atheris.Setup([name, *flags], feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
