from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.template import (
    HookSpec,
    Template,
    TemplateError,
    TriggerSpec,
    parse_template,
    read_template,
)

HEAD = "ROSTemplateFormatVersion: '2015-09-01'\n"

FUNCTION = """\
Resources:
  Callback:
    Type: ALIYUN::FC3::Function
    Properties:
      FunctionName: !Sub ${Name}-callback
      Runtime: python3.10
      Handler: functions.callback.handler.handler
      Timeout: 60
      MemorySize: 512
"""

TRIGGER = """\
  Topic:
    Type: ALIYUN::FC3::Trigger
    Properties:
      FunctionName: !GetAtt Callback.FunctionName
      TriggerName: topic
      TriggerType: mns_topic
      TriggerConfig: {notifyContentFormat: JSON}
"""


RESERVED = """\
  Concurrency:
    Type: ALIYUN::FC3::ConcurrencyConfig
    Properties:
      FunctionName: !GetAtt Callback.FunctionName
      ReservedConcurrency: 7
"""


def parse(text: str, **given: str) -> Template:
    return parse_template(HEAD + text, source="template.yml", parameters=given)


def environment(variables: str, *, parameters: str = "") -> dict[str, str]:
    lines = f"      EnvironmentVariables:\n        VALUE: {variables}\n"
    return dict(parse(parameters + FUNCTION + lines).functions["callback"].environment)


def test_a_function_is_known_by_its_folder() -> None:
    template = parse(FUNCTION)

    spec = template.functions["callback"]
    assert list(template.functions) == ["callback"]
    assert (spec.handler, spec.runtime) == ("functions.callback.handler.handler", "python3.10")
    assert (spec.timeout, spec.memory) == (60, 512)
    assert spec.environment == {}
    assert spec.triggers == ()


@pytest.mark.parametrize(
    "reference",
    ["!GetAtt Callback.FunctionName", "!Ref Callback", "{'Fn::GetAtt': [Callback, FunctionName]}"],
)
def test_a_trigger_belongs_to_the_function_it_refers_to(reference: str) -> None:
    template = parse(FUNCTION + TRIGGER.replace("!GetAtt Callback.FunctionName", reference))

    (trigger,) = template.functions["callback"].triggers
    assert trigger == TriggerSpec("topic", "mns_topic", {"notifyContentFormat": "JSON"})


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("plain", "plain"),
        ("12", "12"),
        ("!Sub oss://${Bucket}/${Unknown}", "oss://media/${Unknown}"),
        ("!Ref Bucket", "media"),
        ("!Ref ALIYUN::Region", "${ALIYUN::Region}"),
        ("!GetAtt Ledger.InstanceName", "${Ledger.InstanceName}"),
    ],
)
def test_a_variable_keeps_what_only_a_deployed_stack_knows(written: str, read: str) -> None:
    parameters = "Parameters:\n  Bucket: {Type: String, Default: media}\n"

    assert environment(written, parameters=parameters) == {"VALUE": read}


def test_given_parameters_go_before_their_defaults() -> None:
    parameters = "Parameters:\n  Bucket: {Type: String, Default: media}\n  Key: {Type: String}\n"
    lines = "      EnvironmentVariables:\n        VALUE: !Sub ${Bucket}/${Key}\n"

    template = parse(parameters + FUNCTION + lines, Bucket="other", Key="1.zip")

    assert template.functions["callback"].environment == {"VALUE": "other/1.zip"}


def test_hooks_and_requests_at_a_time_belong_to_a_function() -> None:
    lines = (
        "      InstanceConcurrency: 5\n"
        "      InstanceLifecycleConfig:\n"
        "        Initializer: {Handler: functions.start.run, Timeout: 10}\n"
    )
    plain, full = (parse(FUNCTION + more).functions["callback"] for more in ("", lines))

    assert (plain.concurrency, plain.initializer, plain.pre_stop) == (1, None, None)
    assert (full.concurrency, full.initializer) == (5, HookSpec("functions.start.run", 10))
    assert full.pre_stop is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("7", 7),
        ("!Ref Many", 15),
        ("!Calculate ['{0} - 5', 0, [!Ref Many]]", 10),
        ("!Calculate ['2 * {0}', 0, [!Ref Many]]", 30),
    ],
)
def test_reserved_instances_belong_to_the_function_they_refer_to(written: str, read: int) -> None:
    parameters = "Parameters:\n  Many: {Type: Number, Default: 15}\n"

    template = parse(parameters + FUNCTION + RESERVED.replace("7", written))

    assert template.functions["callback"].reserved == read
    assert parse(FUNCTION).functions["callback"].reserved is None


def test_every_short_form_becomes_its_long_form() -> None:
    tables = parse(
        "Resources:\n"
        "  Jobs:\n"
        "    Type: ALIYUN::OTS::Table\n"
        "    Properties: {Ttl: !Calculate ['{0} * 2', 0, [!Ref Days]], Name: !Select {a: !Ref Days}}\n"
        "  Empty: {Type: ALIYUN::OTS::Table}\n"
    ).resources("ALIYUN::OTS::Table")

    assert tables == {
        "Jobs": {
            "Ttl": {"Fn::Calculate": ["{0} * 2", 0, [{"Ref": "Days"}]]},
            "Name": {"Fn::Select": {"a": {"Ref": "Days"}}},
        },
        "Empty": {},
    }


def test_a_key_that_stands_twice_is_refused_with_its_line() -> None:
    with pytest.raises(TemplateError, match=r"template\.yml, line 11: the key 'Timeout' stands here twice"):
        parse(FUNCTION + "      Timeout: 300\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Resources:\n  - [", "line 3"),
        ("Resources: !!python/name:os.system x\n", "could not determine a constructor"),
        ("Resources: 1\n", "Resources must be a mapping"),
        ("Resources:\n  ? [a, b]\n  : 1\n", "line 3"),
        (FUNCTION.replace("Timeout: 60", "Timeout: soon"), "Callback: Timeout must be a whole number"),
        (FUNCTION.replace("Timeout: 60", "Timeout: yes"), "Callback: Timeout must be text"),
        (FUNCTION.replace("Runtime: python3.10", "Runtime: [a]"), "Callback: Runtime must be text"),
        (FUNCTION.replace("functions.callback", "callback"), "Callback: Handler must look like"),
        (FUNCTION.replace("functions.", "functions/"), "Callback: Handler must look like"),
        (FUNCTION + FUNCTION.removeprefix("Resources:\n").replace("Callback:", "Again:"), "a second"),
        ("Resources:\n" + TRIGGER, "functions that do not exist: Callback"),
        ("Resources:\n" + RESERVED, "functions that do not exist: Callback"),
        (FUNCTION + RESERVED.replace("7", "!Calculate ['{0} / {1}', 0, [1, 2]]"), "must be a whole number"),
        (
            FUNCTION + "      InstanceLifecycleConfig: {PreStop: {Handler: a.b}}\n",
            "Callback: Timeout must be",
        ),
        (FUNCTION + TRIGGER.replace("!GetAtt Callback.FunctionName", "x"), "Topic: FunctionName must"),
    ],
)
def test_what_a_runner_cannot_read_is_refused_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(text)

    assert reason in str(caught.value)
    assert str(caught.value).startswith("template.yml")


@pytest.mark.parametrize("text", ["", "- a\n", "Resources: {}\n", "AWSTemplateFormatVersion: x\n"])
def test_another_kind_of_file_is_refused(text: str) -> None:
    with pytest.raises(TemplateError, match="not a ROS template"):
        parse_template(text, source="template.yml")


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yml"
    binary.write_bytes(b"\xff\xfe")

    for path in (binary, tmp_path / "missing.yml"):
        with pytest.raises(TemplateError, match=f"{path.name}: cannot be read as text"):
            read_template(path)
