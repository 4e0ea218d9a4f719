"""The functions of a template, each in processes of its own: Function Compute's runtime on this machine.

It keeps to function-compute.md 1.3 to 1.5. What differs: every function runs on the Python that runs this,
whatever its runtime is, and finds what is installed beside it after its own code; the code folder can be
written to, `/tmp` is the machine's own; a process may use every core; what a function asks of the network,
it gets.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path
from types import TracebackType

from localcloud.fc.environment import Place, instance_environment
from localcloud.fc.instance import Instance
from localcloud.fc.instances import Figures, Instances
from localcloud.fc.log_lines import LogSink, no_log
from localcloud.fc.process import InstancePlan
from localcloud.runner import function_of
from localcloud.template import FunctionSpec, Template

IDLE_MS = 5 * 60_000  # a choice: the platform does not say after how long it stops one
_LOOK_S = 1.0


def _milliseconds() -> int:
    return time.monotonic_ns() // 1_000_000


class LocalFunctions:
    """Invokes functions by name while its `with` block lasts; then every process has ended.

    Instances have the variables of the template, and of `environment` where it goes before them (see
    `instance_environment`); nothing of this process's own. The code is imported from the folder `code`.
    `log` gets every line that functions write. `clock` measures time limits and idleness: milliseconds that
    only grow, the machine's by default. `request_ids` gives one id per invocation; by default they are
    numbered.
    """

    def __init__(
        self,
        template: Template,
        environment: Mapping[str, str],
        *,
        code: Path,
        region: str = "cn-shanghai",
        account_id: str = "1000000000000001",
        log: LogSink = no_log,
        idle_ms: int = IDLE_MS,
        clock: Callable[[], int] = _milliseconds,
        request_ids: Iterator[str] | None = None,
    ) -> None:
        self._template = template
        self._environment = dict(environment)
        self._place = Place(code.resolve(), region, account_id)
        self._log = log
        self._idle_ms = idle_ms
        self._clock = clock
        self._request_ids = request_ids or map("1-local-{}".format, count(1))
        self._instance_ids = map("c-local-{}".format, count(1))
        self._instances = {name: self._instances_of(spec) for name, spec in template.functions.items()}
        self._is_over = threading.Event()
        self._looking = threading.Thread(target=self._look_for_idle, name="fc-idle", daemon=True)

    def resolve(self, function: str) -> Callable[[bytes], bytes]:
        """Give the function as a callable, which raises what `invoke` does.

        Raise `UnknownFunctionError` at once if there is none.
        """
        function_of(self._template, function)
        return partial(self.invoke, function)

    def invoke(self, function: str, event: bytes) -> bytes:
        """Invoke once and give the serialised result.

        Raise `UnknownFunctionError`; `SettingError` when a variable's value is not known; `InvocationError`
        when the function failed, `InstanceLostError` if it did not even say so; `TooManyInstancesError`
        when there may be no further instance.
        """
        spec = function_of(self._template, function)
        return self._instances[spec.name].invoke(event)

    def figures(self) -> dict[str, Figures]:
        """Tell of each function what was done so far."""
        return {name: instances.figures() for name, instances in self._instances.items()}

    def stop_idle(self) -> None:
        """Stop the instances that have had nothing to do for too long, as happens by itself every second."""
        since = self._clock() - self._idle_ms
        for instances in self._instances.values():
            instances.stop_idle(since=since)

    def __enter__(self) -> LocalFunctions:
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._looking.join()
        with ThreadPoolExecutor() as stopping:
            list(stopping.map(Instances.stop, self._instances.values()))

    def _look_for_idle(self) -> None:
        while not self._is_over.wait(_LOOK_S):
            self.stop_idle()

    def _instances_of(self, spec: FunctionSpec) -> Instances:
        return Instances(
            partial(self._new_instance, spec),
            concurrency=spec.concurrency,
            limit=spec.reserved,
            clock=self._clock,
            request_ids=self._request_ids,
        )

    def _new_instance(self, spec: FunctionSpec) -> Instance:
        variables = instance_environment(
            spec, self._template, self._environment, self._place, instance_id=next(self._instance_ids)
        )
        plan = InstancePlan(spec, variables, self._place.region, self._place.account_id)
        return Instance(plan, log=self._log, clock=self._clock)
