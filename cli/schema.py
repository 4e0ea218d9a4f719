"""The published JSON Schema of a record: `python -m cli.schema` writes it, `--check` compares it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.record import JobRecord

PATH = Path(__file__).parents[1] / "docs" / "schema" / "record-1.json"


def schema_text() -> str:
    """Give the schema as it is published: sorted, indented, one newline at the end."""
    schema = {
        **JobRecord.model_json_schema(mode="serialization"),
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:media-ledger:record:1",
        "title": "Media Ledger record, schema version 1",
    }
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the schema, or tell whether the published one is up to date."""
    if "--check" not in arguments:
        PATH.parent.mkdir(parents=True, exist_ok=True)
        PATH.write_text(schema_text(), encoding="utf-8")
        return 0
    if PATH.is_file() and PATH.read_text(encoding="utf-8") == schema_text():
        return 0
    print(f"{PATH.name} is not the schema of the code: run `python -m cli.schema`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
