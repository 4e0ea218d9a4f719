"""The extraction reads the form in which the vendor's packages are generated."""

from __future__ import annotations

import ast
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from localcloud.lint.additions import TRIGGER_TYPES, TRIGGERS, with_additions
from localcloud.lint.definitions import DATA
from localcloud.lint.extract import as_text, definitions, resource_types, trigger_types

SCRIPT = """\
function RosQPropsValidator(properties) {
    const errors = new ros.ValidationResults();
    errors.collect(ros.propertyValidator('queueName', ros.requiredValidator)(properties.queueName));
    if (properties.queueName && (typeof properties.queueName) !== 'object') {
        errors.collect(ros.propertyValidator('queueName', ros.validateAllowedPattern)({
            data: properties.queueName,
            reg: /^[a-z]{1,3}$/
        }));
    }
    if (properties.queueName && (Array.isArray(properties.queueName))) {
        errors.collect(ros.propertyValidator('queueName', ros.validateLength)({
            data: properties.queueName.length,
            min: undefined,
            max: 120,
        }));
    }
    errors.collect(ros.propertyValidator('queueName', ros.validateString)(properties.queueName));
    if (properties.delay && (typeof properties.delay) !== 'object') {
        errors.collect(ros.propertyValidator('delay', ros.validateRange)({
            data: properties.delay,
            min: 0,
            max: 604800,
        }));
    }
    errors.collect(ros.propertyValidator('delay', ros.validateNumber)(properties.delay));
    if (properties.mode && (typeof properties.mode) !== 'object') {
        errors.collect(ros.propertyValidator('mode', ros.validateAllowedValues)({
            data: properties.mode,
            allowedValues: ["A", "B,C"],
        }));
    }
    errors.collect(ros.propertyValidator('mode', ros.validateString)(properties.mode));
    errors.collect(ros.propertyValidator('tag', ros.listValidator(RosQ_TPropertyValidator))(properties.tag));
    errors.collect(ros.propertyValidator('extra', ros.hashValidator(ros.validateAny))(properties.extra));
    return errors.wrap('supplied properties not correct for "RosQProps"');
}
function rosQPropsToRosTemplate(properties, enableResourcePropertyConstraint) {
    if (enableResourcePropertyConstraint) {
        RosQPropsValidator(properties).assertSuccess();
    }
    return {
        'QueueName': ros.stringToRosTemplate(properties.queueName),
        'DelaySeconds': ros.numberToRosTemplate(properties.delay),
        'Mode': ros.stringToRosTemplate(properties.mode),
        'Tags': ros.listMapper(rosQTagsPropertyToRosTemplate)(properties.tag),
        'Extra': ros.hashMapper(ros.objectToRosTemplate)(properties.extra),
    };
}
class RosQ extends ros.RosResource {
    constructor(scope, id, props, enableResourcePropertyConstraint) {
        this.attrQueueName = this.getAtt('QueueName');
    }
    renderProperties(props) {
        return rosQPropsToRosTemplate(props, this.enableResourcePropertyConstraint);
    }
}
RosQ.ROS_RESOURCE_TYPE_NAME = "ALIYUN::X::Queue";
function RosQ_TPropertyValidator(properties) {
    const errors = new ros.ValidationResults();
    errors.collect(ros.propertyValidator('key', ros.requiredValidator)(properties.key));
    errors.collect(ros.propertyValidator('key', ros.validateString)(properties.key));
    return errors.wrap('supplied properties not correct for "TagsProperty"');
}
function rosQTagsPropertyToRosTemplate(properties) {
    RosQ_TPropertyValidator(properties).assertSuccess();
    return {
        'Key': ros.stringToRosTemplate(properties.key),
    };
}
"""

MODELS = """\
class TimerTriggerConfig(DaraModel):
    def __init__(self, cron_expression: str = None, window: main_models.Window = None,
                 names: List[str] = None, more: Dict[str, str] = None):
        pass
    def to_map(self):
        result['cronExpression'] = self.cron_expression
        result['window'] = self.window.to_map()
        result['names'] = self.names
        result['more'] = self.more
class Window(DaraModel):
    def __init__(self, open_now: bool = None, size: int = None):
        pass
    def to_map(self):
        result['openNow'] = self.open_now
        result['Size'] = self.size
"""


def test_a_generated_script_gives_names_types_and_limits() -> None:
    assert resource_types(SCRIPT) == {
        "ALIYUN::X::Queue": {
            "attributes": ["QueueName"],
            "properties": {
                "QueueName": {
                    "type": "string",
                    "required": True,
                    "pattern": "^[a-z]{1,3}$",
                    "max_length": 120,
                },
                "DelaySeconds": {"type": "number", "min": 0, "max": 604800},
                "Mode": {"type": "string", "values": ["A", "B,C"]},
                "Tags": {"type": "list", "items": {"type": "object", "of": "T"}},
                "Extra": {"type": "map"},
            },
            "types": {"T": {"Key": {"type": "string", "required": True}}},
        }
    }


@pytest.mark.parametrize(
    ("part", "replacement"),
    [
        ("ros.listValidator(RosQ_TPropertyValidator)", "ros.unionValidator(a, b)"),
        ("return rosQPropsToRosTemplate(props", "return other(props"),
        ("RosQPropsValidator(properties).assertSuccess", "check"),
    ],
)
def test_a_script_of_another_form_is_refused(part: str, replacement: str) -> None:
    with pytest.raises(ValueError, match="of another form"):
        resource_types(SCRIPT.replace(part, replacement))


def test_a_client_gives_the_names_on_the_wire_and_their_types() -> None:
    models = {node.name: node for node in ast.parse(MODELS).body if isinstance(node, ast.ClassDef)}

    assert trigger_types(models, {"timer": "TimerTriggerConfig", "tablestore": None}) == {
        "tablestore": {"properties": {}},
        "timer": {
            "properties": {
                "cronExpression": {"type": "string"},
                "window": {"type": "object", "of": "Window"},
                "names": {"type": "list", "items": {"type": "string"}},
                "more": {"type": "map"},
            },
            "types": {"Window": {"openNow": {"type": "boolean"}, "Size": {"type": "number"}}},
        },
    }


def bundle(folder: Path, name: str, scripts: dict[str, str]) -> Path:
    """Pack scripts as the vendor does: a tar file in a wheel."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as files:
        for script, text in scripts.items():
            member = tarfile.TarInfo(f"package/lib/{script}")
            member.size = len(text.encode())
            files.addfile(member, io.BytesIO(text.encode()))
    path = folder / f"{name}-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/_jsii/{name}@1.2.3.jsii.tgz", packed.getvalue())
    return path


def test_wheels_give_definitions_and_their_versions(tmp_path: Path) -> None:
    core = {"ros-fn.js": "super('Fn::Join', [])", "ros-pseudo.js": 'const A = "ALIYUN::Region";'}
    client = tmp_path / "alibabacloud_fc20230330-4.5.6-py3-none-any.whl"
    with zipfile.ZipFile(client, "w") as archive:
        for trigger, model in TRIGGER_TYPES.items():
            text = MODELS.replace("TimerTriggerConfig", model or "Unused")
            archive.writestr(f"alibabacloud_fc20230330/models/_{trigger}.py", text)

    found = definitions(
        [
            client,
            bundle(tmp_path, "ros_cdk_core", core),
            bundle(
                tmp_path,
                "ros_cdk_x",
                {"x.generated.js": SCRIPT, "index.js": "", "datasource/x.generated.js": ""},
            ),
        ]
    )

    assert found["sources"] == {
        "alibabacloud-fc20230330": "4.5.6",
        "ros-cdk-core": "1.2.3",
        "ros-cdk-x": "1.2.3",
    }
    assert (found["functions"], found["pseudo_parameters"]) == (["Fn::Join", "Ref"], ["ALIYUN::Region"])
    assert set(found["resources"]) == {"ALIYUN::X::Queue"}
    assert set(found["triggers"]["timer"]["properties"]) == {"cronExpression", "window", "names", "more"}
    assert json.loads(as_text(found)) == found


def test_the_definitions_are_as_the_extraction_writes_them() -> None:
    text = DATA.read_text(encoding="utf-8")

    assert as_text(json.loads(text)) == text


def test_what_is_added_is_in_the_definitions() -> None:
    found = json.loads(DATA.read_text(encoding="utf-8"))

    assert set(TRIGGERS) < set(found["triggers"])
    assert as_text(with_additions(found)) == DATA.read_text(encoding="utf-8")
