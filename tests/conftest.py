"""How property tests run. Everything else a test needs is in the file that needs it."""

from __future__ import annotations

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
