"""Marked secrets in the demonstration and in storms: as in `test_canaries.py`, they come out nowhere."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import TextIO

import pytest

from cli import demo_consumers, demo_vendor, demonstration
from shared.completeness.making import keep, make_report
from shared.completeness.survey import Window
from shared.ports import Change, Done, Ledger, When
from shared.tables import Key, Row, Table
from shared.toolkit import JsonFormatter, Masker
from tests.canaries import DELIVERY_KEY, KEYS, RECEIVED, Places, found_in, look_at_stores, marked_callbacks
from tests.cli.conftest import NO_KEYS_HERE, Shell
from tests.simulation.run import Run
from tests.simulation.switches import Switch

DAY = date(2025, 11, 20)  # on which a run begins


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Give a command line whose settings are only its own."""
    monkeypatch.chdir(tmp_path)
    for name, value in NO_KEYS_HERE.items():
        monkeypatch.setenv(name, value)
    return Shell(tmp_path)


@dataclass
class Demonstration:
    """The demonstration with marked secrets, and a look at all that it left."""

    shell: Shell

    def look(self) -> Places:
        """Play, ask every command that shows something, and search."""
        places, folder = Places(), self.shell.folder / "demo"
        self._run(places, "demo")
        self._ask(places)
        for line in (folder / "functions.log").read_bytes().splitlines():
            places.look("log line", line)
        look_at_stores(places, folder)
        return places

    def _ask(self, places: Places) -> None:
        for job in [one["job_id"] for one in self.shell.json("jobs", "--dir", "demo", "--json")["jobs"]]:
            self._run(places, "show", job)
            self._run(places, "explain", job)
            self._run(places, "explain", job, "--json")
            shown = self.shell.json("show", job, "--json", "--dir", "demo")
            places.look_at_record("output of show --json", json.dumps({"data": shown}).encode())
        self._run(places, "jobs")
        self._run(places, "jobs", "--json")
        self._run(places, "report", "-o", "page.html")
        self._run(places, "report", "--json")
        places.look("page.html", Path("page.html").read_bytes())
        self._run(places, "settle", "vod.media_audit", "canary")

    def _run(self, places: Places, *words: str) -> None:
        places.look(f"output of {words[0]}", self.shell.run(*words, "--dir", "demo").output)


def test_the_demonstration_leaves_no_secret_anywhere(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = shell.folder / "events"
    shutil.copytree(demonstration.SAMPLES, samples)
    for name, body in marked_callbacks().items():
        (samples / name).write_bytes(body)
    monkeypatch.setattr(demonstration, "SAMPLES", samples)
    for module in (demonstration, demo_vendor):
        monkeypatch.setattr(module, "KEYS", KEYS)
    for consumer in list(demo_consumers._KEYS):
        monkeypatch.setitem(demo_consumers._KEYS, consumer, DELIVERY_KEY)

    assert Demonstration(shell).look().leaks == []


class WatchedLedger:
    """A ledger that has everything searched that is written into it, but for what was received."""

    def __init__(self, inner: Ledger, places: Places) -> None:
        self._inner = inner
        self._places = places
        self.BATCH_LIMIT, self.PAGE_LIMIT = inner.BATCH_LIMIT, inner.PAGE_LIMIT
        self.get, self.scan, self.under = inner.get, inner.scan, inner.under

    def insert(self, table: Table, key: Key, row: Row) -> bool:
        """See `Ledger.insert`."""
        self._look(table, key, row)
        return self._inner.insert(table, key, row)

    def insert_many(self, table: Table, rows: Sequence[tuple[Key, Row]]) -> list[Done[bool]]:
        """See `Ledger.insert_many`."""
        for key, row in rows:
            self._look(table, key, row)
        return self._inner.insert_many(table, rows)

    def update(self, table: Table, key: Key, change: Change, when: Sequence[When]) -> bool:
        """See `Ledger.update`."""
        self._look(table, key, change)
        return self._inner.update(table, key, change, when)

    def _look(self, table: Table, key: Key, row: Mapping[str, object]) -> None:
        kept = {name: value for name, value in row.items() if (table.name, name) not in RECEIVED}
        self._places.look(f"row of {table.name}", repr((key, kept)))


@contextmanager
def logged(stream: TextIO) -> Iterator[None]:
    """Have the product's own lines written as its functions write them, whatever the root logger does."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(Masker()))
    loggers = [logging.getLogger(name) for name in ("shared", "functions")]
    for one in loggers:
        one.addHandler(handler)
        one.setLevel(logging.INFO)
    try:
        yield
    finally:
        for one in loggers:
            one.removeHandler(handler)
            one.setLevel(logging.NOTSET)


@pytest.mark.parametrize("seed", range(2))
def test_storms_leave_no_secret_anywhere(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    places, lines = Places(), StringIO()
    watched = Switch(frozenset(), ledger=lambda ledger: WatchedLedger(ledger, places))
    run = Run(seed, without=watched)
    monkeypatch.setattr(
        run.targets, "took", lambda name, body: places.look_at_record("delivered event", body)
    )

    with logged(lines):
        run.go()
        services = run.instances.bare()
        keep(services, make_report(services, Window(DAY, DAY + timedelta(days=10)), run="run"))
    for line in lines.getvalue().splitlines():
        places.look("log line", line)
    for defect in run.defects:
        places.look("error", defect)
    places.look_at_archive(run.objects.objects)

    assert places.leaks == []
    assert any(found_in(body) for key, body in run.objects.objects.items() if key.startswith("raw/"))
