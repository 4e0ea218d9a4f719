"""The settings of the function `webhook`: whose HTTP callbacks are taken in, and how often."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from shared import places
from shared.inbound.senders import Senders, Topic
from shared.inbound.signatures import KeyedSender, Product
from shared.places import Folder
from shared.policy import SECOND
from shared.setting_values import Names, Pairs, pairs_of, place_of, read_settings
from shared.toolkit.message import ACCOUNT_PATTERN, REGION_PATTERN

PRODUCTS: tuple[Product, ...] = ("vod", "ice")
"""Who signs with a key of ours."""

_KEY = re.compile(r"[!-+\--~]{1,128}")  # without a comma, which separates them
_MOST_KEYS = 2
_TOPIC = re.compile(
    rf"acs:mns:(?P<region>{REGION_PATTERN}):(?P<account>{ACCOUNT_PATTERN}):/?topics/(?P<name>[A-Za-z0-9-]{{1,255}})"
)


def _keys(value: object) -> object:
    """Read a key, or the new and the old one."""
    if not isinstance(value, str):
        return value
    keys = value.split(",")
    if len(keys) > _MOST_KEYS or not all(_KEY.fullmatch(key) for key in keys):
        raise ValueError("must be a key, or a new and an old one with a comma between, without blanks")
    return tuple(keys)


def _topics(value: object) -> object:
    """Read topics by their ARNs, several of them separated by commas."""
    if not isinstance(value, str):
        return value
    found = [_TOPIC.fullmatch(arn.strip()) for arn in value.split(",") if arn.strip()]
    topics = tuple(Topic(one["region"], one["account"], one["name"]) for one in found if one is not None)
    if len(topics) < len(found):
        raise ValueError(
            "must look like acs:mns:cn-shanghai:1000000000000001:/topics/name, several separated by commas"
        )
    return topics


CallbackKeys = Annotated[tuple[SecretStr, ...], BeforeValidator(_keys)]


class WebhookSettings(BaseModel):
    """What only `webhook` reads, as `Settings` otherwise. Unset, nobody's callbacks are taken in."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    vod_callback_key: CallbackKeys = Field((), alias="LEDGER_VOD_CALLBACK_KEY")
    """What VOD signs its callbacks with, as its console has it; while it is changed, the new and the old."""
    ice_callback_key: CallbackKeys = Field((), alias="LEDGER_ICE_CALLBACK_KEY")
    callback_urls: Annotated[
        Pairs,
        BeforeValidator(
            pairs_of("http://", "https://", known=PRODUCTS, example="vod=https://callbacks.example/vod")
        ),
    ] = Field((), alias="LEDGER_CALLBACK_URLS")
    """What was entered in the consoles, where requests come in by another address."""
    unsigned_callbacks: Names = Field(frozenset(), alias="LEDGER_UNSIGNED_CALLBACKS")
    """Which of the two may send without a signature."""
    push_topics: Annotated[tuple[Topic, ...], BeforeValidator(_topics)] = Field(
        (), alias="LEDGER_PUSH_TOPICS"
    )
    """Topics whose pushes are taken in."""
    push_certificates: Annotated[Folder | None, place_of(places.push_certificates)] = Field(
        None, alias="LEDGER_PUSH_CERTIFICATES"
    )
    """A folder of certificates instead of the vendor's server, for the local cloud."""
    callback_window_seconds: int = Field(300, alias="LEDGER_CALLBACK_WINDOW_SECONDS", ge=10, le=3600)
    """How far the time of a VOD or ICE signature may be off."""
    source_rate: float = Field(200.0, alias="LEDGER_SOURCE_RATE", gt=0, le=10_000)
    """Requests per second that one instance takes from one address."""

    @model_validator(mode="after")
    def _check_unsigned(self) -> WebhookSettings:
        """Refuse what would never be looked up, and a key that anybody may do without."""
        for name in sorted(self.unsigned_callbacks):
            if name not in PRODUCTS:
                raise ValueError(f"LEDGER_UNSIGNED_CALLBACKS: known are {', '.join(PRODUCTS)}")
            if self._keys_of(name):
                variable = f"LEDGER_{name.upper()}_CALLBACK_KEY"
                raise ValueError(
                    f"{variable} is of no use while LEDGER_UNSIGNED_CALLBACKS names {name}: drop one of them"
                )
        return self

    def _keys_of(self, product: str) -> tuple[SecretStr, ...]:
        return self.vod_callback_key if product == "vod" else self.ice_callback_key

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> WebhookSettings:
        """Validate a mapping of environment variables; raise `SettingError` naming what is wrong."""
        return read_settings(cls, environment)

    def senders(self) -> Senders:
        """Give whose callbacks are taken in; with it go the keys."""
        urls = dict(self.callback_urls)
        keyed = {
            product: KeyedSender(
                product,
                tuple(key.get_secret_value() for key in self._keys_of(product)),
                urls.get(product),
                may_be_unsigned=product in self.unsigned_callbacks,
            )
            for product in PRODUCTS
        }
        return Senders(keyed, self.push_topics, self.callback_window_seconds * SECOND)
