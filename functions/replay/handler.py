"""Asynchronous invocation: normalize stored raw answers again, a shard of them or some jobs by name."""

from __future__ import annotations

from shared import bootstrap
from shared.ports import Services
from shared.replay import tasks
from shared.replay.run import replay_all
from shared.replay.tasks import Task
from shared.toolkit import InvocationContext, function_handler
from shared.toolkit.parser import ParseError, decode_json


@function_handler()
def handler(event: bytes, context: InvocationContext) -> object:
    """Entry point of Function Compute."""
    return handle(event, bootstrap.for_invocation(context))


def handle(event: bytes, services: Services) -> dict[str, object]:
    """Replay what the event names, as far as there is time, and answer with what came of it."""
    match decode_json(event, layer="replay"):
        case {"replay": dict(task)}:
            done = tasks.work_on(services, Task.read(task))
            return {**done.tally.document(), "ended": done.ended}
        case {"jobs": [*keys], "deliver": bool(deliver)} if all(isinstance(key, str) for key in keys):
            return replay_all(services, [str(key) for key in keys], deliver=deliver).document()
    raise ParseError("neither `replay`, nor `jobs`, a list of keys, with `deliver`", layer="replay")
