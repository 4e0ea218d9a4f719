"""What a handler sees and answers when it runs in a process of its own, as on the platform."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localcloud.fc.functions import LocalFunctions
from localcloud.runner import InProcessRunner, InvocationError, UnknownFunctionError
from localcloud.template import Template, read_template
from tests.localcloud.fc.handlers_in_a_folder import Lines, running, spec

ROOT = Path(__file__).parents[3]

SOURCE = """\
import datetime, decimal, json, logging, os, sys

seen = []

class Own:
    def to_json(self):
        return {"own": True}

def echo(event, context):
    return event

def count(event, context):
    seen.append(event)
    return [os.getpid(), len(seen)]

def surroundings(event, context):
    ours = [name for name in sys.modules if name.partition(".")[0] in ("shared", "functions", "cli")]
    return {"path": sys.path[:3], "folder": os.getcwd(), "environ": dict(os.environ), "ours": ours}

def describe(event, context):
    function = context.function
    keys = getattr(context, "credentials", None)
    return {
        "ids": [context.request_id, context.region, context.account_id],
        "function": [function.name, function.handler, function.memory, function.timeout],
        "key": keys and keys.access_key_id,
        "has_service": hasattr(context, "service"),
    }

def write(event, context):
    print("printed")
    logging.getLogger("a").info("logged")
    logging.getLogger().debug("too fine")
    context.getLogger().warning("by its own logger")
    os.write(2, b"raw\\n")

def write_much(event, context):
    print("p" * 200_000)
    logging.getLogger().info("l" * 200_000)

def values(event, context):
    return {"b": decimal.Decimal("1.5"), "a": datetime.date(2026, 11, 20), "own": Own(), "text": "é"}

def text(event, context):
    return "plain é"

def nothing(event, context):
    return None

def odd(event, context):
    return {1, 2}

def fail(event, context):
    raise LookupError("no such thing é")
"""


def answer(runner: InProcessRunner | LocalFunctions, name: str) -> tuple[bool, bytes]:
    """Give what a function is answered with, and whether it succeeded."""
    try:
        return True, runner.invoke(name, b"")
    except InvocationError as error:
        return False, error.body


@pytest.mark.parametrize("event", [b"", b"\xff\x00\n", b"no newline", bytes(5_000_000)], ids=len)
def test_a_handler_gets_the_bytes_and_its_bytes_come_back(tmp_path: Path, event: bytes) -> None:
    with running(tmp_path, SOURCE, spec("index.echo")) as functions:
        assert functions.resolve("echo")(event) == event


def test_a_warm_instance_keeps_what_its_modules_hold(tmp_path: Path) -> None:
    with running(tmp_path, SOURCE, spec("index.count")) as functions:
        first, second = (json.loads(functions.invoke("count", b"")) for _ in range(2))
        figures = functions.figures()["count"]

    assert (first[1], second) == (1, [first[0], 2])
    assert first[0] != os.getpid()
    assert (figures.instances, figures.cold_starts, figures.invocations) == (1, 1, 2)


def test_a_function_sees_its_code_first_and_nothing_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THIS_PROCESS", "1")
    own = spec("index.surroundings", environment={"OWN": "template"})
    with running(tmp_path, SOURCE, own, environment={"GIVEN": "caller"}) as functions:
        told: dict[str, Any] = json.loads(functions.invoke("surroundings", b""))

    layers = f"/opt/python/lib/python3.{sys.version_info.minor}/site-packages"
    assert told["path"] == [str(tmp_path), layers, "/opt/python"]
    assert told["folder"] == told["environ"]["FC_FUNC_CODE_PATH"] == str(tmp_path)
    assert (told["environ"]["OWN"], told["environ"]["GIVEN"]) == ("template", "caller")
    assert "OF_THIS_PROCESS" not in told["environ"]
    assert told["ours"] == []


@pytest.mark.parametrize(
    ("runtime", "timeout", "key"), [("python3.10", "30", "key"), ("python3.12", 30, None)]
)
def test_the_context_has_the_shape_of_the_runtime(
    tmp_path: Path, runtime: str, timeout: object, key: object
) -> None:
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "key"}
    one = spec("index.describe", runtime=runtime)
    with running(tmp_path, SOURCE, one, environment=keys, region="cn-beijing", account_id="1") as functions:
        told = json.loads(functions.invoke("describe", b""))

    assert told == {
        "ids": ["1-local-1", "cn-beijing", "1"],
        "function": ["describe", "index.describe", 512, timeout],
        "key": key,
        "has_service": runtime == "python3.10",
    }


def test_answers_and_failures_are_those_of_the_runner_in_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "index_of_both"
    for module, source in {name: SOURCE, f"{name}_broken": "def (:\n", f"{name}_bursting": "1 / 0\n"}.items():
        (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
    handlers = [f"{name}.{one}" for one in ("values", "text", "nothing", "odd", "fail", "missing")]
    handlers += [f"{name}_absent.absent", f"{name}_broken.broken", f"{name}_bursting.bursting", "without_dot"]
    monkeypatch.syspath_prepend(str(tmp_path))
    template = Template({one.name: one for one in map(spec, handlers)}, {})
    with LocalFunctions(template, {}, code=tmp_path) as functions:
        there = {function: answer(functions, function) for function in template.functions}
    here = {function: answer(InProcessRunner(template), function) for function in template.functions}

    assert there == here
    assert [function for function, (succeeded, _) in there.items() if succeeded] == [
        "values",
        "text",
        "nothing",
    ]


def test_an_unknown_function_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with running(tmp_path, SOURCE, spec("index.echo")) as functions:
        for ask in (lambda: functions.invoke("other", b""), lambda: functions.resolve("other")):
            with pytest.raises(UnknownFunctionError, match="no function 'other' in the template; it has: ec"):
                ask()


def test_log_lines_are_the_platforms(tmp_path: Path) -> None:
    log = Lines()
    with running(tmp_path, SOURCE, spec("index.write"), log=log) as functions:
        functions.invoke("write", b"")

    start, begin, printed, logged, own, raw, end = log.written
    assert start == "FunctionCompute python3 runtime inited."
    assert begin == "FC Invoke Start RequestId: 1-local-1"
    assert (printed, raw) == ("printed", "raw")
    assert logged.partition("Z ")[2] == "1-local-1 [INFO] logged"
    assert own.partition("Z ")[2] == "1-local-1 [WARNING] by its own logger"
    assert len(logged.partition("Z")[0]) == len("2026-11-20T12:00:00.000")
    assert end == "FC Invoke End RequestId: 1-local-1"


def test_a_failure_is_logged_with_its_answer(tmp_path: Path) -> None:
    log = Lines()
    with running(tmp_path, SOURCE, spec("index.fail"), log=log) as functions:
        succeeded, body = answer(functions, "fail")

    text = "\n".join(log.written)
    assert not succeeded
    assert f"1-local-1 [ERROR] {body.decode()}\n" in text
    assert text.endswith("FC Invoke End RequestId: 1-local-1, Error: Unhandled function error")


def test_one_write_is_cut_at_the_limit(tmp_path: Path) -> None:
    log = Lines()
    with running(tmp_path, SOURCE, spec("index.write_much"), log=log) as functions:
        functions.invoke("write_much", b"")

    assert [len(line) for line in log.written if len(line) > 100] == [128 * 1024] * 2
    assert log.written[-1].startswith("FC Invoke End")


def test_instances_and_what_they_start_end_with_their_host_even_when_it_is_killed(tmp_path: Path) -> None:
    source = """\
import os, socket, time
def hold(event, context):
    global held
    held = socket.create_connection(("127.0.0.1", int(event)))
    held.sendall(b"here")
    if not os.fork():
        time.sleep(60)
"""
    host = f"""\
import os, signal, sys
from pathlib import Path
from tests.localcloud.fc.handlers_in_a_folder import running, spec
with running(Path(sys.argv[1]), {source!r}, spec("index.hold")) as functions:
    functions.invoke("hold", sys.argv[2].encode())
    os.kill(os.getpid(), signal.SIGKILL)
"""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)
        arguments = [str(tmp_path), str(listening.getsockname()[1])]
        subprocess.run([sys.executable, "-c", host, *arguments], cwd=ROOT, timeout=30, check=False)
        connection, _ = listening.accept()
    with connection:
        connection.settimeout(10)
        received = connection.recv(4)
        rest = connection.recv(1)

    assert (received, rest) == (b"here", b"")


def test_a_function_of_this_repository_runs(tmp_path: Path) -> None:
    template = read_template(ROOT / "template.yml")
    settings = {
        "LEDGER_OBJECTS": f"file://{tmp_path}/archive",
        "LEDGER_TABLES": f"sqlite://{tmp_path}/ledger.db",
    }
    event = json.dumps([{"kind": "vod.media_audit", "job_id": "a", "region": "cn-shanghai"}]).encode()
    with LocalFunctions(template, settings, code=ROOT) as functions:
        told = json.loads(functions.invoke("track", event))

    assert told["announced"] == 1
    assert (tmp_path / "ledger.db").is_file()
