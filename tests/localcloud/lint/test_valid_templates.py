"""Right templates raise no alarm: ours, and others of other products."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.lint.definitions import load_definitions
from localcloud.lint.document import read_document
from localcloud.lint.linter import lint, lint_file
from localcloud.lint.names import Names

ROOT = Path(__file__).parents[3]
VALID = sorted((Path(__file__).parent / "valid").iterdir())

HEAD = "ROSTemplateFormatVersion: '2015-09-01'\n"


def types_in(path: Path) -> set[str]:
    names = Names(read_document(path.read_text(encoding="utf-8"), source=path.name).root)
    return {str(names.type_of(resource)) for resource in names.resources}


def test_our_own_template_is_right() -> None:
    assert lint_file(ROOT / "template.yml") == []


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_a_right_template_raises_no_alarm(path: Path) -> None:
    assert lint_file(path) == []


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_a_right_template_uses_types_that_ours_does_not(path: Path) -> None:
    known = load_definitions().resource_types

    assert len(types_in(path) - types_in(ROOT / "template.yml")) >= 5
    assert types_in(path) <= known


@pytest.mark.parametrize(
    ("resource", "nearest"),
    [
        ("ALIYUN::Quantum::Computer", None),
        ("DATASOURCE::VPC::Vpcs", None),
        ("Custom::Thing", None),
        ("Aliyun", None),
        ("ALIYUN::OSS::Bukcet", "ALIYUN::OSS::Bucket"),
        ("ALIYUN::Oss::Bucket", "ALIYUN::OSS::Bucket"),
    ],
)
def test_an_unknown_type_is_a_mistake_only_where_it_nearly_is_a_known_one(
    resource: str, nearest: str | None, tmp_path: Path
) -> None:
    text = f"{HEAD}Resources:\n  One:\n    Type: {resource}\n    Properties: {{A: 1}}\n"

    (finding,) = lint(text, folder=tmp_path, source="template.yml")

    assert (finding.severity.value, finding.nearest) == ("error" if nearest else "note", nearest)


def test_what_is_not_known_is_noted_and_fails_nothing(tmp_path: Path) -> None:
    text = f"""{HEAD}Sonnets: []
Resources:
  Made:
    Type: ALIYUN::OSS::Bucket
    Hooks: []
    Properties:
      BucketName: {{Fn::Quantise: 7}}
"""

    findings = lint(text, folder=tmp_path, source="template.yml")

    assert {(one.path, one.severity.value) for one in findings} == {
        ("Sonnets", "note"),
        ("Resources.Made.Hooks", "note"),
        ("Resources.Made.Properties.BucketName", "note"),
    }


def test_a_template_of_another_format_is_left_alone(tmp_path: Path) -> None:
    resources = "Resources: {A: {Type: Aliyun::Serverless::Service}}"
    text = f"{HEAD}Transform: Aliyun::Serverless-2018-04-03\n{resources}"

    (finding,) = lint(text, folder=tmp_path, source="template.yml")

    assert finding.severity.value == "note"


def test_no_definition_names_a_type_that_it_does_not_have() -> None:
    definitions = load_definitions()
    known = [definitions.resource(name) for name in definitions.resource_types]
    known += [definitions.trigger(name) for name in definitions.trigger_types]

    for definition in known:
        assert definition
        members = [definition.properties, *definition.types.values()]
        schemas = [one for properties in members for one in properties.values()]
        schemas += [one.items for one in schemas if one.items]
        assert {one.of for one in schemas if one.of} <= set(definition.types)
        assert {one.type for one in schemas} <= {
            "string", "number", "boolean", "any", "map", "list", "object",
        }  # fmt: skip


def test_the_definitions_are_those_of_the_pinned_packages() -> None:
    pins = (ROOT / "requirements" / "ros-cdk.txt").read_text(encoding="utf-8")
    pinned = {
        name.strip(): version.split()[0]
        for name, _, version in (line.partition("==") for line in pins.splitlines() if "==" in line)
    }

    assert load_definitions().sources == pinned
