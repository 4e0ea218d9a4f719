"""The composition root: what it refuses to build."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared import bootstrap
from shared.errors import SettingError
from shared.settings import Settings


def settings(folder: Path, **more: str) -> Settings:
    stores = {"LEDGER_OBJECTS": f"file://{folder}/archive", "LEDGER_TABLES": f"sqlite://{folder}/ledger.db"}
    return Settings.read({**stores, **more})


@pytest.mark.parametrize("more", [{}, {"LEDGER_CALL_RATES": "vod=1"}, {"LEDGER_CALLBACK_INSTANCES": "200"}])
def test_rates_that_leave_everyone_two_calls_in_a_lease_are_taken(
    tmp_path: Path, more: dict[str, str]
) -> None:
    services = bootstrap.build(settings(tmp_path, **more))

    assert services.policy.smallest_share("vod") * services.policy.lease >= 2_000
    bootstrap.close(services)


@pytest.mark.parametrize("more", [{"LEDGER_CALL_RATES": "mts=0.5"}, {"LEDGER_CALLBACK_INSTANCES": "1000"}])
def test_rates_at_which_nobody_would_ever_ask_are_refused(tmp_path: Path, more: dict[str, str]) -> None:
    with pytest.raises(SettingError, match=r"LEDGER_CALL_RATES: .+ too low .+ LEDGER_CALLBACK_INSTANCES"):
        bootstrap.build(settings(tmp_path, **more))
