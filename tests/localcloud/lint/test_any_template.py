"""Whatever a template says, the answer is a list of findings."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.lint.linter import lint

WORDS = (
    "Type", "Default", "Properties", "DependsOn", "Condition", "Value", "Ref", "Fn::GetAtt", "Fn::Sub",
    "Fn::If", "Fn::FindInMap", "Fn::And", "A", "TriggerType", "TriggerConfig", "cronExpression",
    "EnvironmentVariables", "Handler", "Runtime", "Cpu", "MemorySize", "FunctionName", "timer", "python3.10",
    "ALIYUN::FC3::Function", "ALIYUN::FC3::Trigger", "${A}", "${A.B}", "1", "",
)  # fmt: skip
words = st.sampled_from(WORDS)
leaves = words | st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4)
)
resources = st.fixed_dictionaries(
    {"Type": st.sampled_from(["ALIYUN::FC3::Function", "ALIYUN::FC3::Trigger"]), "Properties": trees}
)
templates = st.fixed_dictionaries(
    {"Resources": st.dictionaries(st.sampled_from("AB"), resources) | trees},
    optional=dict.fromkeys(("Parameters", "Conditions", "Mappings", "Outputs", "Locals", "Rules"), trees),
)


@settings(max_examples=200, deadline=None)
@given(templates)
def test_any_template_is_checked(template: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        findings = lint(json.dumps(template), folder=Path(folder), source="template.json")

    assert [one for one in findings if not one.problem] == []
