"""The packages themselves: made, unpacked, and run with nothing else, against the local cloud on the wire."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.package.building import build
from cli.package.byte_code import Interpreter, find_interpreter
from cli.package.contents import LEFT_OUT, OWN
from cli.package.errors import IndexUnreachableError
from cli.package.targets import HERE, TARGETS, TargetName
from cli.terminal import Exit
from localcloud.cloud import KEYS, LocalCloud
from localcloud.media.vod import Outcome, Vod
from localcloud.template import read_template
from shared import bootstrap
from shared.adapters.clocks import ManualClock, SystemClock
from shared.bootstrap.preparation import prepare
from shared.settings import Settings
from tests.cli.conftest import DATA
from tests.localcloud.mns.worlds import OWN as OWN_KEYS
from tests.shared.adapters.mns_on_the_wire import MnsOnTheWire, mns_on_the_wire

ROOT = Path(__file__).parents[3]
JUDGE = Path(__file__).with_name("in_the_zip.py")
EVENT = ROOT / "events" / "callback" / "topic-json.json"
PLAN = {"targets": {"desk": {"url": "mns://queue/desk"}}, "rules": [{"to": ["desk"]}]}
UNCHECKED_HASH = (0b01).to_bytes(4, "little")  # PEP 552


@dataclass(frozen=True)
class Unpacked:
    """A package, where it lies unpacked, and the Python that it is for."""

    told: dict[str, Any]
    folder: Path
    interpreter: Interpreter

    def run(self, handler: str, event: Path, environment: dict[str, str]) -> Any:
        """Invoke a handler in a process that has nothing but the package."""
        ended = subprocess.run(
            [self.interpreter.program, "-I", "-S", "-B", JUDGE, self.folder, handler, event],
            env=environment,
            cwd=self.folder.parent,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout.splitlines()[-1])


def package(*words: str) -> Result:
    """Run the command, unless there is nothing to make a package of."""
    made = CliRunner().invoke(app, ["package", *words], env={"COLUMNS": "120"})
    if made.exit_code == Exit.LATER:
        pytest.skip("not run: the package index does not answer")
    return made


@pytest.fixture(scope="module", params=list(TargetName), ids=lambda name: name.value)
def unpacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    """Make a package as `make package` does, and unpack it."""
    target = TARGETS[request.param]
    interpreter = find_interpreter(target)
    if interpreter is None:
        pytest.skip(f"not run: no python{target.python} here")
    folder = tmp_path_factory.mktemp("package")
    made = package("--for", target.name.value, "--out", str(folder), "--json")
    assert made.exit_code == 0, made.output
    (told,) = json.loads(made.stdout)
    with ZipFile(told["file"]) as zipped:
        zipped.extractall(folder / "code")
    return Unpacked(told, folder / "code", interpreter)


@dataclass(frozen=True)
class Wire:
    """A local cloud whose vendor knows the job of the sample event; the functions there take anything."""

    environment: dict[str, str]
    mns: MnsOnTheWire
    handed_over: queue.Queue[bytes] = field(default_factory=queue.Queue)


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    """Serve all that the functions call."""
    job_id = json.loads(json.loads(EVENT.read_bytes())["Message"])["JobId"]
    clock = ManualClock(SystemClock().now())
    vod = Vod(clock=clock, outcomes={"media-1": Outcome("success", data=DATA)}, job_ids=iter([job_id]))
    submit = next(action for action in vod.actions() if action.name.startswith("Submit"))
    submit.handle({"MediaId": "media-1"})
    clock.sleep(10_000)
    environment: dict[str, str] = {}
    with mns_on_the_wire("desk", clock=SystemClock(), keys=(OWN_KEYS, KEYS)) as mns:
        wire = Wire(environment, mns)
        functions = {"deliver": wire.handed_over.put}
        with LocalCloud(
            tmp_path / "cloud", functions.__getitem__, media_clock=clock, actions=vod.actions()
        ) as cloud:
            environment |= cloud.environment()
            environment |= {"LEDGER_INVOKER": "fc2://media", "LEDGER_DELIVERY": json.dumps(PLAN)}
            environment |= {"LEDGER_MNS": mns.endpoint}
            prepare(Settings.read(environment))
            yield wire


def test_an_unpacked_package_alone_settles_a_sample_and_tells_of_it(
    unpacked: Unpacked, wire: Wire, tmp_path: Path
) -> None:
    settled = unpacked.run("functions.callback.handler.handler", EVENT, wire.environment)
    handed_over = tmp_path / "deliver.json"
    handed_over.write_bytes(wire.handed_over.get(timeout=60))
    told = unpacked.run("functions.deliver.handler.handler", handed_over, wire.environment)

    (receipt,) = settled["answer"]["receipts"]
    assert receipt["did"] == "settled"
    services = bootstrap.build(Settings.read(wire.environment))
    (key,) = services.objects.keys("versions")
    record = json.loads(services.objects.get(key))
    bootstrap.close(services)
    assert record["verdict"]["suggestion"] == DATA["Suggestion"]
    assert told["answer"] == {"delivered": 1}
    assert "MessageBody" in wire.mns.caller.receive("desk")
    # Each client was at work, and all that is ours can be imported.
    assert {"alibabacloud_oss_v2", "tablestore", "fc2", "mns"} <= {*settled["used"], *told["used"]}
    own = [module for top in OWN for module in (unpacked.folder / top).rglob("*.py")]
    assert settled["own"] == len(own)


def test_each_handler_of_the_template_is_in_the_package(unpacked: Unpacked) -> None:
    handlers = {function.handler for function in read_template(ROOT / "template.yml").functions.values()}

    assert handlers
    for handler in handlers:
        module = handler.rpartition(".")[0]
        assert (unpacked.folder / f"{module.replace('.', '/')}.py").is_file()


def test_every_module_has_byte_code_that_holds_whatever_the_time_is(unpacked: Unpacked) -> None:
    tag = f"cpython-{unpacked.interpreter.version.rpartition('.')[0].replace('.', '')}"
    modules = list(unpacked.folder.rglob("*.py"))

    assert modules
    for module in modules:
        code = (module.parent / "__pycache__" / f"{module.stem}.{tag}.pyc").read_bytes()
        assert code[4:8] == UNCHECKED_HASH
        assert str(ROOT).encode() not in code


def test_a_package_holds_nothing_that_is_left_out_and_nothing_named_like_the_standard_library(
    unpacked: Unpacked,
) -> None:
    names = {
        path.name.partition("-")[0].partition(".")[0].replace("_", "-").lower()
        for path in unpacked.folder.iterdir()
    }

    assert names & (LEFT_OUT.keys() | {"enum34", "enum", "pandas", "cli", "localcloud", "tests"}) == set()
    assert names & {name.lower() for name in sys.stdlib_module_names} == set()


def test_only_extension_modules_of_its_own_python_are_in_a_package(unpacked: Unpacked) -> None:
    target = TARGETS[TargetName(unpacked.told["target"])]
    extensions = [path.name for path in unpacked.folder.rglob("*.so")]

    assert any(name.endswith(target.extension) for name in extensions)
    assert [name for name in extensions if not name.endswith((target.extension, ".abi3.so"))] == []


def test_what_the_command_tells_is_the_zip(unpacked: Unpacked) -> None:
    told = unpacked.told

    assert told["size"] == Path(told["file"]).stat().st_size
    assert told["size"] <= 17_000_000
    assert 0.9 * told["size"] < sum(told["parts"].values()) < told["size"]
    assert told["compiled_by"] == f"Python {unpacked.interpreter.version}"


def test_the_same_repository_gives_the_same_bytes_wherever_it_is(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "another" / "place"
    for part in ("functions", "shared", "requirements"):
        shutil.copytree(ROOT / part, one / part)
    shutil.copytree(one, other, copy_function=shutil.copyfile)  # with other times

    try:
        made, again = (build(HERE, root / "dist", root=root) for root in (one, other))
    except IndexUnreachableError:
        pytest.skip("not run: the package index does not answer")
    assert made.sha256 == again.sha256


def test_without_a_python_of_its_version_a_package_comes_with_a_warning_and_without_byte_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    made = package("--for", "python3.12", "--out", str(tmp_path), "--at-most", "1")

    assert "no python3.12 here: python3.12 has no byte code" in made.stderr
    assert "byte code by nobody" in made.stdout
    with ZipFile(tmp_path / "media-ledger-python3.12.zip") as zipped:
        assert [name for name in zipped.namelist() if name.endswith(".pyc")] == []
    # As is anything that somebody should look at.
    assert made.exit_code == Exit.NEEDS_A_PERSON
    assert "larger than 1 MB: " in made.stderr
