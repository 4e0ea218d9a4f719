from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.fc.environment import Place, instance_environment
from localcloud.template import Template
from shared.errors import SettingError
from tests.localcloud.fc.handlers_in_a_folder import spec

PLACE = Place(Path("/code"), "cn-beijing", "42")


def environment(
    declared: dict[str, str], given: dict[str, str], *, runtime: str = "python3.10"
) -> dict[str, str]:
    """Give the variables of a function beside another one, which has a variable KEY."""
    own = spec("index.own", environment=declared, runtime=runtime)
    template = Template({"own": own, "other": spec("index.other", environment={"KEY": "x"})}, {})
    return instance_environment(own, template, given, PLACE, instance_id="c-1")


@pytest.mark.parametrize(
    ("declared", "given", "seen"),
    [
        ({"A": "template"}, {}, {"A": "template"}),
        ({"A": "template"}, {"A": "caller"}, {"A": "caller"}),
        ({"A": "oss://${Bucket}"}, {"A": "file:///x"}, {"A": "file:///x"}),
        ({"A": "${ALIYUN::Region}/${ALIYUN::TenantId}"}, {}, {"A": "cn-beijing/42"}),
        ({}, {"A": "${not a template}"}, {"A": "${not a template}"}),
        ({}, {"KEY": "of the other"}, {}),
        ({"KEY": "y"}, {"KEY": "of both"}, {"KEY": "of both"}),
    ],
)
def test_the_callers_variables_go_first_and_each_to_who_declares_it(
    declared: dict[str, str], given: dict[str, str], seen: dict[str, str]
) -> None:
    variables = environment(declared, given)

    assert {name: value for name, value in variables.items() if name in ("A", "KEY")} == seen


def test_a_variable_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(SettingError, match=r"own needs A, and no stack says what \$\{Bucket\} is: set A in"):
        environment({"A": "oss://${Bucket}/x"}, {})


def test_the_platform_adds_its_own_and_no_name_of_its_form_comes_from_elsewhere() -> None:
    variables = environment({}, {"FC_REGION": "elsewhere", "FC_SECRET": "x", "_FC_SECRET": "x"})

    assert {name: value for name, value in variables.items() if name.startswith(("FC_", "_FC_"))} == {
        "FC_FUNC_CODE_PATH": "/code",
        "FC_ACCOUNT_ID": "42",
        "FC_FUNCTION_HANDLER": "index.own",
        "FC_FUNCTION_MEMORY_SIZE": "512",
        "FC_FUNCTION_NAME": "own",
        "FC_INSTANCE_ID": "c-1",
        "FC_REGION": "cn-beijing",
        "FC_VER_ID": "LATEST",
    }


def test_newer_runtimes_name_the_version_otherwise() -> None:
    variables = environment({}, {}, runtime="python3.12")

    assert "FC_VER_ID" not in variables
    assert variables["FC_FUNCTION_VERSION"] == "LATEST"
