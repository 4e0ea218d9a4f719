"""The requests of ROS for a release. Pure.

Names as in the SDK package alibabacloud_ros20190910 3.7.0, and in
https://www.alibabacloud.com/help/en/ros/developer-reference/api-ros-2019-09-10-createstack
"""

from __future__ import annotations

from collections.abc import Mapping

from cli.deploy.release import Release, StackName
from shared.vendor import ApiRequest

VERSION = "2019-09-10"
PAGE_SIZE = 50  # the most that it gives


def find_stack(stack: StackName) -> ApiRequest:
    """Ask which stacks have this name."""
    return _request("ListStacks", stack.region, {"StackName.1": stack.name, "PageSize": str(PAGE_SIZE)})


def create_stack(release: Release, *, token: str) -> ApiRequest:
    """Ask for a new stack; a second call with the same token makes no second one."""
    return _change("CreateStack", release, {"StackName": release.stack.name, "ClientToken": token})


def update_stack(release: Release, stack_id: str, *, token: str) -> ApiRequest:
    """Ask for another state of a stack; parameters that are not given keep their values."""
    params = {"StackId": stack_id, "UsePreviousParameters": "true", "ClientToken": token}
    return _change("UpdateStack", release, params)


def get_stack(region: str, stack_id: str) -> ApiRequest:
    """Ask for a stack's state and outputs."""
    return _request("GetStack", region, {"StackId": stack_id})


def list_events(region: str, stack_id: str, *, page: int) -> ApiRequest:
    """Ask for a page of what happened to a stack's resources; the first page is 1."""
    params = {"StackId": stack_id, "PageNumber": str(page), "PageSize": str(PAGE_SIZE)}
    return _request("ListStackEvents", region, params)


def _change(action: str, release: Release, params: Mapping[str, str]) -> ApiRequest:
    numbered = {
        f"Parameters.{number}.Parameter{part}": text
        for number, (name, value) in enumerate(sorted(release.parameters.items()), start=1)
        for part, text in (("Key", name), ("Value", value))
    }
    timeout = {"TimeoutInMinutes": str(release.timeout_minutes)}
    # In the body, all that may be long or secret: a URL of more than a few kilobytes is refused.
    form = {**numbered, "TemplateBody": release.template.text}
    return _request(action, release.stack.region, {**params, **timeout}, form)


def _request(
    action: str, region: str, params: Mapping[str, str], form: Mapping[str, str] | None = None
) -> ApiRequest:
    everything = {"RegionId": region, **params}
    return ApiRequest("ros", VERSION, action, everything, region=region, form=form or {})
