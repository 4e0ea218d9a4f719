"""The environment variables of an instance: what the template gives, what the platform adds, nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcloud.template import FunctionSpec, Template
from shared.errors import SettingError

_PLACEHOLDER = re.compile(r"\$\{[^}]+\}")
# What the platform names for itself; functions never see others' variables of that form.
_RESERVED = ("FC_", "_FC_")
# A laptop's instance looks for no keys in the home folder of its owner, and has the platform's time zone.
_SYSTEM = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "TZ": "UTC"}


@dataclass(frozen=True)
class Place:
    """Where functions run: the folder of their code, and what the platform calls region and account."""

    code: Path
    region: str
    account_id: str


def instance_environment(
    spec: FunctionSpec, template: Template, given: Mapping[str, str], place: Place, *, instance_id: str
) -> dict[str, str]:
    """Give the variables of an instance; raise `SettingError` for one whose value nobody knows.

    `given` stands in for what only a deployed stack knows, and goes before what the template says. One that
    the template gives to some functions goes to those alone, any other to all; names that the platform
    reserves go to none.
    """
    declared = {name for function in template.functions.values() for name in function.environment}
    own = {
        name: value
        for name, value in given.items()
        if (name in spec.environment or name not in declared) and not name.startswith(_RESERVED)
    }
    variables = {name: _filled(value, place) for name, value in spec.environment.items()} | own
    for name, value in variables.items():
        unknown = None if name in own else _PLACEHOLDER.search(value)
        if unknown:
            raise SettingError(
                f"{spec.name} needs {name}, and no stack says what {unknown[0]} is: set {name} in the"
                " environment, or give the parameter",
                setting=name,
            )
    return _SYSTEM | variables | _of_platform(spec, place, instance_id)


def _filled(text: str, place: Place) -> str:
    known = {"${ALIYUN::Region}": place.region, "${ALIYUN::TenantId}": place.account_id}
    return _PLACEHOLDER.sub(lambda found: known.get(found[0], found[0]), text)


def _of_platform(spec: FunctionSpec, place: Place, instance_id: str) -> dict[str, str]:
    # The older runtimes and the newer ones have a name of their own for it (function-compute.md 1.3).
    version = "FC_FUNCTION_VERSION" if spec.runtime == "python3.12" else "FC_VER_ID"
    return {
        "FC_FUNC_CODE_PATH": str(place.code),
        "FC_ACCOUNT_ID": place.account_id,
        "FC_FUNCTION_HANDLER": spec.handler,
        "FC_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "FC_FUNCTION_NAME": spec.name,
        "FC_INSTANCE_ID": instance_id,
        "FC_REGION": place.region,
        version: "LATEST",
    }
