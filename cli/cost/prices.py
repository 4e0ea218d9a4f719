"""Prices with their dates and sources: `prices.json`, and what a user knows better."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from shared.errors import SettingError

FILE = Path(__file__).with_name("prices.json")
_RATE = "dollar"


@dataclass(frozen=True)
class Price:
    """What so many (`per`) of a unit cost. `value` is None where no price is known."""

    value: float | None
    currency: str
    per: int
    unit: str
    source: str
    note: str


@dataclass(frozen=True)
class Prices:
    """A list of prices, as of a date and for a region."""

    date: str
    region: str
    by_name: Mapping[str, Price]

    def of(self, name: str, number: float, *, currency: str) -> float | None:
        """Give what so many units cost; None where that is not known."""
        price = self.by_name[name]
        if price.value is None:
            return None
        return number / price.per * price.value * self._rate(price.currency, currency)

    def set(self, name: str, value: float) -> Prices:
        """Replace one price by what a user pays; raise `SettingError` for a name that is not listed."""
        if name not in self.by_name:
            raise SettingError(f"there is no price {name}: one of {', '.join(self.by_name)}")
        if not (math.isfinite(value) and value >= 0) or (name == _RATE and value == 0):
            raise SettingError(f"the price {name} must be a number that is not negative")
        own = replace(self.by_name[name], value=value, source="", note="your own")
        return replace(self, by_name={**self.by_name, name: own})

    def _rate(self, source: str, target: str) -> float:
        dollar = self.by_name[_RATE].value
        assert dollar is not None
        in_yuan = {"CNY": 1.0, "USD": dollar}
        return in_yuan[source] / in_yuan[target]


def listed() -> Prices:
    """Read the list that comes with the code."""
    tree = json.loads(FILE.read_text(encoding="utf-8"))
    return Prices(
        tree["date"], tree["region"], {name: Price(**price) for name, price in tree["prices"].items()}
    )


def own_prices(text: bytes) -> dict[str, float]:
    """Read a user's list, a JSON object of numbers by name; raise `SettingError` for anything else."""
    try:
        tree = json.loads(text)
    except ValueError as error:
        raise SettingError(f"the list of prices is no JSON: {error}") from None
    if not isinstance(tree, dict) or not all(type(value) in (int, float) for value in tree.values()):
        raise SettingError('the list of prices must be an object of numbers, such as {"table-write": 0.02}')
    return tree
