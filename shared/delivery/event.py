"""The body of a delivery: one CloudEvent 1.0 for one record version, in structured JSON.

It is small: what became of the job, and where the record and the raw answers lie in the archive. The
same version always gives the same bytes, however often it is sent and from wherever. What each field
means to a consumer is in docs/consuming.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from shared.delivery.targets import Target
from shared.jobs import JobRef

SCHEMA_VERSION = 1
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
TOO_LARGE = "too large"


@dataclass(frozen=True)
class SettledVersion:
    """A record version: the `number`-th of its job, settled at `settled_at`, and where it lies."""

    ref: JobRef
    number: int
    digest: str
    settled_at: int
    record_key: str
    raw_keys: tuple[str, ...]


def event_id(job_key: str, digest: str) -> str:
    """Give the id of the event that tells of a version, the same in every delivery: 64 hex."""
    return hashlib.sha256(f"{job_key}\0{digest}".encode()).hexdigest()


def make_event(version: SettledVersion, stored: bytes, target: Target, *, source: str) -> bytes:
    """Write the event of a version for a target.

    `stored` is the record as it lies in the archive. It is put into the event where the target asks for it
    and its limit leaves room; `record_omitted` says that it did not. Nothing else is ever cut.
    """
    record: dict[str, Any] = json.loads(stored)
    event = _event(version, record, source)
    if not target.inline_record:
        return _written(event, {})
    whole = _written(event, {"record": record})
    return whole if len(whole) <= target.size_limit else _written(event, {"record_omitted": TOO_LARGE})


def _event(version: SettledVersion, record: Mapping[str, Any], source: str) -> dict[str, Any]:
    verdict = record["verdict"]
    settled = datetime.fromtimestamp(version.settled_at / 1000, timezone.utc)
    return {
        "specversion": "1.0",
        "id": event_id(version.ref.key, version.digest),
        "source": source,
        "type": f"media-ledger.job.{record['status']}",
        "subject": version.ref.key,
        "time": settled.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {
            "schema_version": SCHEMA_VERSION,
            "kind": version.ref.kind,
            "job_id": version.ref.job_id,
            "status": record["status"],
            "verdict": {name: verdict[name] for name in ("suggestion", "computed_suggestion", "labels")},
            "version": version.number,
            "digest": version.digest,
            "record_key": version.record_key,
            "raw_keys": list(version.raw_keys),
        },
    }


def _written(event: Mapping[str, Any], more: Mapping[str, Any]) -> bytes:
    whole = {**event, "data": {**event["data"], **more}}
    text = json.dumps(whole, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode()
