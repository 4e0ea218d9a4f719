"""How property tests run, and what every test leaves as it was. The rest is in the file that needs it."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave property tests out of the coverage: hundreds of examples run the same lines, at half the speed.

    So each line needs an example that somebody wrote.
    """
    for item in items:
        if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj):
            item.add_marker("no_cover")


def pytest_collection_finish() -> None:
    """Spare the garbage collector thousands of collected tests, and most of its looks at what is young."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def root_logger_is_put_back() -> Iterator[None]:
    """Undo what entry points do to the root logger, which is the process's own when deployed."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
