"""What came of many jobs: counts, examples, and in how many of them what differs. Its size has a bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from shared.errors import ParseError
from shared.replay.differences import Difference
from shared.replay.one_job import Did, Replayed

EXAMPLES = 5
"""How many jobs are named for a difference."""

_PROBLEMS = 20
# A normalizer that says something else of every job must not fill the memory.
_MOST = 1_000
_OTHERS = Difference("(others)", "", "")
_NEEDS_A_PERSON: frozenset[Did] = frozenset({"unversioned", "contradicts", "unreadable", "missing"})
_COMES_LATER: frozenset[Did] = frozenset({"busy", "failed"})


@dataclass
class Tally:
    """Counts of outcomes, problems by outcome with job and reason, and jobs by difference."""

    outcomes: Counter[str] = field(default_factory=Counter)
    problems: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    changes: Counter[Difference] = field(default_factory=Counter)
    examples: dict[Difference, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, outcomes: Iterable[Replayed]) -> Tally:
        """Count outcomes."""
        tally = cls()
        for one in outcomes:
            tally.outcomes[one.did] += 1
            if one.did in _NEEDS_A_PERSON | _COMES_LATER:
                tally._add_problems(one.did, [(one.key, one.reason or "")])
            for each in one.differences:
                tally._add_change(each, 1, [one.key])
        return tally

    def add(self, other: Tally) -> None:
        """Take in what another one has counted."""
        self.outcomes += other.outcomes
        for did, problems in other.problems.items():
            self._add_problems(did, problems)
        for one, jobs in other.changes.items():
            self._add_change(one, jobs, other.examples[one])

    @property
    def jobs(self) -> int:
        """Tell how many jobs were looked at."""
        return self.outcomes.total()

    @property
    def needs_a_person(self) -> bool:
        """Tell whether anything was found that does not pass by itself."""
        return any(self.outcomes[did] for did in _NEEDS_A_PERSON)

    @property
    def is_left(self) -> bool:
        """Tell whether anything may be tried again."""
        return any(self.outcomes[did] for did in _COMES_LATER)

    def ranked(self) -> list[tuple[Difference, int]]:
        """Give what differs, verdicts first, then by the number of jobs."""
        return sorted(
            self.changes.items(), key=lambda one: (not one[0].field.startswith("verdict."), -one[1], one[0])
        )

    def document(self) -> dict[str, Any]:
        """Give all of it, ready for JSON; `read` takes outcomes and problems from it."""
        return {
            "jobs": self.jobs,
            "outcomes": dict(sorted(self.outcomes.items())),
            "problems": [
                {"outcome": did, "job": job, "reason": reason}
                for did in sorted(self.problems)
                for job, reason in self.problems[did]
            ],
            "changes": [
                {**one._asdict(), "jobs": jobs, "examples": self.examples[one]} for one, jobs in self.ranked()
            ],
        }

    @classmethod
    def read(cls, tree: Mapping[str, Any]) -> Tally:
        """Read what `document` wrote of a run that compared nothing; raise `ParseError` for anything else."""
        tally = cls()
        try:
            for did, count in tree["outcomes"].items():
                tally.outcomes[_did(did)] += int(count)
            for one in tree["problems"]:
                tally._add_problems(_did(one["outcome"]), [(str(one["job"]), str(one["reason"]))])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ParseError("not what a replay has counted", layer="replay") from error
        return tally

    def _add_problems(self, did: str, problems: Iterable[tuple[str, str]]) -> None:
        kept = self.problems.setdefault(did, [])
        kept += list(problems)[: _PROBLEMS - len(kept)]

    def _add_change(self, one: Difference, jobs: int, examples: Iterable[str]) -> None:
        told = one if one in self.changes or len(self.changes) < _MOST else _OTHERS
        self.changes[told] += jobs
        kept = self.examples.setdefault(told, [])
        kept += list(examples)[: EXAMPLES - len(kept)]


def _did(name: str) -> Did:
    for did in get_args(Did):
        if did == name:
            return did  # type: ignore[no-any-return]  # one of its own arguments
    raise ValueError(name)
