"""The jobs of a run: what becomes of each at the vendor, and who hears of it when. Nothing is done here."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from shared.jobs import JobRef
from shared.kinds import KINDS
from shared.policy import HOUR, MINUTE, SECOND
from shared.vendor import Format
from tests.simulation import samples
from tests.simulation.samples import Sample

REGION, ACCOUNT = "cn-shanghai", "1000000000000001"
OUTPUT = "oss://results.oss-cn-shanghai.aliyuncs.com/"
"""Where all jobs write."""
LONGEST_LAG = 5 * SECOND
"""How far a replica of the vendor's may be behind."""

PLAIN = "plain"
ILLNESSES = ("nobody knows it", "garbled", "another job's answer", "kills who asks")
"""What can be wrong with a job for good; one that is `PLAIN` ends and can be read."""
_ILL_ONE_IN = 25


@dataclass(frozen=True)
class Call:
    """A callback that the vendor sends. One that is `sure` is not lost, however often it takes."""

    at: int
    status: str
    suggestion: str | None = None
    is_sure: bool = False


@dataclass(frozen=True)
class Story:
    """One job. `says` is what a query shows from when on; before the first, the vendor does not know it."""

    ref: JobRef
    illness: str
    submitted_at: int
    says: tuple[tuple[int, Sample], ...]
    form: Format
    output_at: int
    announced_at: tuple[int, ...]
    calls: tuple[Call, ...] = field(default=())

    @property
    def has_one_end(self) -> bool:
        """Tell whether its first final answer is its last, and all of it."""
        return len(self.says) == 2 and self.last.output is None

    @property
    def last(self) -> Sample:
        """Give what the vendor says in the end."""
        return self.says[-1][1]

    def at(self, now: int) -> Sample | None:
        """Give what the vendor says then; None while it does not know the job."""
        said = [sample for since, sample in self.says if since <= now]
        return said[-1] if said else None


def draw_stories(drawn: random.Random, *, start: int, jobs: int) -> list[Story]:
    """Draw the jobs of a run; they are submitted in its first hour, of all kinds in turn."""
    kinds = sorted(KINDS)
    revised = drawn.choice((0.0, 0.25, 1.0))
    return [
        _draw(drawn, kinds[number % len(kinds)], start + drawn.randrange(HOUR), revised)
        for number in range(jobs)
    ]


def _draw(drawn: random.Random, kind: str, submitted: int, revised: float) -> Story:
    ref = JobRef(kind, f"{drawn.getrandbits(128):032x}")
    illness = drawn.choice(ILLNESSES) if drawn.randrange(_ILL_ONE_IN) == 0 else PLAIN
    takes = drawn.choice((20 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 30 * MINUTE + drawn.randrange(HOUR)))
    if drawn.randrange(20) == 0:  # its pipeline is paused: not a lost job, however old it gets
        takes += 26 * HOUR
    ends = submitted + takes
    says = _timeline(drawn, kind, submitted, ends)
    announced = () if drawn.randrange(4) == 0 else _announced(drawn, submitted)
    calls = _calls(drawn, says, ends)
    if drawn.random() < revised and kind == "vod.media_audit":
        says, calls = _revised(drawn, kind, says, calls)
    return Story(
        ref,
        illness,
        submitted,
        says,
        form=drawn.choice(("json", "xml")),
        output_at=ends + drawn.choice((0, 0, 3 * MINUTE)),
        announced_at=announced,
        calls=calls,
    )


def _timeline(drawn: random.Random, kind: str, submitted: int, ends: int) -> tuple[tuple[int, Sample], ...]:
    """Draw what queries show: nothing yet, running, an end without a result, an early result, the result."""
    final = drawn.choice(samples.of(kind, status="failed" if drawn.randrange(8) == 0 else "succeeded"))
    known = submitted + drawn.choice((0, 0, 20 * SECOND, 12 * MINUTE))  # a callback may be ahead of it
    says = [(known, drawn.choice(samples.of(kind, status="running")))]
    shown = max(known, ends) + drawn.choice((0, 0, 2 * MINUTE))
    if final.status == "succeeded" and drawn.randrange(4) == 0:
        says.append((shown, drawn.choice(samples.of(kind, status="succeeded", is_incomplete=True))))
        shown += drawn.choice((10 * SECOND, 2 * MINUTE, 40 * MINUTE))
    elif drawn.randrange(6) == 0:
        says.append((shown, drawn.choice(samples.of(kind, status=final.status))))
        shown += drawn.choice((30 * SECOND, 5 * MINUTE))
    return (*says, (shown, final))


def _announced(drawn: random.Random, submitted: int) -> tuple[int, ...]:
    first = submitted + drawn.choice((0, SECOND, 5 * MINUTE, HOUR))
    return (first, first + drawn.randrange(HOUR)) if drawn.randrange(5) == 0 else (first,)


def _calls(drawn: random.Random, says: tuple[tuple[int, Sample], ...], ends: int) -> tuple[Call, ...]:
    """Draw the callback of the end, and what else comes of one: the end again, a start, a lie."""
    final = says[-1][1]
    truth = Call(ends + drawn.randrange(10 * SECOND), final.status, final.suggestion)
    calls = [truth]
    if drawn.randrange(6) == 0:
        calls.append(Call(ends + drawn.randrange(2 * HOUR), truth.status))
    if drawn.randrange(12) == 0:
        calls.append(Call(says[0][0] + drawn.randrange(10 * SECOND), "running"))
    if drawn.randrange(6) == 0:
        lie = "failed" if final.status == "succeeded" else "succeeded"
        calls.append(Call(ends + drawn.randrange(drawn.choice((2 * MINUTE, 2 * HOUR))), lie))
    return tuple(calls)


def _revised(
    drawn: random.Random, kind: str, says: tuple[tuple[int, Sample], ...], calls: tuple[Call, ...]
) -> tuple[tuple[tuple[int, Sample], ...], tuple[Call, ...]]:
    """Let a person at the vendor's change the verdict later, which a callback tells for sure."""
    before = says[-1][1]
    others = [
        one
        for one in samples.of(kind, status=before.status, by_suggestion=True)
        if one.suggestion != before.suggestion and before.suggestion is not None
    ]
    if not others:
        return says, calls
    after = drawn.choice(others)
    # While it is settled, while its record is written, while it is confirmed, long after.
    later = (
        drawn.randrange(10 * SECOND),
        drawn.randrange(MINUTE),
        10 * MINUTE + drawn.randrange(MINUTE),
        HOUR,
    )
    after_the_end = drawn.choice(later)
    since = says[-1][0] + after_the_end
    # Told when every replica knows it: a claim that an answer does not bear out is checked once.
    told = Call(
        since + LONGEST_LAG + drawn.randrange(10 * SECOND), after.status, after.suggestion, is_sure=True
    )
    said, heard = (*says, (since, after)), (*calls, told)
    if after_the_end >= MINUTE or drawn.randrange(2):
        return said, heard
    # And back, before it is confirmed: two versions are the same record, with another in between.
    again = told.at + MINUTE + drawn.randrange(3 * MINUTE)
    truth = Call(again + LONGEST_LAG, before.status, before.suggestion, is_sure=True)
    return (*said, (again, before)), (*heard, truth)
