"""`cost`: what 1,000 jobs cost, reckoned without an account."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from enum import Enum
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table

from cli.cost import prices as price_lists
from cli.cost.calls import Habits
from cli.cost.model import Deployment, Model, Part, Workload
from cli.cost.prices import Prices
from cli.demonstration import TEMPLATE
from cli.terminal import AsJson, escape, out, print_json, read_input, told_plainly
from localcloud.template import read_template
from shared.errors import SettingError
from shared.kinds import KINDS


class Currency(str, Enum):
    """What amounts are told in."""

    CNY = "CNY"
    USD = "USD"


Share = Annotated[float, typer.Option(min=0, max=1, help="Share of jobs that `track` announces.")]
Mix = Annotated[
    list[str] | None,
    typer.Option(metavar="KIND=SHARE", help="Share of a kind, once for each; left out, all are VOD reviews."),
]
Seconds = Annotated[
    list[str] | None,
    typer.Option(metavar="FUNCTION=SECONDS", help="How long an invocation takes, where you have seen it."),
]
Own = Annotated[
    list[str] | None,
    typer.Option("--price", metavar="NAME=VALUE", help="What you pay, in the currency of that price."),
]
PriceFile = Annotated[
    str | None,
    typer.Option("--prices", metavar="FILE", help="The same in a JSON object, or `-` for standard input."),
]


def cost(
    jobs: Annotated[float, typer.Option(min=1, help="Jobs per day.")] = Workload.jobs_per_day,
    mix: Mix = None,
    announced: Share = Habits.announced,
    callbacks: Annotated[float, typer.Option(min=1, help="Callbacks per job.")] = Habits.callbacks,
    at_once: Annotated[
        float, typer.Option(min=1, max=10, help="Callbacks that one invocation takes in.")
    ] = Workload.callbacks_at_once,
    polls: Annotated[
        float, typer.Option(min=0, help="Queries per job that find it still running.")
    ] = Habits.polls,
    pictures: Annotated[float, typer.Option(min=0, help="Pictures of evidence per job.")] = Habits.pictures,
    targets: Annotated[float, typer.Option(min=0, help="Targets that are told of a job.")] = Habits.targets,
    terms: Annotated[
        float, typer.Option(min=0, help="What a job is found by: its verdict, each label, its media.")
    ] = Habits.terms,
    months: Annotated[
        float, typer.Option(min=0, help="Months for which what is archived is paid for.")
    ] = Workload.months,
    seconds: Seconds = None,
    price: Own = None,
    price_file: PriceFile = None,
    currency: Currency = Currency.CNY,
    as_json: AsJson = False,
) -> None:
    """Reckon what 1,000 jobs cost: calls that tests have counted, prices with their dates, assumptions."""
    with told_plainly():
        habits = Habits(_mix(mix or []), announced, callbacks, polls, pictures, targets, terms)
        workload = Workload(jobs, habits, months, at_once, seconds=_seconds(seconds or []))
        prices = _prices(price_file, price or [])
        model = Model(workload, Deployment.of(read_template(TEMPLATE)))
        parts = list(model.parts(prices, currency=currency.value))
    if as_json:
        print_json(_as_json(parts, model, workload, prices, currency))
    else:
        _print(parts, workload, prices, currency)


def _named(texts: Sequence[str], option: str) -> dict[str, float]:
    named: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not 0 <= value < math.inf:
            raise SettingError(f"{option} {text}: must be a name, =, and a number that is not negative")
        named[name] = value
    return named


def _mix(texts: Sequence[str]) -> dict[str, float]:
    """Read shares, which may be any numbers: they are divided by their sum."""
    named = _named(texts, "--mix") or dict(Habits().mix)
    if unknown := sorted(set(named) - set(KINDS)):
        raise SettingError(f"--mix {unknown[0]}: no such kind, one of {', '.join(KINDS)}")
    if not sum(named.values()):
        raise SettingError("--mix: no kind has a share")
    return {kind: number / sum(named.values()) for kind, number in named.items()}


def _seconds(texts: Sequence[str]) -> dict[str, float]:
    known, named = Workload().seconds, _named(texts, "--seconds")
    if unknown := sorted(set(named) - set(known)):
        raise SettingError(f"--seconds {unknown[0]}: no such function, one of {', '.join(known)}")
    return {**known, **named}


def _prices(file: str | None, texts: Sequence[str]) -> Prices:
    own = price_lists.own_prices(read_input(file)) if file else {}
    prices = price_lists.listed()
    for name, value in {**own, **_named(texts, "--price")}.items():
        prices = prices.set(name, value)
    return prices


def _print(parts: Sequence[Part], workload: Workload, prices: Prices, currency: Currency) -> None:
    console = out()
    console.print(f"1,000 jobs, at {workload.jobs_per_day:,.0f} a day:")
    console.print(_table(parts, prices, currency))
    console.print(f"known: {_known(parts):.4f} {currency.value}")
    for part in parts:
        if part.cost is None:
            hint = f"give yours with --price {part.price}=..."
            console.print(f"not in it: {part.name}, whose price is not known; {hint}")
    for line in (*_assumptions(workload), *_priced(prices)):
        console.print(escape(line))


def _table(parts: Sequence[Part], prices: Prices, currency: Currency) -> Table:
    table = Table("part", box=SIMPLE)
    table.add_column("units", justify="right")
    table.add_column("of")
    table.add_column(currency.value, justify="right")
    for part in parts:
        cost = "?" if part.cost is None else f"{part.cost:.4f}"
        table.add_row(part.name, f"{part.units:,.2f}", prices.by_name[part.price].unit, cost)
    return table


def _known(parts: Sequence[Part]) -> float:
    return sum(part.cost for part in parts if part.cost is not None)


def _assumptions(workload: Workload) -> Iterator[str]:
    times = ", ".join(f"{name} {value:g}" for name, value in workload.seconds.items())
    yield ""
    yield f"assumed, as nobody has seen it run there: seconds of an invocation: {times};"
    yield f"  of a job in a run of the timer: {workload.seconds_of_a_job:g}"
    yield (
        f"assumed: KB of an answer: {workload.answer_kb:g}; of a picture: {workload.picture_kb:g};"
        f" of a row: 4 at most; of what an invocation logs: {workload.log_kb:g}"
    )
    yield "left out: the vendor's bill for the jobs, EventBridge, what Tablestore and the logs store, alarms,"
    yield "  traffic to the Internet, callbacks by HTTP, and whatever is tried again"


def _priced(prices: Prices) -> Iterator[str]:
    yield ""
    yield f"prices of {prices.date}, {prices.region}; --price replaces one:"
    for name, price in prices.by_name.items():
        value = "unknown" if price.value is None else f"{price.value:f}".rstrip("0").rstrip(".")
        told = f"{value} {price.currency} for {price.per:,} x {price.unit}"
        yield "; ".join(part for part in (f"  {name}: {told}", price.note, price.source) if part)


def _as_json(
    parts: Sequence[Part], model: Model, workload: Workload, prices: Prices, currency: Currency
) -> dict[str, object]:
    return {
        "jobs": 1_000,
        "currency": currency.value,
        "known": _known(parts),
        "parts": [asdict(part) for part in parts],
        "calls": model.calls_of_a_thousand(),
        "workload": asdict(workload),
        "prices": asdict(prices),
    }
