"""How much each check of a quality review saw, and where its extremes are: what a sample does not show."""

from __future__ import annotations

from collections.abc import Iterator

from shared.kinds.mts_quality_checks import Sighting, rank_of_check, score_name
from shared.record import Measure, Score

# A report that names checks by the thousand gets no measures of each.
_MOST_CHECKS = 100
_OTHERS = "*"


class Extents:
    """The extents of all checks of a report."""

    def __init__(self) -> None:
        self._of: dict[str, _Extent] = {}

    def add(self, one: Sighting) -> None:
        """Count a defect, or an entry that is none."""
        extent = self._of.get(one.check)
        if extent is None:
            check = one.check if len(self._of) < _MOST_CHECKS else _OTHERS
            extent = self._of.setdefault(check, _Extent(one))
        # It is held for long, and its regions may be many.
        extent.add(one._replace(regions=()) if one.regions else one)

    def measures(self) -> list[Measure]:
        """Tell them, in the order of checks."""
        checks = sorted(self._of, key=rank_of_check)
        return [measure for check in checks for measure in self._of[check].measures(check)]


class _Extent:
    """The extent of one check; extremes are of defects alone."""

    def __init__(self, first_told: Sighting) -> None:
        self._first_told = first_told
        self._defects = self._normal = 0
        self._times: _Range | None = None
        self._scores: dict[tuple[str, str], _Range] = {}

    def add(self, one: Sighting) -> None:
        if not one.is_hit:
            self._normal += 1
            return
        self._defects += 1
        if one.start_ms is not None:
            if self._times is None:
                self._times = _Range(one.start_ms, one, None)
            self._times.add(one.start_ms, one, None)
        for score in one.scores:
            if score.value is not None:
                name = score_name(score), score.scale or ""
                if name not in self._scores:
                    self._scores[name] = _Range(score.value, one, score)
                self._scores[name].add(score.value, one, score)

    def measures(self, check: str) -> Iterator[Measure]:
        for name, count in (("findings", self._defects), ("normal", self._normal)):
            if count:
                yield Measure(name=f"{check}.{name}", value=count, text=None, source=self._first_told.source)
        if self._times is not None:
            yield from self._times.measures(f"{check}.first", f"{check}.last")
        for (name, _), scores in sorted(self._scores.items()):
            yield from scores.measures(f"{check}.{name}.lowest", f"{check}.{name}.highest")


class _Range:
    """The least and the greatest of some numbers, with what they were told of; of equals the first."""

    def __init__(self, number: float, one: Sighting, score: Score | None) -> None:
        self._least = self._greatest = number, one, score

    def add(self, number: float, one: Sighting, score: Score | None) -> None:
        if number < self._least[0]:
            self._least = number, one, score
        elif number > self._greatest[0]:
            self._greatest = number, one, score

    def measures(self, least: str, greatest: str) -> Iterator[Measure]:
        for name, (_, one, score) in ((least, self._least), (greatest, self._greatest)):
            yield Measure(
                name=name,
                value=score.value if score else None,
                text=score.text if score else None,
                unit=score.scale if score else None,
                label=one.label,
                start_ms=one.start_ms,
                source=one.source,
            )
