"""What tests of threads need."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

_PATIENCE_S = 30


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Wait for what another thread does, and fail when it does not."""

    def wait(is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE_S
        while not is_so():
            assert time.monotonic() < end, "it never came to pass"
            time.sleep(0.005)

    return wait
