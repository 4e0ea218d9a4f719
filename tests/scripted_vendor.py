"""A vendor that follows a script, and what it says in answers and callbacks."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Sequence

from shared.errors import JobNotFoundError
from shared.ports import MediaApi
from shared.toolkit.message import Message
from shared.vendor import ApiAnswer, ApiRequest, Part
from tests.faults import Faults

Reply = bytes | Exception

NOT_FOUND = JobNotFoundError("the vendor does not know this job")


def answer(
    job_id: str,
    status: str = "success",
    *,
    suggestion: str | None = "pass",
    pictures: Sequence[str] = (),
    completed: str | None = None,
) -> bytes:
    """Write what the vendor answers about a job; without a suggestion it has no result yet."""
    job: dict[str, object] = {"JobId": job_id, "Status": status}
    if completed is not None:
        job["CompleteTime"] = completed
    if suggestion is not None:
        data: dict[str, object] = {"Suggestion": suggestion}
        if pictures:
            data["ImageResult"] = [{"Type": "cover", "Label": "normal", "Url": url} for url in pictures]
        job["Data"] = data
    return json.dumps({"RequestId": "r", "MediaAuditJob": job}).encode()


def callback(
    job_id: str, status: str = "success", *, suggestion: str | None = None, number: int = 1
) -> Message:
    """Write one delivery of a callback; `number` tells deliveries of different messages apart."""
    data = {} if suggestion is None else {"Data": {"Suggestion": suggestion}}
    event = {
        "EventTime": "2025-11-20T11:59:00Z",
        "EventType": "AIMediaAuditComplete",
        "JobId": job_id,
        "Status": status,
    }
    return Message(f"{job_id}-{number}", "mns-topic", json.dumps(event | data).encode())


class ScriptedMediaApi:
    """A vendor that answers each job by a queue, then by what is true of it; it knows no other job."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._queues: defaultdict[str, deque[Reply]] = defaultdict(deque)
        self._truths: dict[str, Reply] = {}

    def say(self, job_id: str, *replies: Reply) -> None:
        """Queue replies; each is given once."""
        self._queues[job_id].extend(replies)

    def know(self, job_id: str, truth: Reply) -> None:
        """Set what is answered whenever the queue of the job is empty."""
        self._truths[job_id] = truth

    def be_truthful(self) -> None:
        """Forget every queue: from now on each answer is what is true."""
        self._queues.clear()

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        job_id = request.params["JobId"]
        self.calls.append(job_id)
        queue = self._queues[job_id]
        reply = queue.popleft() if queue else self._truths.get(job_id, NOT_FOUND)
        if isinstance(reply, Exception):
            raise reply.with_traceback(None)
        return ApiAnswer(Part("answer", "json", reply), request_id="r")


class FaultyMediaApi:
    """A vendor whose calls go through `faults`."""

    def __init__(self, inner: MediaApi, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        with self._faults.around("query", "query"):
            return self._inner.call(request, deadline=deadline)
