"""The settings of the function `console`: who may look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from shared.console.access import Access, ClosedAccess, TokenAccess
from shared.errors import ParseError
from shared.inbound.json_web_keys import KeySet
from shared.inbound.json_web_tokens import TokenRules
from shared.setting_values import read_settings


def _key_set(value: object) -> object:
    """Read a JSON Web Key Set."""
    if not isinstance(value, str):
        return value
    try:
        return KeySet.parse(value)
    except ParseError as error:
        raise ValueError(str(error)) from None


class ConsoleSettings(BaseModel):
    """What only `console` reads, as `Settings` otherwise. Unset, nobody is let in."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    jwks: Annotated[KeySet | None, PlainValidator(_key_set)] = Field(None, alias="LEDGER_CONSOLE_JWKS")
    """The public keys of whoever issues tokens, as a JSON Web Key Set."""
    audience: str = Field("media-ledger", alias="LEDGER_CONSOLE_AUDIENCE")
    """What a token must name as its audience."""
    issuer: str | None = Field(None, alias="LEDGER_CONSOLE_ISSUER")
    """What a token must name as its issuer; unset, it may be anybody who has one of the keys."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> ConsoleSettings:
        """Validate a mapping of environment variables; raise `SettingError` naming what is wrong."""
        return read_settings(cls, environment)

    def access(self) -> Access:
        """Give who is let in."""
        if self.jwks is None or not self.jwks.keys:
            return ClosedAccess()
        return TokenAccess(TokenRules(self.jwks, self.audience, self.issuer))
