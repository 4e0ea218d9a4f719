"""Every setting: one frozen model, validated from a mapping, failing with the variable's name.

Only `bootstrap` and the command line read this. A value that is a secret is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from shared import places
from shared.delivery.rules import DeliveryPlan
from shared.errors import SettingError
from shared.kinds import KINDS
from shared.places import Bucket, EveryBucket, Fc2, Fc3, Folder, Inline, Instance, SqliteFile
from shared.setting_values import (
    SERVICES,
    Keys,
    MnsAddress,
    Names,
    Pairs,
    Plan,
    Rates,
    Roles,
    pairs_of,
    place_of,
)
from shared.toolkit.context import Credentials
from shared.vendor import REGION_PATTERN, USER_ID_PATTERN


class Settings(BaseModel):
    """What can be set, by environment variable (the alias). Unset or empty means the default."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    objects: Annotated[Folder | Bucket, place_of(places.objects)] = Field(alias="LEDGER_OBJECTS")
    """Where the archive is: `file:///folder` or `oss://bucket/prefix`."""
    tables: Annotated[SqliteFile | Instance, place_of(places.tables)] = Field(alias="LEDGER_TABLES")
    """Where the ledger is: `sqlite:///file` or `ots://instance`."""
    invoker: Annotated[Inline | Fc3 | Fc2, place_of(places.invoker)] = Field(Inline(), alias="LEDGER_INVOKER")
    """Where our functions are: `inline:`, `fc3:` or `fc2://service`."""
    region: str | None = Field(None, alias="LEDGER_REGION", pattern=f"^{REGION_PATTERN}$")
    """Region of places whose URL names none, and of jobs of which neither track, trigger nor FC tells."""
    user_id: str | None = Field(None, alias="LEDGER_USER_ID", pattern=f"^{USER_ID_PATTERN}$")
    """Account of our functions, and of jobs for which neither track nor trigger names one."""
    endpoints: Annotated[
        Pairs,
        BeforeValidator(pairs_of("http://", "https://", known=SERVICES, example="vod=http://host:port")),
    ] = Field((), alias="LEDGER_ENDPOINTS")
    """Endpoints by product or service, instead of the regional ones."""
    roles: Roles = Field((), alias="LEDGER_ROLES")
    """Roles to ask for other accounts' jobs with, by account."""
    signature: Literal["acs3", "rpc1"] = Field("acs3", alias="LEDGER_SIGNATURE")
    """How requests are signed: ACS3-HMAC-SHA256, or RPC 1.0 HMAC-SHA1."""
    answer_format: Literal["json", "xml"] = Field("json", alias="LEDGER_ANSWER_FORMAT")
    result_files: Annotated[Folder | EveryBucket | None, place_of(places.result_files)] = Field(
        None, alias="LEDGER_RESULT_FILES"
    )
    """Where files that jobs wrote into the user's buckets are read: `file:///folder`, or `oss:` itself."""
    outputs: Annotated[
        Pairs,
        BeforeValidator(
            pairs_of("oss://", known=KINDS, example="mts.video_quality=oss://bucket.oss-region.aliyuncs.com/")
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
    call_rates: Rates = Field((), alias="LEDGER_CALL_RATES")
    """Calls per second that the account may make, by product, where they are not the usual ones."""
    callback_instances: int = Field(10, alias="LEDGER_CALLBACK_INSTANCES", ge=1, le=1_000)
    """How many instances share these calls' part of callbacks: those of `callback`, and those of `reconcile`
    that settle jobs by name."""
    fan_out_at: int | None = Field(None, alias="LEDGER_FAN_OUT_AT", ge=1)
    """How many due jobs make the timer's run hand its work to shards; unset for never."""
    delivery: Plan = Field(DeliveryPlan(), alias="LEDGER_DELIVERY")
    """Who is told of settled jobs, and by which rules (`shared.delivery.rules`); nobody, if unset."""
    delivery_keys: Keys = Field((), alias="LEDGER_DELIVERY_KEYS")
    """What deliveries to https targets are signed with; only who delivers needs it."""
    mns: MnsAddress | None = Field(None, alias="LEDGER_MNS")
    """Where the account's queues and topics are: `https://<account>.mns.<region>.aliyuncs.com`."""
    dead_letters: Names = Field(frozenset(), alias="LEDGER_DEAD_LETTERS")
    """Queues that hold what no retry could take in, which `media-ledger redrive` puts back."""
    clock: str | None = Field(None, alias="LEDGER_CLOCK")
    """A file that tells the time, for demonstrations and tests on local stores."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO", alias="LEDGER_LOG_LEVEL"
    )
    access_key_id: str | None = Field(None, alias="ALIBABA_CLOUD_ACCESS_KEY_ID")
    access_key_secret: SecretStr | None = Field(None, alias="ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    security_token: SecretStr | None = Field(None, alias="ALIBABA_CLOUD_SECURITY_TOKEN")

    @model_validator(mode="after")
    def _check_region_and_account(self) -> Settings:
        """Refuse a service that nobody could find the address of."""
        for name, place in (
            ("LEDGER_OBJECTS", self.objects),
            ("LEDGER_TABLES", self.tables),
            ("LEDGER_INVOKER", self.invoker),
        ):
            if isinstance(place, Bucket | Instance | Fc3 | Fc2) and not (place.network.region or self.region):
                raise ValueError(f"{name} needs a region: add ?region=cn-shanghai, or set LEDGER_REGION")
        if isinstance(self.invoker, Fc3 | Fc2) and not (self.invoker.account or self.user_id):
            raise ValueError("LEDGER_INVOKER needs an account: add ?account=<number>, or set LEDGER_USER_ID")
        return self

    @model_validator(mode="after")
    def _check_key(self) -> Settings:
        """Refuse half a key, with which we would be somebody else, and one that an error would show."""
        texts = {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": self.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": _secret(self.access_key_secret),
            "ALIBABA_CLOUD_SECURITY_TOKEN": _secret(self.security_token),
        }
        for name, text in texts.items():
            if text is not None and not re.fullmatch("[!-~]+", text):
                raise ValueError(f"{name} has a space, a line end or another character that no key has")
        key_id, secret, _ = texts
        there, missing = (key_id, secret) if texts[secret] is None else (secret, key_id)
        if texts[missing] is None and texts[there] is not None:
            raise ValueError(f"{there} is set without {missing}: set both, or neither")
        return self

    @property
    def keys(self) -> Credentials | None:
        """Give the keys that are set, if they are."""
        if not self.access_key_id or self.access_key_secret is None:
            return None
        return Credentials(
            self.access_key_id, self.access_key_secret.get_secret_value(), _secret(self.security_token)
        )

    def without_keys(self) -> Settings:
        """Give all but the keys, which are others with every invocation."""
        return self.model_copy(
            update={"access_key_id": None, "access_key_secret": None, "security_token": None}
        )

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Validate a mapping of environment variables; raise `SettingError` naming what is wrong."""
        names = {field.alias for field in cls.model_fields.values()}
        try:
            return cls.model_validate({n: v for n, v in environment.items() if n in names and v})
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False, include_context=False)
            told = "; ".join(_told(one["loc"], one["msg"]) for one in wrong)
            raise SettingError(f"wrong settings: {told}") from None


def _secret(held: SecretStr | None) -> str | None:
    return None if held is None else held.get_secret_value()


def _told(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    # What is about several variables names them itself.
    return f"{location[0]}: {message}" if location else message
