"""`make audit`: licences of the pins, and known vulnerabilities.

Exit status: 0 nothing found, 1 something for a person, 3 vulnerabilities could not be asked for.
"""

from __future__ import annotations

import sys
from importlib.metadata import metadata
from pathlib import Path

from audit.licences import EXCEPTIONS, judge
from audit.vulnerabilities import SERVICE, Verdict, ask, is_reachable
from cli.package.pins import read_pins
from cli.package.targets import HERE

LOCKS = Path(__file__).parents[1] / "requirements"
# What is deployed, and what builds, tests and starts it: dev.txt has all of it.
DEPLOYED = ("function.txt", "aliyun.txt", "tracing.txt")
ALL = "dev.txt"
FINE, FOUND, NOT_RUN = 0, 1, 3


def main(words: list[str]) -> int:
    """Audit; the words are the command that starts pip-audit."""
    has_refused = _tell_licences()
    verdict = _tell_vulnerabilities(words)
    if has_refused or verdict is Verdict.FOUND:
        return FOUND
    return NOT_RUN if verdict is Verdict.NOT_RUN else FINE


def _tell_licences() -> bool:
    pins = read_pins([LOCKS / ALL], HERE)
    deployed = read_pins([LOCKS / name for name in DEPLOYED], HERE)
    found = judge(pins.values(), metadata)
    for one in found:
        where = "deployed" if one.name in deployed else "for tests and tools"
        if one.refused:
            print(f"licences: {one.name} {one.refused} ({where})")
        elif one.name in EXCEPTIONS:
            print(f"licences: {one.name} is an exception ({where}): {one.licence}, {EXCEPTIONS[one.name][1]}")
    refused = sum(one.refused is not None for one in found)
    print(f"licences: {len(found)} pins, {len(deployed)} of them deployed; {refused} for a person to look at")
    return refused > 0


def _tell_vulnerabilities(pip_audit: list[str]) -> Verdict:
    if not is_reachable():
        print(f"vulnerabilities: not run, {SERVICE} cannot be reached from here")
        return Verdict.NOT_RUN
    verdict, told = ask(LOCKS / ALL, pip_audit=pip_audit)
    print(told)
    print(f"vulnerabilities: {verdict.value}")
    return verdict


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
