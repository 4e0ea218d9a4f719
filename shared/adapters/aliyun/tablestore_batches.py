"""Many rows in few calls. A batch is not atomic: each row has its own answer, and may be sent again alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.adapters.aliyun.tablestore_errors import Failure, Fate, refused
from shared.adapters.aliyun.tablestore_instance import TablestoreInstance, Tries, failure_of
from shared.adapters.aliyun.tablestore_rows import MAX_WRITE_BYTES, SdkKey, condition
from shared.adapters.aliyun.tablestore_sdk import load_sdk
from shared.ports import Done
from shared.tables import Key


@dataclass
class Insertion:
    """A row to put if absent, and what became of it so far. `place` is its own in the caller's list."""

    place: int
    key: Key
    sdk_key: SdkKey
    columns: SdkKey
    size: int
    in_doubt: bool = False


def insert_all(
    instance: TablestoreInstance, table: str, rows: Iterable[Insertion]
) -> Mapping[int, Done[bool]]:
    """Put each row if absent; give each one's outcome by its place."""
    tries = instance.tries()
    outcomes: dict[int, Done[bool]] = {}
    for batch in _batches(rows):
        outcomes.update(_insert(instance, table, batch, tries))
    return outcomes


def _batches(rows: Iterable[Insertion]) -> Iterator[list[Insertion]]:
    """Divide rows so that no batch is too large, or has two rows of one key, which would be refused."""
    batch: list[Insertion] = []
    for row in rows:
        total = sum(one.size for one in batch) + row.size
        if batch and (total > MAX_WRITE_BYTES or any(one.key == row.key for one in batch)):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _insert(
    instance: TablestoreInstance, table: str, batch: Sequence[Insertion], tries: Tries
) -> Iterator[tuple[int, Done[bool]]]:
    waiting = list(batch)
    while waiting:
        failures = _failures(instance, table, waiting)
        failed: list[tuple[Insertion, Failure]] = []
        for row, failure in zip(waiting, failures, strict=True):
            if failure is None:
                yield row.place, Done(value=True)
            elif failure.fate is Fate.LOST and not row.in_doubt:
                yield row.place, Done(value=False)
            else:
                row.in_doubt = row.in_doubt or failure.fate is Fate.DOUBT
                failed.append((row, failure))
        again = [row for row, failure in failed if failure.fate in (Fate.AGAIN, Fate.DOUBT)]
        waiting = again if again and tries.wait() else []
        for row, failure in failed:
            if row not in waiting:
                error = failure.error(in_doubt=row.in_doubt, instance=instance.name, table=table)
                yield row.place, Done(error=error)


def _failures(instance: TablestoreInstance, table: str, rows: Sequence[Insertion]) -> list[Failure | None]:
    """Send a batch; tell how each row failed, None for those that were put."""
    sdk = load_sdk()
    puts = [sdk.PutRowItem(sdk.Row(row.sdk_key, row.columns), condition("EXPECT_NOT_EXIST")) for row in rows]
    request = sdk.BatchWriteRowRequest()
    request.add(sdk.TableInBatchWriteRowItem(table, puts))
    try:
        answers: Sequence[Any] = instance.client().batch_write_row(request).get_put_by_table(table)
    except Exception as error:
        return [failure_of(error)] * len(rows)
    return [
        None if answer.is_ok else refused(200, answer.error_code, answer.error_message) for answer in answers
    ]
