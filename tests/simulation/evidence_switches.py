"""Switches of what keeps evidence, as in `tests/simulation/switches.py`."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shared import evidence, evidence_manifest, evidence_rows
from shared.ports import Services
from tests.simulation.switches import Switch, caught


def _commit_without_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_rows, "put", lambda *arguments: None)


def _try_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "is_over", lambda row, now: True)


def _leave_it_at_the_first_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    close, closed = evidence_manifest.close, set[tuple[int, str]]()

    def close_once(services: Services, job_key: str) -> None:
        one = (id(services.ledger), job_key)
        if one not in closed:
            closed.add(one)
            close(services, job_key)

    monkeypatch.setattr(evidence_manifest, "close", close_once)


EVIDENCE_SWITCHES: Mapping[str, Switch] = {
    "rows beside the version": Switch(caught("evidence"), seed=1, patch=_commit_without_rows),
    "tries until the end": Switch(caught("evidence"), seed=11, patch=_try_once),
    "the manifest from the rows": Switch(
        caught("quiet", "evidence"), seed=8, patch=_leave_it_at_the_first_manifest
    ),
}
"""By the mechanism's name; docs/reliability.md has the same table."""
