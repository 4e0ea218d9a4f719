"""The process of an instance, from its host's side: `localcloud.fc.worker` is what runs in it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from os import killpg
from pathlib import Path
from queue import SimpleQueue
from signal import SIGKILL
from typing import Any

from localcloud.fc.frames import read_frame, write_frame
from localcloud.fc.log_lines import LogSink, forward
from localcloud.template import FunctionSpec

ROOT = Path(__file__).resolve().parents[2]
# From the signal at a time limit, until when the stacks of all threads have to be written.
GRACE_S = 2.0
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)

Answer = tuple[dict[str, Any], bytes]


@dataclass(frozen=True)
class InstancePlan:
    """What an instance runs, with which variables, and where the platform says it is."""

    spec: FunctionSpec
    environment: Mapping[str, str]
    region: str
    account_id: str


class InstanceProcess:
    """Starts at once; its threads read answers and log lines until it ends. Safe with threads."""

    def __init__(self, plan: InstancePlan, log: LogSink) -> None:
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._popen = subprocess.Popen(
                [
                    *(sys.executable, "-W", "ignore", "-m", "localcloud.fc.worker"),
                    str(theirs.fileno()),
                ],
                cwd=ROOT,
                env=plan.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # so that what it starts ends with it
            )
        self._peak_mb = 0
        self._ids = count(1)
        self._sending = threading.Lock()
        self._waiting: dict[int, SimpleQueue[Answer | None]] = {}
        self._ended = threading.Event()
        name = f"fc-{plan.spec.name}-{self._popen.pid}"
        forwarding = (self._popen.stdout, log, plan.spec.name)
        self._lines = threading.Thread(target=forward, args=forwarding, name=f"{name}-log", daemon=True)
        self._answers = threading.Thread(target=self._read, name=name, daemon=True)
        self._lines.start()
        self._answers.start()

    @property
    def has_ended(self) -> bool:
        """Tell whether it is known to have ended, and nothing waits for it any more."""
        return self._ended.is_set()

    @property
    def has_exited(self) -> bool:
        """Ask the system whether the main program has ended."""
        return self._popen.poll() is not None

    def configure(self, plan: InstancePlan) -> SimpleQueue[Answer | None]:
        """Tell the process which function it is."""
        spec = plan.spec
        facts = ("name", "handler", "runtime", "memory", "timeout")
        function = {name: getattr(spec, name) for name in facts}
        function |= {"region": plan.region, "account_id": plan.account_id}
        return self.send("configure", b"", function=function, concurrency=spec.concurrency)

    def send(self, kind: str, body: bytes, **head: object) -> SimpleQueue[Answer | None]:
        """Send a call; its answer comes into a queue, or None once the process has ended."""
        answer: SimpleQueue[Answer | None] = SimpleQueue()
        with self._sending:
            number = next(self._ids)
            self._waiting[number] = answer
            if self.has_ended:
                answer.put(None)
                return answer
            with suppress(OSError):  # it is ending, and `_read` will tell
                write_frame(self._connection, {"id": number, "kind": kind, **head}, body)
        return answer

    def peak_mb(self) -> int:
        """Tell the most memory it is known to have had in use."""
        with suppress(OSError):
            status = Path(f"/proc/{self._popen.pid}/status").read_text(encoding="ascii")
            if found := _PEAK.search(status):  # not of a process that has ended
                self._peak_mb = -(-int(found[1]) // 1024)
        return self._peak_mb

    def end_at_timeout(self) -> None:
        """Ask it to log where it is, and end it."""
        self._popen.terminate()
        self._ended.wait(GRACE_S)
        self.end()

    def end(self) -> None:
        """End it and everything it started, and wait until its last lines are read."""
        if not self.has_ended:  # after that, its number may be another's
            self._kill()
            with suppress(OSError):  # it ends by itself
                self._connection.shutdown(socket.SHUT_RDWR)
        self._ended.wait()
        # What it started in another session may hold the other end for as long as it likes.
        self._lines.join(GRACE_S)

    def _read(self) -> None:
        """Hand answers to who waits for them, until the process ends."""
        with self._connection.makefile("rb") as incoming:
            while (answer := read_frame(incoming)) is not None:
                self._waiting.pop(answer[0]["id"]).put(answer)
        self._kill()
        self._popen.wait()
        with self._sending:
            self._ended.set()
            self._connection.close()
        for waiting in self._waiting.values():
            waiting.put(None)

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):  # all of it may be gone
            killpg(self._popen.pid, SIGKILL)
