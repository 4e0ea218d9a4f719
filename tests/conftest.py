"""How property tests run, and what every test leaves as it was. The rest is in the file that needs it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# The same examples everywhere and every time, so that a red build is about the change. To look
# further: `make unit ARGS=--hypothesis-profile=search`.
settings.register_profile(
    "fixed",
    derandomize=True,
    database=None,
    deadline=None,  # a slow machine is no defect
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", deadline=None, print_blob=True, max_examples=1000)
settings.load_profile("fixed")


@pytest.fixture(autouse=True)
def root_logger_is_put_back() -> Iterator[None]:
    """Undo what entry points do to the root logger, which is the process's own when deployed."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
