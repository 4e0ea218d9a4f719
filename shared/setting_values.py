"""What the text of a variable may be, and what is made of it; an error says what is allowed, no secret."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_network
from typing import Annotated, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    PlainValidator,
    SecretStr,
    ValidationError,
    ValidationInfo,
)

from shared.delivery import signature
from shared.delivery.rules import DeliveryPlan
from shared.delivery.words import an_object, texts
from shared.downloads import HostRule, Network
from shared.errors import SettingError
from shared.kinds import KINDS
from shared.toolkit import strict_json
from shared.toolkit.parser import ParseError
from shared.vendor import USER_ID_PATTERN

_SHOWN = 40

Model = TypeVar("Model", bound=BaseModel)


def read_settings(model: type[Model], environment: Mapping[str, str]) -> Model:
    """Validate environment variables, named by aliases; raise `SettingError` naming what is wrong."""
    names = {field.alias for field in model.model_fields.values()}
    try:
        return model.model_validate({n: v for n, v in environment.items() if n in names and v})
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)
        told = "; ".join(_told(one["loc"], one["msg"]) for one in wrong)
        raise SettingError(f"wrong settings: {told}") from None


def _told(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    # What is about several variables names them itself.
    return f"{location[0]}: {message}" if location else message


def place_of(read: Callable[[str], object]) -> object:
    """Read a URL; what is a place already stays one."""
    return PlainValidator(lambda value: read(value) if isinstance(value, str) else value)


PRODUCTS = frozenset(kind.product for kind in KINDS.values())
SERVICES = frozenset({*PRODUCTS, "fc", "oss", "ots", "ros", "sts"})

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


def _kinds(value: object) -> object:
    """Read kinds separated by commas."""
    names = _names(value)
    if isinstance(names, frozenset):
        _check_names(sorted(names), KINDS)
    return names


Kinds = Annotated[frozenset[str], BeforeValidator(_kinds)]


def _listed(read: Callable[[str], object], says: str) -> Callable[[object], object]:
    """Read entries separated by commas, each of them by `read`."""

    def read_all(value: object) -> object:
        if not isinstance(value, str):
            return value
        entries = [entry.strip() for entry in value.split(",") if entry.strip()]
        try:
            return tuple(dict.fromkeys(read(entry) for entry in entries))
        except ValueError:
            raise ValueError(f"must look like {says}, several of them separated by commas") from None

    return read_all


HostRules = Annotated[
    tuple[HostRule, ...],
    PlainValidator(_listed(HostRule.parse, "pictures.example.com, .example.com or 10.1.2.3:8080")),
]
Networks = Annotated[tuple[Network, ...], PlainValidator(_listed(ip_network, "10.0.0.0/8"))]


def includes_loopback(networks: Sequence[Network]) -> bool:
    """Tell whether this machine itself is in one of these networks."""
    return any(
        network.overlaps(ip_network("127.0.0.0/8" if network.version == 4 else "::1")) for network in networks
    )


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


_LONGEST_DAYS = 3_660


def _days(value: object) -> object:
    """Read `kind=days`, several of them separated by commas."""
    if not isinstance(value, str):
        return value
    found = [(name.strip(), number.strip()) for name, _, number in _split(value)]
    if not all(name and re.fullmatch("[0-9]{1,4}", number, re.ASCII) for name, number in found):
        raise ValueError("must look like vod.media_audit=14: whole days by kind, 0 to keep nothing")
    days = tuple((name, int(number)) for name, number in found)
    if any(number > _LONGEST_DAYS for _, number in days):
        raise ValueError(f"at most {_LONGEST_DAYS} days")
    _check_names([name for name, _ in days], KINDS)
    return days


Days = Annotated[tuple[tuple[str, int], ...], BeforeValidator(_days)]


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
