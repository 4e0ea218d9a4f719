"""What is asked of a vendor API and what it answered, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.toolkit import message

REGION_PATTERN = message.REGION_PATTERN
"""What a region may look like: it becomes a part of the host that gets signed requests."""

USER_ID_PATTERN = message.ACCOUNT_PATTERN
"""What the number of an account looks like."""

Format = Literal["json", "xml", "txt"]


@dataclass(frozen=True)
class ApiRequest:
    """One RPC call: which product, which version, which action, with which parameters.

    `form` are parameters that travel in the body: those that may be too long for a URL. `user_id` is the
    account that is asked for, where it is known; None for our own.
    """

    product: str
    version: str
    action: str
    params: Mapping[str, str] = field(default_factory=dict)
    region: str | None = None
    user_id: str | None = None
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """One raw document that a record is made from, exactly as it was received.

    `name` is the first half of every `source` in the record: `answer` for the query's answer,
    `output` for a result file.
    """

    name: str
    format: Format
    body: bytes


@dataclass(frozen=True)
class ApiAnswer:
    """A successful answer. `request_id` is what the vendor's support asks for first."""

    part: Part
    request_id: str | None = None
