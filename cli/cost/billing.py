"""What calls are billed as; rows are taken for small, of at most 4 KB (tablestore-oss.md 1.5)."""

from __future__ import annotations

from cli.cost.calls import Calls

# A write on a condition reads, too; so does one that takes a row out of an index or changes it there. What
# is read of an index is small: many rows share a unit.
_READS = {"get": 1, "under": 1, "scan": 1, "insert": 1, "update": 1, "leave": 1, "cover": 1}
_WRITES = {"insert": 1, "update": 1, "enter": 1, "leave": 1, "cover": 1}
# Files that jobs wrote lie in OSS, too; the vendor's pictures do not.
_BUCKETS = ("objects", "results")
_NO_TABLES = (*_BUCKETS, "pictures", "vendor", "target", "deliver", "archive")


def table_reads(calls: Calls) -> float:
    """Give the read capacity units of Tablestore."""
    return _of_tables(calls, _READS)


def table_writes(calls: Calls) -> float:
    """Give the write capacity units of Tablestore."""
    return _of_tables(calls, _WRITES)


def object_requests(calls: Calls, verb: str) -> float:
    """Give the requests to OSS of one class, `put` or `get`."""
    return sum(calls.get(f"{place}.{verb}", 0) for place in _BUCKETS)


def function_units(*, invocations: float, seconds: float, cpu: float, memory: float, disk: float) -> float:
    """Give the units of Function Compute: of all invocations, sizes in gigabytes (tablestore-oss.md 3)."""
    return 75 * invocations / 10_000 + seconds * (cpu + 0.15 * memory + 0.05 * disk)


def _of_tables(calls: Calls, units: dict[str, int]) -> float:
    total = 0.0
    for call, number in calls.items():
        place, _, verb = call.partition(".")
        if place not in _NO_TABLES:
            total += number * units.get(verb, 0)
    return total
