"""Which real services no test asks; and what LEDGER_E2E=1 runs, with endpoints that lead to a local cloud."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from localcloud.cloud import BUCKET, INSTANCE, KEYS, LocalCloud
from tests import real_services
from tests.localcloud.tablestore.worlds import connect

ROOT = Path(__file__).parents[3]
# One of each: an object, a race of processes that open the store anew, a row, an index, pages of a folder.
SOME = "put_new_keeps or one_of_many_racing_inserts or a_row_is_read or a_row_moves_in_the_index"


@pytest.mark.parametrize("service", real_services.not_run())
def test_a_service_that_nobody_asks_is_reported(service: str) -> None:
    pytest.skip(real_services.not_run()[service])


def test_the_contracts_run_in_scratch_places_and_leave_nothing_behind(tmp_path: Path) -> None:
    with LocalCloud(tmp_path, {"none": bytes}.__getitem__) as cloud:
        wanted = {"LEDGER_E2E": "1", "LEDGER_E2E_INDEX_LAG_MS": "1", "LEDGER_OBJECTS": f"oss://{BUCKET}/mine"}
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/shared/adapters"),
                *("-k", f"itself and ({SOME})"),
            ],
            cwd=ROOT,
            env={**os.environ, **cloud.environment(), **wanted},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        with closing(connect(cloud.endpoints.ots, name=INSTANCE, credentials=lambda: KEYS)) as instance:
            tables = instance.read(lambda client: list(client.list_table()))

    assert ran.returncode == 0, ran.stdout
    assert " passed" in ran.stdout
    assert "skipped" not in ran.stdout
    assert tables == []
    assert not [path for path in tmp_path.rglob("mine/**/*") if path.is_file()]
