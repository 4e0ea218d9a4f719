"""What is to be deployed where, checked before anything is called."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.deploy.template import DeployedTemplate
from shared.errors import SettingError
from shared.vendor import REGION_PATTERN

# Parameters that this command gives: where the package is.
CODE_BUCKET, CODE_KEY = "CodeBucket", "CodeKey"

# Of a stack: https://www.alibabacloud.com/help/en/ros/developer-reference/api-ros-2019-09-10-createstack
_STACK = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,254}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_REGION = re.compile(REGION_PATTERN)


@dataclass(frozen=True)
class StackName:
    """A stack by its name, and the region it is in."""

    name: str
    region: str

    @classmethod
    def checked(cls, name: str, region: str) -> StackName:
        """Take what was typed; raise `SettingError` naming the option that is wrong."""
        if not _STACK.fullmatch(name):
            raise SettingError("--stack: a letter, then at most 254 letters, digits, - and _")
        if not _REGION.fullmatch(region):
            raise SettingError("--region: not a region; one looks like cn-shanghai")
        return cls(name, region)


@dataclass(frozen=True)
class PackageFile:
    """A zip to deploy, and where it goes: the same content has the same key, any other another one."""

    file: Path
    sha256: str
    bucket: str

    @classmethod
    def checked(cls, file: Path, bucket: str) -> PackageFile:
        """Take what was typed or made; raise `SettingError` naming the option that is wrong."""
        if not _BUCKET.fullmatch(bucket):
            raise SettingError("--code-bucket: the name of a bucket alone, such as my-packages")
        try:
            content = file.read_bytes()
        except OSError as error:
            raise SettingError(f"--package: {file}: {error.strerror or error}") from error
        if not content.startswith(b"PK"):
            raise SettingError(f"--package: {file} is no zip")
        return cls(file, hashlib.sha256(content).hexdigest(), bucket)

    @property
    def key(self) -> str:
        """Give the key of the object."""
        # ROS sees no change when only the content of an object changes (function-compute.md 4a, "Gap").
        return f"media-ledger/{self.sha256}.zip"


@dataclass(frozen=True)
class Release:
    """One state that a stack shall have."""

    stack: StackName
    template: DeployedTemplate
    package: PackageFile
    parameters: Mapping[str, str]
    timeout_minutes: int

    @property
    def missing(self) -> list[str]:
        """Give the parameters without which the stack can be updated, but not created."""
        return sorted(self.template.required - self.parameters.keys())

    def check_complete(self) -> None:
        """Raise `SettingError` for a stack that cannot be created from this."""
        if self.missing:
            options = " ".join(f"--parameter {name}=..." for name in self.missing)
            raise SettingError(f"a new stack needs {options}: {self.template.file} describes them")


def parameters_of(pairs: Iterable[str], template: DeployedTemplate, package: PackageFile) -> dict[str, str]:
    """Read `Name=value` and `Name=@file`, and add where the package is; raise `SettingError`."""
    own = {CODE_BUCKET: package.bucket, CODE_KEY: package.key}
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SettingError("--parameter: must look like Name=value or Name=@file")
        if name in own:
            raise SettingError(f"--parameter: {name} is given by this command itself")
        if name in given:
            raise SettingError(f"--parameter: {name} is there twice")
        if name not in template.parameters:
            near = difflib.get_close_matches(name, template.parameters, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingError(f"--parameter: {template.file} has no parameter {name[:60]}{hint}")
        given[name] = _content(name, value[1:]) if value.startswith("@") else value
    return own | given


def _content(name: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"--parameter: {name}: {file} cannot be read as text: {error}") from error
