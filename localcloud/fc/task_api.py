"""What can be asked of asynchronous tasks: GetAsyncTask and ListAsyncTasks of FC 3.0.

The names of fields and states are those of the vendor's client, which judges them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localcloud.fc.tasks import Task, Tasks
from localcloud.loopback import HttpReply
from localcloud.media.wire import RefusedError

_USUAL_PAGE = 20
_LARGEST_PAGE = 100


def show_task(tasks: Tasks, function: str, task_id: str) -> HttpReply:
    """Answer with a task as it stands, its payload with it."""
    task = tasks.find(function, task_id)
    if task is None:
        raise RefusedError(404, "AsyncTaskNotFound", f"task '{task_id}' of '{function}' does not exist")
    return _json({**_shown(tasks, task), "taskPayload": task.payload.decode(errors="replace")})


def list_tasks(tasks: Tasks, function: str, query: Mapping[str, str]) -> HttpReply:
    """Answer with a page of a function's tasks, the oldest first; the marker of the next one is a number."""
    prefix, status = query.get("prefix", ""), query.get("status")
    found = [
        task
        for task in tasks.of(function)
        if task.task_id.startswith(prefix) and status in (None, task.status)
    ]
    start = _whole(query, "nextToken", 0, most=len(found))
    end = start + _whole(query, "limit", _USUAL_PAGE, most=_LARGEST_PAGE)
    page: dict[str, Any] = {"tasks": [_shown(tasks, task) for task in found[start:end]]}
    return _json({**page, "nextToken": str(end)} if end < len(found) else page)


def _shown(tasks: Tasks, task: Task) -> dict[str, Any]:
    ended = task.ended_at is not None
    return {
        "taskId": task.task_id,
        "functionArn": tasks.arn(task.function),
        "requestId": task.request_id,
        "status": task.status,
        "alreadyRetriedTimes": max(task.attempts - 1, 0),
        "taskErrorMessage": task.reason,
        **({"startedTime": task.started_at} if task.started_at is not None else {}),
        **({"endTime": task.ended_at} if ended else {}),
        **({"returnPayload": task.outcome.body.decode(errors="replace")} if ended and task.outcome else {}),
    }


def _whole(query: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text) <= most):
        raise RefusedError(400, "InvalidArgument", f"{name} must be a whole number, at most {most}")
    return int(text)


def _json(tree: dict[str, Any]) -> HttpReply:
    return HttpReply(200, json.dumps(tree).encode(), {"content-type": "application/json"})
