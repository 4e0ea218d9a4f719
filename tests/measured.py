"""Metrics of no invocation, as the log records that they are in a test."""

from __future__ import annotations

from collections import Counter

import pytest


def measured(log: pytest.LogCaptureFixture, name: str) -> Counter[tuple[str, ...]]:
    """Add up a metric by the values of its dimensions, which are in order of their names.

    The log must have been let through from INFO on.
    """
    found: Counter[tuple[str, ...]] = Counter()
    for record in log.records:
        for metric in vars(record).get("metrics", []):
            if metric["metric"] == name:
                found[tuple(metric.get("dimensions", {}).values())] += metric["value"]
    return found
