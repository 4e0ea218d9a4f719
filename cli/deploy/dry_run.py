"""Shows what a deployment would call, and the vendor's commands for the same. Pure; no account is needed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from cli.deploy import calls
from cli.deploy.release import Release
from cli.deploy.template import DeployedTemplate
from shared.toolkit.masking import MASK, Masker
from shared.vendor import ApiRequest

_ID = "<stack id>"
_TOKEN = "<new for every run>"


@dataclass(frozen=True)
class Step:
    """One call: when it is made, what is sent, nothing secret in it, and the command that does the same."""

    when: str
    service: str
    method: str
    action: str
    parameters: Mapping[str, str]
    command: str


def steps_of(release: Release) -> list[Step]:
    """List the calls of a deployment in their order."""
    region = release.stack.region

    def ros(when: str, request: ApiRequest) -> Step:
        shown = _shown(request, release.template)
        return Step(when, "ROS", "POST", request.action, shown, _command(request, release.template))

    return [
        _upload(release),
        ros("always", calls.find_stack(release.stack)),
        ros("if there is no such stack", calls.create_stack(release, token=_TOKEN)),
        ros("if there is one", calls.update_stack(release, _ID, token=_TOKEN)),
        ros("every five seconds until it has ended", calls.get_stack(region, _ID)),
        ros("beside it, page by page", calls.list_events(region, _ID, page=1)),
    ]


def _upload(release: Release) -> Step:
    package = release.package
    url = f"oss://{package.bucket}/{package.key}"
    return Step(
        when="always; what stands there stays",
        service="OSS",
        method="PUT",
        action="PutObject",
        parameters={"bucket": package.bucket, "key": package.key, "x-oss-forbid-overwrite": "true"},
        command=shlex.join(["ossutil", "cp", str(package.file), url, "--region", release.stack.region]),
    )


def _shown(request: ApiRequest, template: DeployedTemplate) -> dict[str, str]:
    shown = {**request.params, **request.form, **dict.fromkeys(_hidden(request, template), MASK)}
    if "TemplateBody" in shown:
        shown["TemplateBody"] = f"<{template.file}, {len(template.text.encode())} bytes>"
    return shown


def _hidden(request: ApiRequest, template: DeployedTemplate) -> dict[str, str]:
    """Tell which values are not to be seen, and the template's names for them."""
    named = {
        name: request.form[name.replace("ParameterValue", "ParameterKey")]
        for name in request.form
        if name.endswith(".ParameterValue")
    }
    return {
        name: parameter
        for name, parameter in named.items()
        if parameter in template.secret or Masker().value(parameter, request.form[name]) != request.form[name]
    }


def _command(request: ApiRequest, template: DeployedTemplate) -> str:
    """Write the vendor's command; what is not to be seen is left to a variable of the shell."""
    words = {name: shlex.quote(value) for name, value in {**request.params, **request.form}.items()}
    words |= {name: f'"${parameter}"' for name, parameter in _hidden(request, template).items()}
    if "TemplateBody" in words:
        words["TemplateBody"] = _template_word(template)
    words.pop("ClientToken", None)
    return " ".join(["aliyun", "ros", request.action, *(f"--{name} {word}" for name, word in words.items())])


def _template_word(template: DeployedTemplate) -> str:
    file = shlex.quote(str(template.file))
    if not template.changed:
        return f'"$(cat {file})"'
    return f"\"$(sed -E 's/^( +Runtime: )python3[.][0-9]+/\\1{template.runtime}/' {file})\""
