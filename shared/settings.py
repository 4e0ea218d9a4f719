"""Every setting but those of `webhook` alone: one frozen model, validated from a mapping.

Only `bootstrap` and the command line read this. An error names the variable, and shows no secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from shared import places
from shared.delivery.rules import DeliveryPlan
from shared.kinds import KINDS
from shared.places import Bucket, EveryBucket, Fc2, Fc3, Folder, Inline, Instance, SqliteFile
from shared.setting_values import (
    SERVICES,
    Days,
    HostRules,
    Keys,
    Kinds,
    MnsAddress,
    Names,
    Networks,
    Pairs,
    Plan,
    Rates,
    Roles,
    includes_loopback,
    pairs_of,
    place_of,
    read_settings,
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
    workers: int = Field(16, alias="LEDGER_WORKERS", ge=1, le=64)
    """How much one invocation works on at once: messages of a batch, jobs, pictures."""
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
    evidence_days: Days = Field((), alias="LEDGER_EVIDENCE_DAYS")
    """How many days after a job's end its evidence can be had, by kind, where it is not 14; 0 keeps none."""
    copy_outputs: Kinds = Field(frozenset(), alias="LEDGER_COPY_OUTPUTS")
    """Kinds whose outputs are kept too, copied out of the buckets that their jobs wrote into."""
    evidence_hosts: HostRules = Field((), alias="LEDGER_EVIDENCE_HOSTS")
    """Hosts that evidence may be fetched from, beside the vendor's own."""
    evidence_networks: Networks = Field((), alias="LEDGER_EVIDENCE_NETWORKS")
    """Networks in which these hosts may be, though they are not public."""
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
    def _check_networks(self) -> Settings:
        """Refuse a way to the machine of a function: Function Compute's own server answers there."""
        is_deployed = isinstance(self.objects, Bucket) and not self._has_local_archive
        if is_deployed and includes_loopback(self.evidence_networks):
            raise ValueError(
                "LEDGER_EVIDENCE_NETWORKS includes this machine itself: only with an archive on it"
            )
        return self

    @model_validator(mode="after")
    def _check_outputs(self) -> Settings:
        """Refuse to be told of a kind that its outputs are kept, and that nothing is."""
        dropped = {kind for kind, days in self.evidence_days if not days}
        for kind in sorted(self.copy_outputs & dropped):
            raise ValueError(f"LEDGER_COPY_OUTPUTS names {kind}, of which LEDGER_EVIDENCE_DAYS keeps nothing")
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
    def _has_local_archive(self) -> bool:
        """Tell whether OSS is a server on this machine, as in a local cloud."""
        return dict(self.endpoints).get("oss", "").startswith("http://127.0.0.1:")

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
        return read_settings(cls, environment)


def _secret(held: SecretStr | None) -> str | None:
    return None if held is None else held.get_secret_value()
