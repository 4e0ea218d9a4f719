"""What the text of a variable may be, and what is made of it; an error says what is allowed, no secret."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator, PlainValidator, SecretStr, ValidationInfo

from shared.delivery import signature
from shared.delivery.rules import DeliveryPlan
from shared.delivery.words import an_object, texts
from shared.kinds import KINDS
from shared.toolkit import strict_json
from shared.toolkit.parser import ParseError
from shared.vendor import USER_ID_PATTERN

_SHOWN = 40


def place_of(read: Callable[[str], object]) -> object:
    """Read a URL; what is a place already stays one."""
    return PlainValidator(lambda value: read(value) if isinstance(value, str) else value)


PRODUCTS = frozenset(kind.product for kind in KINDS.values())
SERVICES = frozenset({*PRODUCTS, "fc", "oss", "ots", "sts"})

Pairs = tuple[tuple[str, str], ...]


def pairs_of(*schemes: str, known: Collection[str], example: str) -> Callable[[object], object]:
    """Read `name=url`, several of them separated by commas, each of another known name."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [(name.strip(), url.strip()) for name, _, url in _split(value)]
        if not all(name and url.startswith(schemes) for name, url in pairs):
            raise ValueError(f"must look like {example}, several of them separated by commas")
        _check_names([name for name, _ in pairs], known)
        return tuple(pairs)

    return read


def _check_names(names: Sequence[str], known: Collection[str]) -> None:
    """Refuse what would never be looked up, or be looked up only once."""
    for name, count in Counter(names).items():
        if name not in known:
            raise ValueError(f"unknown name {name[:_SHOWN]}: known are {', '.join(sorted(known))}")
        if count > 1:
            raise ValueError(f"{name} is there {count} times")


def _split(value: str) -> list[tuple[str, str, str]]:
    return [entry.partition("=") for entry in value.split(",") if entry.strip()]


def _names(value: object) -> object:
    """Read names separated by commas."""
    if not isinstance(value, str):
        return value
    return frozenset(name.strip() for name in value.split(",") if name.strip())


Names = Annotated[frozenset[str], BeforeValidator(_names)]


_MNS_ADDRESS = re.compile(r"https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?/?", re.ASCII)


def _mns_address(value: object) -> object:
    """Read the address of an account's queues and topics."""
    if isinstance(value, str) and not _MNS_ADDRESS.fullmatch(value):
        raise ValueError("must look like https://<account>.mns.<region>.aliyuncs.com")
    return value


MnsAddress = Annotated[str, BeforeValidator(_mns_address)]


_ROLE = re.compile(rf"acs:ram::(?P<account>{USER_ID_PATTERN}):role/[\w.-]{{1,64}}", re.ASCII)


def _roles(value: object) -> object:
    """Read `acs:ram::<account>:role/<name>`, several of them separated by commas, each of another account."""
    if not isinstance(value, str):
        return value
    found = [_ROLE.fullmatch(arn.strip()) for arn in value.split(",") if arn.strip()]
    roles = {arn["account"]: arn[0] for arn in found if arn is not None}
    if None in found:
        raise ValueError("must look like acs:ram::1000000000000001:role/name, several separated by commas")
    if len(roles) < len(found):
        raise ValueError("an account has one role")
    return tuple(roles.items())


Roles = Annotated[Pairs, BeforeValidator(_roles)]


def _rates(value: object) -> object:
    """Read `name=number`, several of them separated by commas."""
    if not isinstance(value, str):
        return value
    found = [(name.strip(), number.strip()) for name, _, number in _split(value)]
    try:
        rates = tuple((name, float(number)) for name, number in found)
    except ValueError:
        rates = (("", 0.0),)
    if not all(name and 0 < rate < 1_000_000 for name, rate in rates):
        raise ValueError("must look like vod=15,mts=50: calls per second by product, more than 0")
    _check_names([name for name, _ in rates], PRODUCTS)
    return rates


Rates = Annotated[tuple[tuple[str, float], ...], BeforeValidator(_rates)]


def _plan(value: object) -> DeliveryPlan:
    return value if isinstance(value, DeliveryPlan) else _read_plan(str(value))


@lru_cache(maxsize=1)  # settings are read by every invocation, and this is the longest of them
def _read_plan(text: str) -> DeliveryPlan:
    return DeliveryPlan.parse(text, kinds=KINDS)


Plan = Annotated[DeliveryPlan, PlainValidator(_plan)]


def _keys(value: object, info: ValidationInfo) -> object:
    """Read `{"target": ["new key", "old key"]}`, each for an https target of the plan."""
    if not isinstance(value, str):
        return value
    try:
        tree = strict_json.parse(value)
    except ParseError as error:
        raise ValueError(error.reason) from None
    keys = {name: texts(listed, "a target's keys") for name, listed in an_object(tree, "the keys").items()}
    if not all(len(listed) <= signature.MOST_KEYS for listed in keys.values()):
        raise ValueError("a target has one key or two")
    if not all(signature.is_strong(key) for listed in keys.values() for key in listed):
        raise ValueError(f"a key must be {signature.KEY_FORM}")
    plan = info.data.get("delivery")  # missing where it is wrong, of which its own error tells
    signed = sorted(target.name for target in plan.targets if target.kind == "https") if plan else keys
    if not keys.keys() <= set(signed):
        # The name is not shown: it is the key, where somebody took one for the other.
        raise ValueError(f"keys are for https targets of LEDGER_DELIVERY: {', '.join(signed) or 'none'}")
    return tuple(keys.items())


Keys = Annotated[tuple[tuple[str, tuple[SecretStr, ...]], ...], BeforeValidator(_keys)]
