"""Every setting: one frozen model, validated from a mapping, failing with the variable's name.

Only `bootstrap` and the command line read this. A value that is a secret is never shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from shared.errors import SettingError
from shared.kinds import KINDS
from shared.vendor import REGION_PATTERN, USER_ID_PATTERN

_SHOWN = 40


def _location(scheme: str) -> object:
    def check(value: str | None) -> str | None:
        if value is not None and not value.startswith(f"{scheme}:///"):
            raise ValueError(f"must look like {scheme}:///path")
        return value

    return AfterValidator(check)


_PRODUCTS = frozenset(kind.product for kind in KINDS.values())

Pairs = tuple[tuple[str, str], ...]


def _pairs(*schemes: str, known: Collection[str], example: str) -> Callable[[object], object]:
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


Rates = tuple[tuple[str, float], ...]


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
    _check_names([name for name, _ in rates], _PRODUCTS)
    return rates


class Settings(BaseModel):
    """What can be set, by environment variable (the alias). Unset or empty means the default."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    objects: Annotated[str, _location("file")] = Field(alias="LEDGER_OBJECTS")
    """Where the archive is: `file:///folder`."""
    tables: Annotated[str, _location("sqlite")] = Field(alias="LEDGER_TABLES")
    """Where the ledger is: `sqlite:///file`."""
    region: str | None = Field(None, alias="LEDGER_REGION", pattern=f"^{REGION_PATTERN}$")
    """Region of jobs for which neither track, trigger nor FC context names one."""
    user_id: str | None = Field(None, alias="LEDGER_USER_ID", pattern=f"^{USER_ID_PATTERN}$")
    """Account of jobs for which neither track nor trigger names one."""
    endpoints: Annotated[
        Pairs, BeforeValidator(_pairs("http://", "https://", known=_PRODUCTS, example="vod=http://host:port"))
    ] = Field((), alias="LEDGER_ENDPOINTS")
    """Vendor endpoints by product, instead of the regional ones."""
    signature: Literal["acs3", "rpc1"] = Field("acs3", alias="LEDGER_SIGNATURE")
    """How requests are signed: ACS3-HMAC-SHA256, or RPC 1.0 HMAC-SHA1."""
    answer_format: Literal["json", "xml"] = Field("json", alias="LEDGER_ANSWER_FORMAT")
    result_files: Annotated[str | None, _location("file")] = Field(None, alias="LEDGER_RESULT_FILES")
    """Where files that jobs wrote into the user's buckets are read: `file:///folder`."""
    outputs: Annotated[
        Pairs,
        BeforeValidator(
            _pairs("oss://", known=KINDS, example="mts.video_quality=oss://bucket.oss-region.aliyuncs.com/")
        ),
    ] = Field((), alias="LEDGER_OUTPUTS")
    """Where jobs of a kind write, for those whose submission nobody announced."""
    quality_sources: Names = Field(frozenset(), alias="LEDGER_VIDEO_QUALITY_SOURCES")
    """Queues and topics that carry callbacks of video quality jobs."""
    quality_pipelines: Names = Field(frozenset(), alias="LEDGER_VIDEO_QUALITY_PIPELINES")
    """Pipelines that run video quality jobs."""
    trust_env: bool = Field(default=False, alias="LEDGER_TRUST_ENV")
    """Whether HTTP_PROXY, .netrc and the like are followed."""
    retry_after_unit_ms: int = Field(1000, alias="LEDGER_RETRY_AFTER_UNIT_MS", gt=0)
    """What one unit of `x-acs-retry-after` is; the vendor does not say."""
    workers: int = Field(8, alias="LEDGER_WORKERS", ge=1, le=64)
    """How many calls one invocation makes beside each other."""
    lease_seconds: int = Field(60, alias="LEDGER_LEASE_SECONDS", ge=10, le=3600)
    """How long one holder may take to settle a job."""
    call_rates: Annotated[Rates, BeforeValidator(_rates)] = Field((), alias="LEDGER_CALL_RATES")
    """Calls per second that the account may make, by product, where they are not the usual ones."""
    callback_instances: int = Field(10, alias="LEDGER_CALLBACK_INSTANCES", ge=1, le=1_000)
    """How many instances share these calls' part of callbacks: those of `callback`, and those of `reconcile`
    that settle jobs by name."""
    fan_out_at: int | None = Field(None, alias="LEDGER_FAN_OUT_AT", ge=1)
    """How many due jobs make the timer's run hand its work to shards; unset for never."""
    clock: str | None = Field(None, alias="LEDGER_CLOCK")
    """A file that tells the time, for demonstrations and tests on local stores."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO", alias="LEDGER_LOG_LEVEL"
    )
    access_key_id: str | None = Field(None, alias="ALIBABA_CLOUD_ACCESS_KEY_ID")
    access_key_secret: SecretStr | None = Field(None, alias="ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    security_token: SecretStr | None = Field(None, alias="ALIBABA_CLOUD_SECURITY_TOKEN")

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Validate a mapping of environment variables; raise `SettingError` naming what is wrong."""
        names = {field.alias for field in cls.model_fields.values()}
        try:
            return cls.model_validate({n: v for n, v in environment.items() if n in names and v})
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False, include_context=False)
            told = "; ".join(f"{_name(one['loc'])}: {one['msg']}" for one in wrong)
            raise SettingError(f"wrong settings: {told}") from None


def _name(location: tuple[int | str, ...]) -> str:
    return str(location[0]) if location else "settings"
