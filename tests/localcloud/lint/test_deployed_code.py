"""Functions are held against the code and the sample events beside their template."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.lint import deployed_code
from localcloud.lint.findings import Finding
from localcloud.lint.import_handlers import problem
from localcloud.lint.linter import lint

TEMPLATE = """\
ROSTemplateFormatVersion: '2015-09-01'
Resources:
  Callback:
    Type: ALIYUN::FC3::Function
    Properties:
      FunctionName: callback
      Runtime: python3.10
      Handler: functions.callback.handler.handler
"""
HANDLER = "def handler(event, context):\n    return 'done'\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    code = tmp_path / "functions" / "callback"
    code.mkdir(parents=True)
    (code / "__init__.py").touch()
    (tmp_path / "functions" / "__init__.py").touch()
    (code / "handler.py").write_text(HANDLER)
    samples = tmp_path / "events" / "callback"
    samples.mkdir(parents=True)
    (samples / "one.json").write_text("{}")
    return tmp_path


def check(folder: Path, text: str = TEMPLATE) -> list[Finding]:
    return lint(text, folder=folder, source="template.yml")


def test_code_and_samples_that_are_there_are_right(project: Path) -> None:
    assert check(project) == []


@pytest.mark.parametrize(
    ("handler", "said", "nearest"),
    [
        ("functions.callback.handler.handle", "no function handle", None),
        ("functions.callback.handlers.handler", "No module named", None),
        ("function.callback.handler.handler", "there is no function beside", "functions"),
        ("functions.callbak.handler.handler", "no sample event in events/callbak/", None),
    ],
)
def test_a_handler_that_is_not_there_is_a_mistake(
    handler: str, said: str, nearest: str | None, project: Path
) -> None:
    findings = check(project, TEMPLATE.replace("functions.callback.handler.handler", handler))

    assert {one.path for one in findings} == {"Resources.Callback.Properties.Handler"}
    assert {one.severity.value for one in findings} == {"error"}
    assert said in " ".join(one.problem for one in findings)
    assert findings[0].nearest == nearest
    assert (findings[0].at.line, findings[0].at.column) == (8, 16)


@pytest.mark.parametrize("hook", ["Initializer", "PreStop"])
@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ("functions.instance.initialise", "has no function initialise"),
        ("functions.instances.initialize", "No module named"),
        ("initialize", "is no module and function"),
    ],
)
def test_a_hook_that_is_not_there_is_a_mistake(hook: str, handler: str, said: str, project: Path) -> None:
    (project / "functions" / "instance.py").write_text("def initialize(context):\n    pass\n")
    hooks = f"{{{hook}: {{Handler: functions.instance.initialize}}}}"
    right = f"{TEMPLATE}      InstanceLifecycleConfig: {hooks}\n"

    (finding,) = check(project, right.replace("functions.instance.initialize", handler))

    assert finding.path == f"Resources.Callback.Properties.InstanceLifecycleConfig.{hook}.Handler"
    assert (finding.severity.value, said in finding.problem) == ("error", True)
    assert check(project, right) == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def handler(:\n", "SyntaxError"),
        ("raise RuntimeError('no such setting')\n", "RuntimeError: no such setting"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
        ("import os\nos._exit(3)\n", "ended the process"),
        ("import functions.callback.missing\n", "No module named 'functions.callback.missing'"),
        ("handler = 'no function'\n", "has no function handler"),
    ],
)
def test_a_handler_that_cannot_be_imported_is_a_mistake(code: str, said: str, project: Path) -> None:
    (project / "functions" / "callback" / "handler.py").write_text(code)

    (finding,) = check(project)

    assert (finding.severity.value, said in finding.problem) == ("error", True)


@pytest.mark.parametrize(("runtime", "problems"), [("python3.10", 1), ("python3.12", 0)])
def test_a_folder_that_the_runtime_would_not_import_is_a_mistake(
    runtime: str, problems: int, project: Path
) -> None:
    (project / "functions" / "callback" / "__init__.py").unlink()

    findings = check(project, TEMPLATE.replace("python3.10", runtime))

    assert ["functions/callback/" in one.problem for one in findings] == [True] * problems


def test_a_package_that_only_the_runtime_has_is_noted(project: Path) -> None:
    (project / "functions" / "callback" / "handler.py").write_text(f"import the_runtimes_own\n{HANDLER}")

    (finding,) = check(project)

    assert (finding.severity.value, "the_runtimes_own" in finding.problem) == ("note", True)


def test_what_a_handler_prints_on_import_is_no_answer(project: Path) -> None:
    (project / "functions" / "callback" / "handler.py").write_text(f"print('{{')\n{HANDLER}")

    assert check(project) == []


def test_a_function_without_samples_is_a_mistake(project: Path) -> None:
    (project / "events" / "callback" / "one.json").unlink()

    (finding,) = check(project)

    assert "no sample event in events/callback/" in finding.problem


def test_code_that_is_somewhere_else_is_noted(tmp_path: Path) -> None:
    (finding,) = check(tmp_path)

    assert (finding.severity.value, "not checked" in finding.problem) == ("note", True)


@pytest.mark.parametrize(
    ("variables", "problems"),
    [
        ("{A: x, B: !Ref Text}", 0),
        ("{A: !Sub '${Text}${Text}'}", 0),
        ("{A: !Sub '${Text}${Text}${Text}'}", 1),
        ("{A: !Ref Text, B: !Ref Text, C: !Ref Text}", 1),
        ("{A: !Sub ['${T}', {T: !Ref Text}]}", 0),
        ("{A: !Select [0, [!Ref Text]]}", 0),
    ],
)
def test_variables_are_counted_with_the_defaults_of_parameters(
    variables: str, problems: int, project: Path
) -> None:
    parameters = f"Parameters: {{Text: {{Type: String, Default: {'é' * 1000}}}}}\n"
    used = "Outputs: {Text: {Value: !Ref Text}}\n"
    text = f"{TEMPLATE}      EnvironmentVariables: {variables}\n{parameters}{used}"

    findings = check(project, text)

    assert ["4096 are allowed" in one.problem for one in findings] == [True] * problems


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("json.dumps", None),
        ("json/decoder.JSONDecodeError", None),
        ("json.nothing", {"broken": "json has no function nothing"}),
        ("json.nothing.dumps", {"broken": "No module named 'json.nothing'"}),
        ("nowhere.dumps", {"missing": "No module named 'nowhere'"}),
        (".dumps", {"broken": "ValueError: Empty module name"}),
    ],
)
def test_a_handler_is_imported_as_the_runtime_does(handler: str, found: dict[str, str] | None) -> None:
    assert problem(handler) == found


def test_importing_without_end_is_a_mistake(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployed_code, "_SECONDS_TO_IMPORT", 0)

    (finding,) = check(project)

    assert "importing took more than 0 s" in finding.problem
