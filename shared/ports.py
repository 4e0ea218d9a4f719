"""What the use cases need from the world, as small Protocols. Their docstrings are the contract;
`tests/shared/adapters/` runs one contract test per port over every adapter.

All times are epoch milliseconds, UTC.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, Generic, Protocol, TypeVar

from shared.delivery.target_health import TargetHealth
from shared.delivery.targets import Dispatch, Target
from shared.downloads import Download, Downloads
from shared.errors import RefusedRequestError, SettingError
from shared.kinds.kind import Kind
from shared.policy import Policy
from shared.queues import NoQueues, Queues
from shared.tables import Index, Key, Row, Table
from shared.toolkit.lease_store import Change as Change
from shared.toolkit.lease_store import When as When
from shared.vendor import ApiAnswer, ApiRequest

T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """Rows in order, and where to go on; `after` is None at the end."""

    rows: Sequence[Row]
    after: Row | None = None


@dataclass(frozen=True)
class Done(Generic[T]):
    """How one task ended: with a value or with an error."""

    value: T | None = None
    error: Exception | None = None

    def result(self) -> T:
        """Give the value or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # T itself may be None


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> int:
        """Tell the present time in epoch milliseconds."""
        ...

    def sleep(self, ms: int) -> None:
        """Wait that many milliseconds."""
        ...


class ObjectStore(Protocol):
    """Keeps bytes under keys. There is no compare-and-swap, and nobody lists to find work.

    Keys are relative paths of UTF-8 text, at most 1,023 bytes, without empty, `.` or `..` segments;
    any other raises `ValueError`. A reader never sees half an object. Every method may raise
    `StoreUnavailableError`.
    """

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Store the object, replacing what stood there."""
        ...

    def put_new(self, key: str, body: bytes, *, content_type: str) -> bool:
        """Store the object if none stands there; tell whether this call stored it.

        For keys that contain the hash of their content both answers are success.
        """
        ...

    def get(self, key: str) -> bytes:
        """Read the whole object; raise `ObjectNotFoundError` when there is none."""
        ...

    def has(self, key: str) -> bool:
        """Tell whether an object stands under the key."""
        ...

    def keys(self, folder: str) -> Iterator[str]:
        """Give every key below a folder (`raw`, without a slash at its end), in ascending order.

        Keys are read as far as they are asked for. It is for comparing the archive with the ledger: a
        bucket's list may lag, and is billed by the page (tablestore-oss.md 2).
        """
        ...


@dataclass(frozen=True)
class ObjectInfo:
    """What is told of an object without reading it. `content_type` is None where it is not kept."""

    size: int
    modified: int
    content_type: str | None


class ObjectReads(Protocol):
    """Reads objects that are too large for memory: by their keys, or as `ResultFiles` by their addresses."""

    def chunks(self, name: str, /, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give the bytes from `start` up to `end`, which is left out; beyond the object's end there are none.

        Raise `StoreUnavailableError` when bytes went missing or were changed on the way: what came until
        then is worth nothing.
        """
        ...

    def info(self, name: str, /) -> ObjectInfo:
        """Tell what is known of an object; raise `ObjectNotFoundError` when there is none."""
        ...


class ObjectStreams(ObjectReads, Protocol):
    """Reads and writes objects that are too large for memory. Keys and errors are those of `ObjectStore`."""

    def put_file(self, key: str, file: BinaryIO, *, content_type: str) -> bool:
        """Store what a seekable file holds, from its start, if no object stands there; as `put_new`."""
        ...


class ObjectLinks(Protocol):
    """Makes links for somebody who looks now."""

    def link(self, key: str, *, seconds: int, saved_as: str | None = None) -> str:
        """Give an address at which the object can be read for so long, by whoever has it: never log it.

        A browser saves what is `saved_as` a name, instead of showing it. The address may end sooner, with the
        credentials that signed it. Whether there is an object is not asked.
        """
        ...


class ObjectRemoval(Protocol):
    """Takes objects away."""

    def remove(self, key: str) -> None:
        """Take the object away, if there is one."""
        ...


class Archive(ObjectStore, ObjectStreams, ObjectLinks, ObjectRemoval, Protocol):
    """All of an object store; what a function may do of it, its role says."""


class Ledger(Protocol):
    """Keeps rows, with conditional writes on one row and nothing across rows.

    Every method may raise `StoreUnavailableError`; a write may raise `OutcomeUnknownError`, after
    which only reading tells whether it happened; a read may raise `CorruptRowError` for what only
    somebody else can have written. Unknown columns, wrong value types, values over 2 MiB and an empty
    change raise `ValueError` before anything is written.
    """

    BATCH_LIMIT: int
    """Most rows of one `insert_many`; more raise `ValueError`."""
    PAGE_LIMIT: int
    """Most rows of one page; a larger `limit` is cut to it without a word."""

    def get(self, table: Table, key: Key) -> Row | None:
        """Read one row without its key columns, strongly consistent; None when it does not exist."""
        ...

    def insert(self, table: Table, key: Key, row: Row) -> bool:
        """Put the row if absent; tell whether this call put it."""
        ...

    def insert_many(self, table: Table, rows: Sequence[tuple[Key, Row]]) -> list[Done[bool]]:
        """Put each row if absent. Not atomic: each row has its own outcome, in order.

        A row that cannot be written is a `ValueError` in its own outcome; only a batch over the limit
        raises as a whole.
        """
        ...

    def update(self, table: Table, key: Key, change: Change, when: Sequence[When]) -> bool:
        """Change columns of an existing row if all conditions hold; tell whether they did.

        One column against one constant: nothing else is possible on Tablestore, where a missing column
        passes unless told otherwise. False means that somebody else won: it is an answer, never to be
        retried as it is.
        """
        ...

    def scan(
        self,
        table: Table,
        index: Index,
        partition: str,
        *,
        upto: int,
        limit: int,
        after: Row | None = None,
        newest_first: bool = False,
    ) -> Page:
        """Read a partition of an index in ascending position, up to and including `upto`.

        With `newest_first` in descending order, from `upto` on. `after` continues in either, behind a place
        where a row may have been or not. Rows hold the index columns, the table's key and what the index
        covers. An index lags: what it says is a
        hint, and what it leaves out may exist.
        """
        ...

    def under(
        self,
        table: Table,
        first: str,
        *,
        columns: Sequence[str],
        limit: int,
        after: Row | None = None,
    ) -> Page:
        """Read the rows whose first key column is `first`, in order of the rest of their keys.

        Strongly consistent. `after` continues behind a key, whether there is such a row or not. Rows hold the
        table's key and what they have of `columns`.
        """
        ...


class Invoker(Protocol):
    """Starts another function without waiting for it."""

    def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
        """Hand the payload over; False when a task of that id was accepted before.

        Raise `OutcomeUnknownError` when it may or may not have been accepted; any other `FunctionError`
        says that it was not.
        """
        ...


class MediaApi(Protocol):
    """Asks a vendor API, signed, within a deadline."""

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """Call once, trying again on what is temporary as long as `deadline` allows.

        Raise `VendorUnavailableError` or `ThrottledError` (later), `JobNotFoundError` or another
        `PermanentError` (this job), `MisconfiguredError` (us).
        """
        ...


LARGE_FILE = 4 * 1024**2
"""Bytes of a result file beyond which it is never held in memory."""


class ResultFiles(Protocol):
    """Reads files that vendor jobs wrote into the user's own buckets."""

    def read(self, uri: str) -> bytes:
        """Read a whole file at `oss://bucket.oss-region.aliyuncs.com/key`, of at most `LARGE_FILE` bytes.

        Raise `ObjectNotFoundError` when it is not there, `FileTooLargeError` when it is larger,
        `SettingError` when no such place can be read from here, `StoreUnavailableError` for now.
        """
        ...


class NoLargeFiles:
    """Reads no large files: what services have whose result files are all at hand."""

    def chunks(self, name: str, /, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `ObjectReads.chunks`."""
        raise SettingError("no large file can be read from here", file=name[:200])

    def info(self, name: str, /) -> ObjectInfo:
        """See `ObjectReads.info`."""
        raise SettingError("no large file can be read from here", file=name[:200])


class EventSender(Protocol):
    """Hands an event to a target outside."""

    def send(self, target: Target, dispatch: Dispatch, *, deadline: int) -> None:
        """Deliver once; return when the target has taken it. The target's own time limit holds too.

        Raise `TargetUnavailableError` (later, with the target's own wish in `retry_after_ms`),
        `TargetRefusedError` (never), `MisconfiguredError` (us).
        """
        ...


class NoSender:
    """Sends nothing: what services have that are not built to deliver."""

    def send(self, target: Target, dispatch: Dispatch, *, deadline: int) -> None:
        """See `EventSender.send`."""
        raise SettingError("nothing can be delivered from here", target=target.name)


class NoDownloads:
    """Fetches nothing: what services have that are not built to keep evidence."""

    def download(self, url: str, *, deadline: int) -> AbstractContextManager[Download]:
        """See `Downloads.download`."""
        raise SettingError("nothing can be fetched from here")


class PushCertificates(Protocol):
    """Gets the certificates that MNS signs its pushes with."""

    def get(self, url: str, *, source: str, deadline: int) -> bytes:
        """Get the certificate at an address that `shared.inbound.signatures` took for one of MNS's.

        `source` names who sends the push. Raise `RefusedRequestError` when none is there, or too many were
        asked for just now, `StoreUnavailableError` for now.
        """
        ...


class NoPushCertificates:
    """Gets none: what services have that take no pushes."""

    def get(self, url: str, *, source: str, deadline: int) -> bytes:
        """See `PushCertificates.get`."""
        raise RefusedRequestError("no pushes are taken in here", why="no_topic")


class Admission(Protocol):
    """Keeps everybody within a budget."""

    def admits(self, name: str) -> bool:
        """Tell whether one more of this name is within its budget, and take it from there."""
        ...


class AdmitsAll:
    """Has no budget."""

    def admits(self, name: str) -> bool:
        """See `Admission.admits`."""
        return True


class Parallel(Protocol):
    """Runs independent tasks beside each other, or one after the other where order must be fixed."""

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[Done[T]]:
        """Run all tasks to their end and give each one's outcome, in the order of `tasks`."""
        ...


@dataclass(frozen=True)
class Services:
    """All that a use case may touch. Built by `shared.bootstrap`, or by a test."""

    objects: Archive
    ledger: Ledger
    media_api: MediaApi
    result_files: ResultFiles
    invoker: Invoker
    clock: Clock
    parallel: Parallel
    random: random.Random
    kinds: Mapping[str, Kind]
    policy: Policy
    deadline: int
    sender: EventSender = field(default_factory=NoSender)
    target_health: TargetHealth = field(default_factory=TargetHealth)
    queues: Queues = field(default_factory=NoQueues)
    downloads: Downloads = field(default_factory=NoDownloads)
    large_files: ObjectReads = field(default_factory=NoLargeFiles)
    """Result files by their addresses, for those that `result_files` does not read."""
    hearsay: Admission = field(default_factory=AdmitsAll)
    """How often a product may be asked about jobs that an unsigned body alone has named."""
