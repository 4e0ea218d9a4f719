"""A hook that keeps one flat line of JSON per job, for whoever counts and compares.

    {"targets": {"summary": {"url": "python:shared.hooks.summary_rows:post_process"}}, "rules": ...}

The folders are partitions: `SELECT * FROM read_json('hooks/summary/*/*.json', hive_partitioning = true)`
reads the archive as a table in DuckDB, and Spark and MaxCompute do likewise.
"""

from __future__ import annotations

import json

from shared.hooks.services import HookServices
from shared.record import JobRecord, findings_count


def post_process(record: JobRecord, services: HookServices) -> None:
    """Write the job's row, unless that of a newer version is there already."""
    name = f"kind={services.job.kind}/{services.job.path.rpartition('/')[2]}.json"
    present = services.files.get(name)
    if present is not None and json.loads(present)["version"] > services.version:
        return
    row = json.dumps(summary(record, version=services.version), ensure_ascii=False)
    services.files.put(name, f"{row}\n".encode(), content_type="application/json")


def summary(record: JobRecord, *, version: int) -> dict[str, object]:
    """Give the row: one value per column, the same columns for every kind."""
    verdict = record.verdict
    starts = [finding.start_ms for finding in record.findings if finding.start_ms is not None]
    return {
        "job_id": record.job.job_id,
        "version": version,
        "status": record.status,
        "error_code": record.error.code if record.error else None,
        "suggestion": verdict.suggestion,
        "computed_suggestion": verdict.computed_suggestion,
        "labels": ",".join(verdict.labels),
        "findings": findings_count(record),
        "first_finding_ms": min(starts, default=None),
        "outputs": len(record.outputs),
        "evidence": len(record.evidence),
        "input": record.media.input,
        "media_id": record.media.media_id,
        "created": record.times.created,
        "completed": record.times.completed,
    }
