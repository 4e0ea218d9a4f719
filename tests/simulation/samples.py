"""Recorded answers (`tests/data/answers`), told about another job: what the simulated vendor says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.vendor import Format, Part

_FOLDER = Path(__file__).parents[1] / "data" / "answers"
# Its id is a number there, without quotes: told about another job it would be no JSON.
_LEFT_OUT = "numbers-for-text"


@dataclass(frozen=True)
class Sample:
    """One recorded answer. `bodies` is by format; `output` is the file that the job wrote, if it did."""

    kind: str
    case: str
    job_id: str
    status: str
    is_incomplete: bool
    suggestion: str | None
    bodies: Mapping[Format, bytes]
    output_name: str | None
    output: bytes | None

    @property
    def lacks_its_file(self) -> bool:
        """Tell whether it names a file that was not recorded."""
        return self.output_name is not None and self.output is None

    def file_of(self, job_id: str) -> str:
        """Call the file that a job writes: by job and sample, so that no two are mixed up."""
        return f"{job_id}-{self.case}.txt"

    def answer(self, job_id: str, form: Format) -> Part:
        """Tell it about a job, in the format that was asked for where there is such an answer."""
        chosen: Format = form if form in self.bodies else "json"
        body = self.bodies[chosen].replace(self.job_id.encode(), job_id.encode())
        if self.output_name is not None:
            body = body.replace(self.output_name.encode(), self.file_of(job_id).encode())
        return Part("answer", chosen, body)


@cache
def samples() -> tuple[Sample, ...]:
    """Give all recorded answers in the order of their names."""
    paths = sorted(_FOLDER.glob("*/*/record.json"))
    return tuple(_read(path.parent) for path in paths if path.parent.name != _LEFT_OUT)


@cache
def of(
    kind: str, *, status: str, is_incomplete: bool = False, by_suggestion: bool = False
) -> tuple[Sample, ...]:
    """Give those of a kind that say so much of their job; with a suggestion where one is needed.

    A file that never comes would make a record a question of when it was asked for: left out.
    """
    return tuple(
        one
        for one in samples()
        if (one.kind, one.status, one.is_incomplete) == (kind, status, is_incomplete)
        and not (status == "succeeded" and not is_incomplete and one.lacks_its_file)
        and (one.suggestion is not None or not by_suggestion)
    )


def _output_name(path: Path) -> str | None:
    job = json.loads(path.read_bytes()).get("Job", {})
    name = job.get("Output") if isinstance(job, dict) else None
    return name if isinstance(name, str) else None


def _read(folder: Path) -> Sample:
    record = json.loads((folder / "record.json").read_bytes())
    forms: tuple[Format, ...] = ("json", "xml")
    files = {form: folder / f"answer.{form}" for form in forms}
    name, output = _output_name(files["json"]), folder / "output.txt"
    return Sample(
        kind=folder.parent.name,
        case=folder.name,
        job_id=record["job"]["job_id"],
        status=record["status"],
        is_incomplete=record["incomplete"],
        suggestion=record["verdict"]["suggestion"],
        bodies={form: path.read_bytes() for form, path in files.items() if path.exists()},
        output_name=name,
        output=output.read_bytes() if name and output.exists() else None,
    )
