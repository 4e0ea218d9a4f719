"""The published JSON Schemas: `python -m cli.schema` writes them, `--check` compares them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from shared.completeness.report import CompletenessReport
from shared.record import JobRecord

FOLDER = Path(__file__).parents[1] / "docs" / "schema"
SCHEMAS: Mapping[str, tuple[type[BaseModel], str]] = {
    "record-1": (JobRecord, "Media Ledger record, schema version 1"),
    "completeness-1": (CompletenessReport, "Media Ledger completeness report, schema version 1"),
}


def path(name: str) -> Path:
    """Say where a schema is published."""
    return FOLDER / f"{name}.json"


def schema_text(name: str) -> str:
    """Give a schema as it is published: sorted, indented, one newline at the end."""
    model, title = SCHEMAS[name]
    schema = {
        **model.model_json_schema(mode="serialization"),
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:media-ledger:{name.replace('-', ':')}",
        "title": title,
    }
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the schemas, or tell whether the published ones are up to date."""
    if "--check" not in arguments:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in SCHEMAS:
            path(name).write_text(schema_text(name), encoding="utf-8")
        return 0
    for name in SCHEMAS:
        if not path(name).is_file() or path(name).read_text(encoding="utf-8") != schema_text(name):
            message = f"{path(name).name} is not the schema of the code: run `python -m cli.schema`"
            print(message, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
