"""Every benchmark runs, whatever came of the one before, and one page tells."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from benchmarks.harness import Figure
from benchmarks.results import FOLDER, Result, benchmarks, main, page

ROOT = Path(__file__).parent.parent.parent
DAY = ("--date", "2026-11-21")


def benchmark(folder: Path, name: str, body: str) -> None:
    """Write a small benchmark; `body` is that of its `measure`."""
    (folder / f"{name}.py").write_text(
        f'"""What {name} costs."""\n'
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from benchmarks.harness import Figure, main\n"
        f"\ndef measure():\n    {body}\n\n"
        'if __name__ == "__main__":\n    sys.exit(main("", measure))\n',
        encoding="utf-8",
    )


def written(folder: Path) -> str:
    return (folder / "RESULTS.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    benchmark(tmp_path, "alike", 'yield Figure("ours to theirs", 0.5, "ratio", 0.6)')
    (tmp_path / "harness.py").write_text("def main(measure): ...\n", encoding="utf-8")
    return tmp_path


def test_a_page_has_a_table_for_each_benchmark() -> None:
    figures = [
        Figure("ours to theirs", 24.66, "ratio", limit=20),
        Figure("two to one", 1.7, "x", at_least=1.6),
        Figure("jobs", 12345.6, "jobs/s"),
    ]

    told = page(
        [Result("replay.py", "What it costs.", figures, 1)], machine="two cores", day=date(2026, 11, 21)
    )

    assert "on 2026-11-21, on two cores." in told
    assert told.endswith(
        "## replay.py\n\nWhat it costs.\n\n"
        "| what | value | unit | limit | |\n|---|---|---|---|---|\n"
        "| ours to theirs | 24.7 | ratio | at most 20 | MISSED |\n"
        "| two to one | 1.7 | x | at least 1.6 | ok |\n"
        "| jobs | 12,346 | jobs/s |  |  |\n"
    )


def test_figures_within_their_limits_end_with_status_0(folder: Path) -> None:
    status = main(DAY, folder=folder)

    assert status == 0
    assert "| ours to theirs | 0.5 | ratio | at most 0.6 | ok |" in written(folder)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('yield Figure("slow", 2, "ratio", 1)', "| slow | 2 | ratio | at most 1 | MISSED |"),
        ("raise SystemExit(3)", "FAILED: no figures, exit status 3."),
        ("return []", "FAILED: no figures, exit status 0."),
        ('print("no JSON"); return []', "FAILED: no figures, exit status 0."),
    ],
)
def test_one_that_fails_is_told_and_the_others_run(folder: Path, body: str, told: str) -> None:
    benchmark(folder, "a_failing_one", body)

    status = main(DAY, folder=folder)

    assert status == 1
    assert told in written(folder)
    assert "| ours to theirs | 0.5 | ratio | at most 0.6 | ok |" in written(folder)


def test_names_choose_and_an_unknown_one_is_refused(folder: Path) -> None:
    benchmark(folder, "failing", "raise SystemExit(3)")

    assert main([*DAY, "alike", "--into", str(folder / "SOME.md")], folder=folder) == 0
    assert not (folder / "RESULTS.md").exists()
    with pytest.raises(SystemExit):
        main([*DAY, "alik"], folder=folder)


def test_every_file_that_measures_is_a_benchmark_and_no_other_is() -> None:
    names = {path.stem for path in benchmarks(FOLDER)}

    assert {"normalize", "replay", "settle", "toolkit", "webhook"} <= names
    assert names & {"harness", "results", "webhook_load", "cold_start_process", "toolkit_ours"} == set()
