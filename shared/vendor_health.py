"""What one run learns about the vendor, beyond any single job: whom to leave alone, and whom to doubt.

A service is a product in a region. Tasks that run beside each other may miss one of each other's counts:
nothing here needs to be exact.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from typing import NamedTuple

from shared.errors import NoTimeLeftError, PermanentError, VendorRefusedError, VendorUnavailableError
from shared.policy import DAY

_FAILURES_IN_A_ROW = 5
# One refusal may be about the job: it is another account's.
_REFUSALS_IN_A_ROW = 3
_MISSING_AT_LEAST = 10
_MISSING_MORE_THAN = Fraction(1, 5)
# Where few jobs are asked about, no other may ever be found beside a missing one.
_BELIEVED_AFTER = DAY


class Service(NamedTuple):
    """A product in a region; the region is empty where nothing names one."""

    product: str
    region: str

    def __str__(self) -> str:
        return f"{self.product} {self.region}".strip()


class VendorHealth:
    """Leaves alone a service that kept refusing us or failing, and a product without a call in time.

    The former for the rest of the run: the next one asks again.
    """

    def __init__(self) -> None:
        self.refused_by: set[Service] = set()
        """Services that refused us, be it only about one job."""
        self.stopped: set[Service] = set()
        """Services that refused several jobs in a row: every further query would fail alike."""
        self.away: set[Service] = set()
        """Services that failed too often in a row."""
        self._refusals: Counter[Service] = Counter()
        self._failures: Counter[Service] = Counter()
        self._next_call_at: dict[str, int] = {}

    def is_to_be_asked(self, service: Service, *, by: int) -> bool:
        """Tell whether a query that must be sent by then has any prospect."""
        return self._next_call_at.get(service.product, by) <= by and service not in self.stopped | self.away

    def learn(self, service: Service, error: Exception | None, now: int) -> None:
        """Take in how asking about one job ended."""
        if isinstance(error, VendorRefusedError):
            self.refused_by.add(service)
            self._refusals[service] += 1
            if self._refusals[service] >= _REFUSALS_IN_A_ROW:
                self.stopped.add(service)
        elif isinstance(error, NoTimeLeftError):
            # Without such a wait it was not the budget: a slow store took the lease's time.
            if error.retry_after_ms is not None:
                self._next_call_at[service.product] = now + error.retry_after_ms
        elif isinstance(error, VendorUnavailableError):
            self._failures[service] += 1
            if self._failures[service] >= _FAILURES_IN_A_ROW:
                self.away.add(service)
        elif error is None or isinstance(error, PermanentError):  # it answered
            self._refusals[service] = self._failures[service] = 0


class MissingJobs:
    """Verdicts of not found, held until it can be told whether it is they or we who are wrong.

    Too many missing jobs of a service speak against us, and so does a service that knows none of those it
    was asked for: then a job must have been missing for a day. Only jobs that are certain to exist are
    counted as too many: announced, or named by a delivery that only the vendor can have sent. Whom a person
    named may be a slip of the pen.
    """

    def __init__(self) -> None:
        self._held: defaultdict[Service, dict[str, int]] = defaultdict(dict)
        self._answered: set[Service] = set()
        self._certain: Counter[Service] = Counter()
        self._certain_missing: Counter[Service] = Counter()

    def found(self, service: Service, *, is_certain: bool) -> None:
        """Count a job that the vendor knows."""
        self._answered.add(service)
        self._certain[service] += is_certain

    def missing(self, service: Service, key: str, *, for_ms: int, is_certain: bool) -> None:
        """Hold a job that the vendor still does not know when its grace is over."""
        self._certain[service] += is_certain
        self._certain_missing[service] += is_certain
        self._held[service][key] = for_ms

    def doubtful(self) -> list[Service]:
        """Name the services of which so many jobs are missing that our own settings are to blame."""
        return [service for service in sorted(self._held) if self._is_doubtful(service)]

    def held(self) -> list[str]:
        """Give all that were held."""
        return [key for keys in self._held.values() for key in keys]

    def unknown(self) -> list[str]:
        """Give the jobs that are to be believed missing."""
        return [
            key
            for service, held in self._held.items()
            if not self._is_doubtful(service)
            for key, for_ms in held.items()
            if service in self._answered or for_ms >= _BELIEVED_AFTER
        ]

    def _is_doubtful(self, service: Service) -> bool:
        missing, asked = self._certain_missing[service], self._certain[service]
        return missing >= _MISSING_AT_LEAST and missing > _MISSING_MORE_THAN * asked
