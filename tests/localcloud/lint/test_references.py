"""References that the real template does not use, and values that functions give."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.lint.findings import Severity
from localcloud.lint.linter import lint

FRAME = """\
ROSTemplateFormatVersion: '2015-09-01'
Parameters:
  Size: {Type: Number, Default: 90000}
  Kind: {Type: String, Default: ''}
  Many: {Type: CommaDelimitedList, Default: 'a,b'}
Mappings:
  Sizes: {small: {memory: 512}, large: {memory: 1024}}
Conditions:
  Big: {Fn::Equals: [!Ref Size, 1]}
Outputs:
  Used: {Value: [!Ref Size, !Ref Kind, !Ref Many]}
Resources:
  Queue:
    Type: ALIYUN::MNS::Queue
    Count: 2
    Properties:
      QueueName: queue
"""


def problems(addition: str, folder: Path) -> list[tuple[str, str | None]]:
    found = lint(FRAME + addition, folder=folder, source="template.yml")
    return [(one.problem, one.nearest) for one in found]


@pytest.mark.parametrize(
    "addition",
    [
        "      VisibilityTimeout: !FindInMap [Sizes, small, memory]",
        "      VisibilityTimeout: !FindInMap [Sizes, !Ref Kind, memory]",
        "      VisibilityTimeout: !If [Big, 60, !Ref 'ALIYUN::NoValue']",
        "      VisibilityTimeout: '60'",
        "      VisibilityTimeout:",
        "      VisibilityTimeout: !Select [0, !Ref Many]",
        "      Tags: !Ref Many",
        '      Tags: \'[{"Key": "team", "Value": "media"}]\'',
        "      DlqPolicy: {Fn::If: [Big, {Enabled: true, MaxReceiveCount: 3, DeadLetterTargetQueue: q},"
        " !Ref 'ALIYUN::NoValue']}",
        "    DependsOn: []",
        "  Other:\n    Type: ALIYUN::MNS::Queue\n    DependsOn: ['Queue[0]']\n    Properties:"
        " {QueueName: !Sub '${Queue[0].QueueName}-${!Literal}'}",
    ],
)
def test_a_right_value_has_no_problems(addition: str, tmp_path: Path) -> None:
    assert problems(addition, tmp_path) == []


WRONG = [
    ("      VisibilityTimeout: !FindInMap [Size, small, memory]", "no mapping", "Sizes"),
    ("      VisibilityTimeout: !FindInMap [Sizes, smal, memory]", "no key smal", "small"),
    ("      VisibilityTimeout: !FindInMap [Sizes, small, memroy]", "no key memroy", "memory"),
    ("      VisibilityTimeout: !If [Big, 60, 0.5]", "less than 1", None),
    ("      VisibilityTimeout: !If [Bgi, 60, 61]", "no condition", "Big"),
    ("      VisibilityTimeout: !Ref Size", "default of the parameter Size 90000 is more", None),
    ("      VisibilityTimeout: true", "must be a number", None),
    ("      VisibilityTimeout: nan", "must be a number", None),
    ("      VisibilityTimeout: [1]", "must be a number, is a list", None),
    ("      VisibilityTimeout: {Fn::Select: [0, [1]], Fn::Join: ['', []]}", "must be a number", None),
    (
        '      DlqPolicy: \'{"Enabled": true, "MaxReceiveCount": 3}\'',
        "DeadLetterTargetQueue is req",
        None,
        ),
    ("      DlqPolicy: on", "must be a mapping, is a single value", None),
    ("      Tags: team", "must be a list", None),
    ("  Other: {Type: 'ALIYUN::OTS::Instance', Properties: {InstanceName: a}}", "does not match ^", None),
    ("  Other: {Type: 'ALIYUN::FC3::Function', Properties: {FunctionName: a, Handler: a, Runtime: custom,"
     f" Description: {'x' * 257}}}}}", "257 characters; at most 256", None),
    ("  Other: {Type: 'ALIYUN::OTS::Table', Properties: {InstanceName: abc, TableName: a, PrimaryKey: []}}",
     "0 elements; at least 1", None),
    ("      Tags: [team]", "must be a mapping, is a single value", None),
    ("  Other: {Type: 'ALIYUN::RAM::Role', Properties: {RoleName: a, AssumeRolePolicyDocument: {Version: '1',"
     " Statement: [{Effect: Allow, Action: 'sts:AssumeRole', Condition: always}]}}}",
     "must be a mapping", None),
    ("  Other: {Type: 'ALIYUN::FC3::Trigger', Properties: {FunctionName: a, TriggerName: a,"
     " TriggerType: timer, TriggerConfig: '@every 1m'}}", "must be a mapping", None),
    ("    Condition: Bigg", "no condition", "Big"),
    ("    DependsOn: Queue", "wait for each other: Queue, Queue", None),
    ("    DependsOn: [Qeueu]", "no resource", "Queue"),
    ("  Other: []", "must be a mapping", None),
    ("  Other: {Properties: {}}", "Type is required", None),
]  # fmt: skip


@pytest.mark.parametrize(("addition", "said", "nearest"), WRONG)
def test_a_wrong_value_is_found(addition: str, said: str, nearest: str | None, tmp_path: Path) -> None:
    found = problems(addition, tmp_path)

    assert said in found[0][0]
    assert found[0][1] == nearest


def test_resources_that_wait_for_each_other_are_found(tmp_path: Path) -> None:
    text = """\
ROSTemplateFormatVersion: '2015-09-01'
Resources:
  First: {Type: Custom::Queue, Properties: {After: !Ref Second}}
  Second: {Type: Custom::Queue, Properties: {After: !Sub 'x-${Third.Name}'}}
  Third: {Type: Custom::Queue, Properties: {After: {Fn::If: [A, !GetAtt First.Name, '']}}}
Conditions: {A: {Fn::Equals: [1, 1]}}
"""

    errors = [
        one for one in lint(text, folder=tmp_path, source="template.yml") if one.severity is Severity.ERROR
    ]

    assert [(one.path, one.problem) for one in errors] == [
        ("Resources.First", "resources wait for each other: First, Second, Third, First")
    ]


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ("{A: {Fn::And: [Bigg, {Fn::Not: [B]}]}, B: {Fn::Equals: [1, 1]}}", "no condition is called Bigg"),
        ("{A: {Fn::Or: [B, C]}, B: {Fn::Equals: [1]}, C: {Fn::Not: B}}", "takes a list of 2, not of 1"),
        ("[]", "must be a mapping"),
    ],
)
def test_a_wrong_condition_is_found(conditions: str, said: str, tmp_path: Path) -> None:
    text = f"ROSTemplateFormatVersion: '2015-09-01'\nResources: {{}}\nConditions: {conditions}\n"

    (finding,) = lint(text, folder=tmp_path, source="template.yml")

    assert said in finding.problem


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("{Type: String, Default: c, AllowedValues: [a, b]}", "none of AllowedValues"),
        ("{Type: String, Default: abc, AllowedPattern: '[0-9]+'}", "does not match AllowedPattern"),
        ("{Type: String, Default: abc, MaxLength: 2}", "beyond MaxLength, 2"),
        ("{Type: String, Default: a, MinLength: 2}", "beyond MinLength, 2"),
        ("{Type: Number, Default: 3, MaxValue: 2}", "beyond MaxValue, 2"),
        ("{Default: 3}", "Type is required"),
        ("text", "must be a mapping"),
    ],
)
def test_a_parameter_that_contradicts_itself_is_found(parameter: str, said: str, tmp_path: Path) -> None:
    text = f"""\
ROSTemplateFormatVersion: '2015-09-01'
Resources: {{}}
Parameters: {{One: {parameter}}}
Outputs: {{One: {{Value: !Ref One}}}}
"""

    (finding,) = lint(text, folder=tmp_path, source="template.yml")

    assert said in finding.problem


@pytest.mark.parametrize(
    "parameter",
    [
        "{Type: String, Default: abc, AllowedPattern: '(?<year>x'}",
        "{Type: Number, Default: null, MinValue: 1}",
        "{Type: Number, Default: '3', MaxValue: 2}",
        "{Type: Number, Default: 3, MaxValue: true}",
        "{Type: Json, Default: {a: 1}}",
    ],
)
def test_a_limit_that_only_the_stack_can_judge_is_left_to_it(parameter: str, tmp_path: Path) -> None:
    text = f"""\
ROSTemplateFormatVersion: '2015-09-01'
Resources: {{}}
Parameters: {{One: {parameter}}}
Outputs: {{One: {{Value: !Ref One}}}}
"""

    assert lint(text, folder=tmp_path, source="template.yml") == []
