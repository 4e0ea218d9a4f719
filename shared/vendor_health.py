"""What one run learns about the vendor, beyond any single job: whom to leave alone, and whom to doubt.

A service is a product in a region. Tasks that run beside each other may miss one of each other's counts:
nothing here needs to be exact.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from typing import NamedTuple

from shared.errors import NoTimeLeftError, PermanentError, VendorRefusedError, VendorUnavailableError

_FAILURES_IN_A_ROW = 5
_MISSING_AT_LEAST = 10
_MISSING_MORE_THAN = Fraction(1, 5)


class Service(NamedTuple):
    """A product in a region; the region is empty where nothing names one."""

    product: str
    region: str

    def __str__(self) -> str:
        return f"{self.product} {self.region}".strip()


class VendorHealth:
    """Leaves a product alone that refused us or whose budget is spent, and a service that kept failing.

    Each for the rest of the run: the next one asks again.
    """

    def __init__(self) -> None:
        self.refused_by: set[str] = set()
        """Products that refused us: every further query would fail alike."""
        self.spent: set[str] = set()
        """Products that no call is left for before the run ends."""
        self.away: set[Service] = set()
        """Services that failed too often in a row."""
        self._failures: Counter[Service] = Counter()

    def is_to_be_asked(self, service: Service) -> bool:
        """Tell whether a query has any prospect."""
        return service.product not in self.refused_by | self.spent and service not in self.away

    def learn(self, service: Service, error: Exception | None) -> None:
        """Take in how asking about one job ended."""
        if isinstance(error, VendorRefusedError):
            self.refused_by.add(service.product)
        elif isinstance(error, NoTimeLeftError):
            self.spent.add(service.product)
        elif isinstance(error, VendorUnavailableError):
            self._failures[service] += 1
            if self._failures[service] >= _FAILURES_IN_A_ROW:
                self.away.add(service)
        elif error is None or isinstance(error, PermanentError):  # it answered
            self._failures[service] = 0


class MissingJobs:
    """Verdicts of not found, held until it can be told whether it is they or we who are wrong.

    A job counts for that only if it is certain to exist: it was announced, or a delivery named it that only
    the vendor can have sent. Whom a person named may be a slip of the pen.
    """

    def __init__(self) -> None:
        self._held: defaultdict[Service, list[str]] = defaultdict(list)
        self._certain: Counter[Service] = Counter()
        self._certain_missing: Counter[Service] = Counter()

    def found(self, service: Service, *, is_certain: bool) -> None:
        """Count a job that the vendor knows."""
        self._certain[service] += is_certain

    def missing(self, service: Service, key: str, *, is_certain: bool) -> None:
        """Hold a job that the vendor still does not know when its grace is over."""
        self._certain[service] += is_certain
        self._certain_missing[service] += is_certain
        self._held[service].append(key)

    def doubtful(self) -> list[Service]:
        """Name the services of which so many jobs are missing that our own settings are to blame."""
        return [service for service in sorted(self._held) if self._is_doubtful(service)]

    def held(self) -> list[str]:
        """Give all that were held."""
        return [key for keys in self._held.values() for key in keys]

    def unknown(self) -> list[str]:
        """Give the jobs that are to be believed missing."""
        return [key for service, keys in self._held.items() if not self._is_doubtful(service) for key in keys]

    def _is_doubtful(self, service: Service) -> bool:
        missing, asked = self._certain_missing[service], self._certain[service]
        return missing >= _MISSING_AT_LEAST and missing > _MISSING_MORE_THAN * asked
