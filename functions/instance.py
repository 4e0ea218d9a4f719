"""What an instance of any function does when it starts, and before it ends: hooks of `template.yml`.

Imports nothing of ours by itself: Function Compute loads it before the handler's module, so that the first
hook still comes before everything that loads slowly.
"""

from __future__ import annotations

import gc

# Allocations between two searches for garbage; Python's own 700 have it search dozens of times while our
# modules load, through what stays anyhow (cold-start.md). `bootstrap` then takes that out of all searches.
# Loading makes some 50,000, the first callback as many again.
_ALLOCATIONS = 100_000


def initialize(context: object) -> None:
    """Have garbage searched for less often."""
    gc.set_threshold(_ALLOCATIONS)


def pre_stop(context: object) -> None:
    """Close the connections that invocations left open."""
    from shared import bootstrap

    bootstrap.end_instance()
