"""Secrets that nobody else has, and the search for them in what the product leaves behind.

A secret counts as found however it is written: as it is, percent-encoded, escaped in JSON, in base64.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shared.toolkit.context import Credentials

KEYS = Credentials("LTAI5tCanaryKeyOfOurs01", "canary+secret/of=ours-8f1c")
TOKEN = "CAISxCanaryTokenOfSts8f1c"
SIGNATURE = "S3CRET"  # what signs URLs in the recorded answers
PHONE = "13912348888"
DELIVERY_KEY = "canary-delivery-key-8f1c"
PERSON = "canary-person-8f1c"
"""Who looks at pages, as their token says."""
SIGNED = "signature of a URL"
SECRETS: Mapping[str, str] = {
    "key id": KEYS.access_key_id,
    "key": KEYS.access_key_secret,
    "token": TOKEN,
    SIGNED: SIGNATURE,
    "phone number": PHONE,
    "delivery key": DELIVERY_KEY,
    "claim of a token": PERSON,
}

RECEIVED = {("inbox", "body"), ("evidence", "url")}
"""Columns that hold what was received, as it was received; a picture's URL until the picture is kept."""
_ANSWER = Path(__file__).parent / "data" / "answers" / "vod.media_audit" / "signed-urls" / "answer.json"

SIGNED_URL = (
    "https://bucket.oss-cn-shanghai.aliyuncs.com/evidence/1.jpg"
    f"?Expires=1763640000&OSSAccessKeyId={KEYS.access_key_id}&Signature={SIGNATURE}%2B%3D&security-token={TOKEN}"
)


def marked_callbacks() -> dict[str, bytes]:
    """Write callbacks full of secrets: one that is understood, and those that are not."""
    data = json.loads(_ANSWER.read_bytes())["MediaAuditJob"]["Data"]
    data["TextResult"][0]["Content"] += f" {PHONE} {SIGNED_URL}"
    data["VideoResult"]["PornResult"]["TopList"][0]["Url"] = SIGNED_URL
    told = {"EventType": "AIMediaAuditComplete", "JobId": "canary", "Status": "success", "MediaId": "m"}
    words = f"{SIGNED_URL} {PHONE} token={TOKEN} {KEYS.access_key_id}"
    return {
        "marked.json": json.dumps({**told, "Data": data}).encode(),
        "marked-fail.json": json.dumps(
            {**told, "JobId": "c2", "MediaId": "m2", "Status": "fail", "Code": "C", "Message": words}
        ).encode(),
        "marked-unknown.json": json.dumps({"EventType": SIGNED_URL, "JobId": words}).encode(),
        "marked-long.json": json.dumps({**told, "JobId": words * 3}).encode(),
        "marked-unreadable.json": b'{"EventType": ' + words.encode(),
    }


def found_in(data: bytes) -> set[str]:
    """Name the secrets that are in there."""
    return {name for name, secret in SECRETS.items() if any(spelt in data for spelt in _spellings(secret))}


def _spellings(secret: str) -> set[bytes]:
    raw = secret.encode()
    # Base64 shifts by what stands before: two of every three bytes are the same whatever that is.
    shifted = [base64.b64encode(b"\0" * shift + raw)[shift and 4 : -4] for shift in range(3)]
    return {raw, quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode(), *shifted}


class Places:
    """What is searched, by where it is: `leaks` tells which secret was found where."""

    def __init__(self) -> None:
        self._found: list[str] = []
        self.searched = 0

    @property
    def leaks(self) -> list[str]:
        """List where secrets are."""
        return sorted(set(self._found))

    def look(self, where: str, data: bytes | str) -> None:
        """Search something that nothing is exempt in."""
        self.searched += 1
        raw = data.encode(errors="surrogateescape") if isinstance(data, str) else data
        self._found += [f"{where}: {name}" for name in found_in(raw)]

    def look_at_record(self, where: str, body: bytes) -> None:
        """Search a record, or a document whose `data` has one.

        What it quotes are the vendor's words; but no URL in them has its query.
        """
        tree = json.loads(body)
        for record in (tree, tree.get("data", {}).get("record") or {}):
            for holder, name in _quoting(record):
                quoted = str(holder[name])
                self._found += [f"{where}, quoted: {SIGNED}"] if SIGNED in found_in(quoted.encode()) else []
                holder[name] = None
        self.look(where, json.dumps(tree, ensure_ascii=False))

    def look_at_archive(self, objects: Mapping[str, bytes]) -> None:
        """Search objects by key, but for what was received."""
        for key, body in objects.items():
            self.look("name of an object", key)
            if key.startswith(("versions/", "records/")):
                self.look_at_record(f"object below {key.partition('/')[0]}", body)
            elif not key.startswith(("raw/", "quarantine/")):
                self.look(f"object below {key.partition('/')[0]}", body)

    def look_at_database(self, path: Path, *, received: Collection[tuple[str, str]] = ()) -> None:
        """Search all rows of a SQLite file, but for these columns of tables, which hold what was received."""
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            for table, column, value in _cells(database):
                if (table, column) not in received:
                    self.look(f"{path.name}, {table}.{column}", _as_bytes(value))


def _quoting(record: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Give the places of a record that quote the vendor: what a finding shows, why a job failed."""
    yield from ((finding, "text") for finding in record.get("findings") or ())
    if record.get("error"):
        yield record["error"], "message"


def _cells(database: sqlite3.Connection) -> Iterator[tuple[str, str, Any]]:
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        rows = database.execute(f'SELECT * FROM "{table}"')
        names = [column for column, *_ in rows.description]
        for row in rows:
            yield from ((table, name, value) for name, value in zip(names, row, strict=True))


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def look_at_stores(places: Places, folder: Path) -> None:
    """Search the databases and the archive in a folder; secrets must have come as far as the raw answers."""
    for path in folder.glob("*.db"):
        places.look_at_database(path, received=RECEIVED)
    files = [path for path in (folder / "archive").rglob("*") if path.is_file()]
    objects = {path.relative_to(folder / "archive").as_posix(): path.read_bytes() for path in files}
    assert any(found_in(body) for key, body in objects.items() if key.startswith("raw/"))
    places.look_at_archive(objects)
