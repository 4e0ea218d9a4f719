from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.runner import InProcessRunner, InvocationError, UnknownFunctionError
from localcloud.template import FunctionSpec, Template

SOURCE = """\
import datetime, decimal, json

seen = []

class Own:
    def to_json(self):
        return {"own": True}

def echo(event, context):
    return event

def count(event, context):
    seen.append(event)
    return len(seen)

def describe(event, context):
    function = context.function
    return [context.request_id, context.region, function.name, function.memory, str(function.timeout)]

def shape(event, context):
    return hasattr(context, "service")

def values(event, context):
    return {"b": decimal.Decimal("1.5"), "a": datetime.date(2026, 11, 20), "own": Own(), "text": "é"}

def text(event, context):
    return "plain é"

def nothing(event, context):
    return None

def odd(event, context):
    return {1, 2}

def fail(event, context):
    raise LookupError("no such thing")

def leave(event, context):
    raise SystemExit(3)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Lay a package of handlers on the path; give its name."""
    name = "handlers_of_a_test"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    (tmp_path / name / "good.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / name / "broken.py").write_text("def handler(:\n", encoding="utf-8")
    (tmp_path / name / "bursting.py").write_text("1 / 0\n", encoding="utf-8")
    (tmp_path / name / "needy.py").write_text("import a_module_that_is_not_there\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def runner(*handlers: str, runtime: str = "python3.10") -> InProcessRunner:
    """Make a runner whose functions are named after the last part of their handlers."""
    specs = [FunctionSpec(h.rpartition(".")[2], h, runtime, 30, 256, {}, ()) for h in handlers]
    return InProcessRunner(Template({spec.name: spec for spec in specs}, {}))


def failure(handler: str) -> InvocationError:
    with pytest.raises(InvocationError) as caught:
        runner(handler).invoke(handler.rpartition(".")[2], b"")
    return caught.value


def test_a_handler_gets_the_bytes_and_its_bytes_come_back(package: str) -> None:
    result = runner(f"{package}.good.echo").invoke("echo", b"\xff\x00")

    assert result == b"\xff\x00"


def test_the_context_tells_what_the_template_says(package: str) -> None:
    result = runner(f"{package}.good.describe").invoke("describe", b"")

    assert json.loads(result) == ["1-local-1", "cn-shanghai", "describe", 256, "30"]


def test_each_invocation_has_a_request_id_of_its_own(package: str) -> None:
    run = runner(f"{package}.good.describe").resolve("describe")

    first, second = json.loads(run(b""))[0], json.loads(run(b""))[0]

    assert first != second


@pytest.mark.parametrize(("runtime", "has_service"), [("python3.10", b"true"), ("python3.12", b"false")])
def test_the_context_has_the_shape_of_the_runtime(package: str, runtime: str, has_service: bytes) -> None:
    assert runner(f"{package}.good.shape", runtime=runtime).invoke("shape", b"") == has_service


def test_results_are_serialised_as_the_platform_does(package: str) -> None:
    names = ("values", "text", "nothing")
    invoke = runner(*(f"{package}.good.{name}" for name in names)).invoke

    results = [invoke(name, b"") for name in names]

    values = (
        '{\n    "a": "2026-11-20",\n    "b": 1.5,\n    "own": {\n        "own": true\n    },\n'
        '    "text": "\\u00e9"\n}'
    )
    assert results == [values.encode(), "plain é".encode(), b"null"]


def test_a_module_is_imported_at_the_first_invocation_and_once(package: str) -> None:
    run = runner(f"{package}.good.count").resolve("count")
    imported_before = f"{package}.good" in sys.modules

    results = [run(b"a"), run(b"b")]

    assert not imported_before
    assert results == [b"1", b"2"]


def test_an_unknown_function_is_refused_with_the_known_ones() -> None:
    known = runner("functions.callback.handler.a", "functions.callback.handler.b")

    for ask in (lambda: known.invoke("c", b""), lambda: known.resolve("c")):
        with pytest.raises(UnknownFunctionError, match="no function 'c' in the template; it has: a, b"):
            ask()


def test_an_exception_becomes_the_platforms_answer(package: str) -> None:
    error = failure(f"{package}.good.fail")

    answer = json.loads(error.body)
    assert str(error) == "fail: LookupError: no such thing"
    assert error.error_type == answer["errorType"] == "LookupError"
    assert answer["errorMessage"] == "no such thing"
    ((file, _, function, line),) = answer["stackTrace"]
    assert file.endswith('good.py"')
    assert (function, line) == ("in fail", 'raise LookupError("no such thing")')
    assert isinstance(error.__cause__, LookupError)


def test_a_result_that_is_not_json_is_an_error(package: str) -> None:
    error = failure(f"{package}.good.odd")

    assert error.error_type == "TypeError"
    assert "set is not JSON serializable" in str(error)


def test_a_handler_that_leaves_the_process_is_not_caught(package: str) -> None:
    with pytest.raises(SystemExit):
        runner(f"{package}.good.leave").invoke("leave", b"")


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        ("absent.handler", "ImportModuleError", "Unable to import module"),
        ("needy.handler", "ImportModuleError", "Unable to import module"),
        ("broken.handler", "UserCodeSyntaxError", "Syntax error in module"),
        ("bursting.handler", "UserCodeError", "Module initialization error: 'division by zero'"),
        ("good.missing", "HandlerNotFound", "Handler 'missing' is missing on module"),
    ],
)
def test_a_handler_that_cannot_be_loaded_fails_in_the_platforms_words(
    package: str, handler: str, error_type: str, message: str
) -> None:
    error = failure(f"{package}.{handler}")

    assert error.error_type == error_type
    assert message in json.loads(error.body)["errorMessage"]
