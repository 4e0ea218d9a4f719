"""Timer: settle what is due, or by its payload have a sample of settled jobs asked about again.

By asynchronous invocation: a shard of such a run, or some jobs by name.
"""

from __future__ import annotations

from shared import bootstrap, rechecking, reconciliation, runs
from shared.ports import Services
from shared.rechecking import Sample
from shared.runs import Shard
from shared.toolkit import InvocationContext, function_handler
from shared.toolkit.message import TimerTick
from shared.toolkit.parser import ParseError, decode_json
from shared.toolkit.triggers import timer_tick

_LAYER = "reconcile"


@function_handler()
def handler(event: bytes, context: InvocationContext) -> object:
    """Entry point of Function Compute."""
    return handle(event, bootstrap.for_invocation(context))


def handle(event: bytes, services: Services) -> dict[str, object]:
    """Do what the event asks for, within its part of the account's calls, and answer with a summary."""
    work = _read(event)
    if isinstance(work, Sample):
        return {"rechecked": rechecking.make_sample_due(services, work)}
    if isinstance(work, TimerTick):
        report = runs.run(bootstrap.within_run_budget(services))
        here = [_work_on(services, shard) for shard in report.left]
        return {**report.answer(), "here": here} if here else report.answer()
    if isinstance(work, Shard):
        return _work_on(services, work)
    # The share of an instance that takes in callbacks, as `bootstrap` gave it.
    return reconciliation.settle_named(services, work).report()


def _work_on(services: Services, shard: Shard) -> dict[str, object]:
    return runs.work_on(bootstrap.within_run_budget(services, among=shard.of), shard).answer()


def _read(event: bytes) -> TimerTick | Sample | Shard | list[str]:
    tree = decode_json(event, layer=_LAYER)
    if not isinstance(tree, dict):
        raise ParseError("not an object", layer=_LAYER)
    tick = timer_tick(tree)
    if tick is not None:
        return _payload(tick) if tick.payload else tick
    match tree:
        case {"shard": dict(shard)}:
            return Shard.read(shard)
        case {"jobs": [*keys]} if all(isinstance(key, str) for key in keys):
            return [str(key) for key in keys]
    raise ParseError("neither a timer's event, nor a shard, nor `jobs`, a list of keys", layer=_LAYER)


def _payload(tick: TimerTick) -> Sample:
    """Read what a timer says beside that it goes off."""
    match decode_json(tick.payload.encode(), layer=_LAYER):
        case {"recheck": sample, **more} if not more:
            return Sample.read(sample)
    raise ParseError("the timer's payload is not `recheck`, which is all that is known", layer=_LAYER)
