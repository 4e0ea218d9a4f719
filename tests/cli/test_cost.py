"""`media-ledger cost`: parts, prices, assumptions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.cost import billing, prices
from cli.cost.calls import CALLBACK_FIRST, Habits
from cli.cost.model import Deployment, Model, Workload
from localcloud.template import read_template
from tests.cli.conftest import Shell

ROOT = Path(__file__).parents[2]
DEPLOYMENT = Deployment.of(read_template(ROOT / "template.yml"))
KNOWN = prices.listed().set("table-write", 0.02).set("log-gigabyte", 0.4)

jobs_a_day = st.floats(min_value=1, max_value=1e6)
habits = st.builds(
    Habits,
    announced=st.floats(min_value=0, max_value=1),
    callbacks=st.floats(min_value=1, max_value=4),
    polls=st.floats(min_value=0, max_value=10),
    pictures=st.floats(min_value=0, max_value=50),
    targets=st.floats(min_value=0, max_value=3),
)


def costs(workload: Workload, currency: str = "CNY") -> Mapping[str, float]:
    parts = Model(workload, DEPLOYMENT).parts(KNOWN, currency=currency)
    return {part.name: part.cost for part in parts if part.cost is not None}


def test_what_is_known_is_the_sum_of_its_parts(shell: Shell) -> None:
    tree = shell.json("cost", "--json")
    amounts = {part["price"]: part["cost"] for part in tree["parts"]}

    assert tree["known"] == pytest.approx(sum(cost for cost in amounts.values() if cost is not None))
    assert {price for price, cost in amounts.items() if cost is None} == {"table-write", "log-gigabyte"}


def test_a_price_that_nobody_knows_is_named_until_it_is_given(shell: Shell) -> None:
    without = shell.run("cost").stdout
    given = shell.run("cost", "--price", "table-write=0.02", "--price", "log-gigabyte=0.4").stdout

    assert re.findall(r"give yours with --price ([\w-]+)=", without) == ["table-write", "log-gigabyte"]
    assert "give yours" not in given
    assert "table-write: 0.02 CNY for 10,000 x write CU of Tablestore; your own" in given


def test_an_option_counts_more_than_the_file_of_prices(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text('{"table-write": 5, "table-read": 3}')
    tree = shell.json("cost", "--json", "--prices", str(file), "--price", "table-write=7")

    own = tree["prices"]["by_name"]

    assert (own["table-write"]["value"], own["table-read"]["value"]) == (7, 3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--price", "table-wrote=1"], "there is no price table-wrote"),
        (["--price", "table-write"], "--price table-write: must be a name"),
        (["--price", "table-write=-1"], "--price table-write=-1: must be a name"),
        (["--price", "table-write=nan"], "--price table-write=nan: must be a name"),
        (["--price", "dollar=0"], "the price dollar must be"),
        (["--mix", "vod.review=1"], "--mix vod.review: no such kind"),
        (["--mix", "vod.media_audit=0"], "no kind has a share"),
        (["--seconds", "settle=1"], "--seconds settle: no such function"),
        (["--prices", "nowhere.json"], "nowhere.json"),
        (["--jobs", "0"], "--jobs"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], said: str, shell: Shell) -> None:
    ended = shell.run("cost", *arguments)

    assert ended.exit_code == 2
    assert said in " ".join(ended.stderr.split())


@pytest.mark.parametrize("text", ["{", "[1]", '{"table-write": "1"}', '{"table-write": true}'])
def test_a_list_of_prices_that_is_none_is_refused(text: str, shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(text)

    assert shell.run("cost", "--prices", str(file)).exit_code == 2


def test_a_callback_is_billed_by_the_rules_of_tablestore() -> None:
    # Rows: two written anew, one changed, one read; five rows of indexes written, two of them read.
    assert billing.table_writes(CALLBACK_FIRST) == 2 + 1 + (1 + 2 + 1 + 1 + 1)
    assert billing.table_reads(CALLBACK_FIRST) == 2 + 1 + 1 + (1 + 1)


def test_units_of_function_compute_follow_the_vendors_formula() -> None:
    units = billing.function_units(invocations=2_000, seconds=2_000, cpu=0.25, memory=0.5, disk=0.5)

    assert units == pytest.approx(715)  # the example of tablestore-oss.md 4


@given(habits, jobs_a_day, st.floats(min_value=1, max_value=100))
def test_the_more_jobs_there_are_the_less_each_of_them_costs(like: Habits, few: float, more: float) -> None:
    one, other = (costs(Workload(jobs, like)) for jobs in (few, few * more))

    # But for what is free up to a number.
    assert all(other[part] <= one[part] * (1 + 1e-9) for part in one if part != "MNS requests")


@given(habits, jobs_a_day)
def test_an_amount_in_dollars_is_the_same_amount(like: Habits, jobs: float) -> None:
    workload = Workload(jobs, like)

    assert sum(costs(workload, "USD").values()) * 7.1 == pytest.approx(sum(costs(workload).values()))


def test_the_page_on_deploying_tells_what_the_command_tells(shell: Shell) -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    ((command, shown),) = re.findall(r"^\$ media-ledger (cost .*)\n((?:.+\n|\n)+?)^```", page, re.MULTILINE)
    lines = [line.rstrip() for line in shell.run(*command.split()).stdout.splitlines()]

    assert [line.rstrip() for line in shown.splitlines()] == lines[: len(shown.splitlines())]
    assert any(line.startswith("known: ") for line in shown.splitlines())
