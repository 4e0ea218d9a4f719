"""A sample consumer: it verifies, takes each version once, and keeps the newest of each job.

    CONSUMER_KEYS="<key> <old key>" python -m localcloud.consumer --port 8900 --database consumer.db

What it does, and in which order, is what any consumer has to do (docs/consuming.md): the signature over
the bytes as they came, then the decision and what follows from it in one transaction, then the answer.
"""

from __future__ import annotations

import argparse
import logging
import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

from shared.adapters.clocks import SystemClock
from shared.delivery import signature
from shared.errors import ParseError, PermanentError, SignatureError
from shared.ports import Clock
from shared.toolkit.parser import decode_json

_LOOPBACK = "127.0.0.1"
_MAX_BODY_BYTES = 2 * 1024 * 1024
_SCHEMA = """
create table if not exists jobs (
    subject text primary key,
    version integer not null,
    digest text not null,
    status text not null,
    suggestion text
);
"""
_log = logging.getLogger(__name__)

Taken = Literal["new", "repeated", "older"]


class Consumer:
    """Takes deliveries into a SQLite file; safe with threads, and beside other processes."""

    def __init__(self, database: str | Path, *, keys: Sequence[str], clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._lock = threading.Lock()
        self._database = sqlite3.connect(database, check_same_thread=False)
        self._database.executescript(_SCHEMA)

    def take(self, body: bytes, headers: Mapping[str, str]) -> Taken:
        """Take one delivery, and say what it was.

        Raise `SignatureError` for what nobody we know has sent, `ParseError` for no event of ours.
        """
        now = self._clock.now()
        signature.verify(body, headers, keys=self._keys, now=now)
        event = _event(body)
        with self._lock, self._database:  # one transaction: an error undoes what was decided, too
            if self._is_newest(event):
                return "new"
            return "repeated" if self._is_known(event) else "older"

    def jobs(self) -> dict[str, tuple[int, str, str]]:
        """Give version, digest and status of every job, by subject."""
        with self._lock:
            rows = self._database.execute("select subject, version, digest, status from jobs").fetchall()
        return {subject: (version, digest, status) for subject, version, digest, status in rows}

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _is_known(self, event: Mapping[str, Any]) -> bool:
        """Tell whether it is the version that is kept. Its `id` cannot: a record may change back."""
        query = "select 1 from jobs where subject = ? and version = ?"
        found = self._database.execute(query, (event["subject"], event["data"]["version"]))
        return found.fetchone() is not None

    def _is_newest(self, event: Mapping[str, Any]) -> bool:
        """Keep what the event says unless that or a newer version is known, and tell whether it was kept."""
        data = event["data"]
        done = self._database.execute(
            "insert into jobs values (:subject, :version, :digest, :status, :suggestion)"
            " on conflict do update set version = excluded.version, digest = excluded.digest,"
            " status = excluded.status, suggestion = excluded.suggestion"
            " where excluded.version > jobs.version",
            {
                "subject": event["subject"],
                "version": data["version"],
                "digest": data["digest"],
                "status": data["status"],
                "suggestion": data["verdict"]["suggestion"],
            },
        )
        return done.rowcount == 1


def _event(body: bytes) -> dict[str, Any]:
    """Read an event of ours; whoever has the key writes no other, but may be newer than we are."""
    event: dict[str, Any] = decode_json(body)
    match event:
        case {
            "specversion": "1.0",
            "id": str(),
            "subject": str(),
            "data": {
                "schema_version": 1,
                "version": int(),
                "digest": str(),
                "status": str(),
                "verdict": {"suggestion": str() | None},
            },
        }:
            return event
    raise ParseError("no event that this consumer understands", layer="event")


def server(consumer: Consumer, port: int = 0) -> ThreadingHTTPServer:
    """Make a server on the loopback interface that hands every POST on; port 0 takes a free one."""

    class Handler(_Handler):
        taking = consumer

    return ThreadingHTTPServer((_LOOPBACK, port), Handler)


class _Handler(BaseHTTPRequestHandler):
    taking: Consumer
    timeout = 30  # of a sender that says no more
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = self.headers.get("content-length") or ""
        if not length.isdecimal() or int(length) > _MAX_BODY_BYTES:
            self.close_connection = True
            return self._answer(413, "no length, or too long")
        body = self.rfile.read(int(length))
        try:
            taken = self.taking.take(body, dict(self.headers.items()))
        except SignatureError as error:
            return self._answer(401, str(error))
        except PermanentError as error:
            return self._answer(400, str(error))
        except sqlite3.Error as error:  # the sender tries again
            return self._answer(503, type(error).__name__)
        return self._answer(200, taken)

    def log_message(self, format: str, *args: object) -> None:
        """Write no access log: `_answer` tells more."""

    def _answer(self, status: int, text: str) -> None:
        _log.info("%d %s", status, text)
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", "text/plain; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until interrupted."""
    options = argparse.ArgumentParser(description="A sample consumer of Media Ledger's events.")
    options.add_argument("--port", type=int, default=8900)
    options.add_argument("--database", default="consumer.db")
    chosen = options.parse_args()
    keys = os.environ.get("CONSUMER_KEYS", "").split()
    if not keys:
        options.error("set CONSUMER_KEYS to one key or two, with a blank between them")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    consumer = Consumer(chosen.database, keys=keys, clock=SystemClock())
    with closing(consumer), server(consumer, chosen.port) as serving:
        _log.info("listening on http://%s:%d", _LOOPBACK, serving.server_port)
        with suppress(KeyboardInterrupt):
            serving.serve_forever()


if __name__ == "__main__":
    main()
