"""What is asked of a vendor API and what it answered, as plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from shared.toolkit import message

REGION_PATTERN = message.REGION_PATTERN
"""What a region may look like: it becomes a part of the host that gets signed requests."""

USER_ID_PATTERN = message.ACCOUNT_PATTERN
"""What the number of an account looks like."""

_CHUNK_BYTES = 256 * 1024

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

    @property
    def sha256(self) -> str:
        """Give the content address of its bytes, 64 hex."""
        return hashlib.sha256(self.body).hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """Give its bytes piece by piece."""
        for at in range(0, len(self.body), _CHUNK_BYTES):
            yield self.body[at : at + _CHUNK_BYTES]


class LargePart(Part):
    """A part that memory has no room for: read anew each time its bytes are needed.

    What knows nothing of it, and asks for `body`, gets all of it.
    """

    def __init__(
        self,
        name: str,
        form: Format,
        read: Callable[[], Iterator[bytes]],
        open_file: Callable[[], BinaryIO],
        sha256: str,
    ) -> None:
        # As a frozen dataclass does it.
        values = {"name": name, "format": form, "_read": read, "open": open_file, "_sha256": sha256}
        self.__dict__.update(values)

    _read: Callable[[], Iterator[bytes]]
    _sha256: str
    open: Callable[[], BinaryIO]
    """Gives a seekable file of its bytes, to be closed."""

    @property
    def body(self) -> bytes:
        """Read all of it into memory."""
        return b"".join(self.chunks())

    @property
    def sha256(self) -> str:
        """See `Part.sha256`."""
        return self._sha256

    def chunks(self) -> Iterator[bytes]:
        """See `Part.chunks`."""
        return self._read()


@dataclass(frozen=True)
class ApiAnswer:
    """A successful answer. `request_id` is what the vendor's support asks for first."""

    part: Part
    request_id: str | None = None
