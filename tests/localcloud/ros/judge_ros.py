"""Ask the local ROS with the vendor's own client and print what it understood, as JSON.

Runs in the environment of requirements/vendor.in, started by test_judged_by_the_vendor.py. Argument:
the host and port of the API.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from alibabacloud_ros20190910 import models  # type: ignore[import-not-found]
from alibabacloud_ros20190910.client import Client  # type: ignore[import-not-found]
from alibabacloud_tea_openapi.client import Client as OpenApiClient  # type: ignore[import-not-found]
from alibabacloud_tea_openapi.models import Config  # type: ignore[import-not-found]

from tests.localcloud.media.openapi_client import call, configured, failure, report
from tests.localcloud.ros.sample import REGION, TEMPLATE

VERSION = "2019-09-10"


def judge(config: Config) -> dict[str, Any]:
    """Play the life of a stack with one signature scheme, which names it."""
    ros, generic = Client(config), OpenApiClient(config)
    name = f"media-{config.signature_algorithm or 'acs3'}"
    wrong = Client(configured(config.endpoint, config.signature_algorithm, secret="wrong"))

    def wait() -> None:
        call(generic, "AdvanceClock", {"Milliseconds": "10000"}, version=VERSION)

    stack_id = ros.create_stack(creation(name, Code="1.zip")).body.stack_id
    begun = described(ros, stack_id)
    busy = failure(lambda: ros.update_stack(change(stack_id, Code="2.zip")))
    wait()
    made = described(ros, stack_id)
    same = failure(lambda: ros.update_stack(change(stack_id, Code="1.zip")))
    ros.update_stack(change(stack_id, Code="2.zip"))
    wait()
    listed = ros.list_stacks(models.ListStacksRequest(region_id=REGION, stack_name=[name])).body.to_map()
    seen = {
        "begun": begun,
        "made": made,
        "updated": described(ros, stack_id),
        "listed": [(one["StackName"], one["Status"]) for one in listed["Stacks"]],
        "events": events(ros, stack_id),
        "busy": busy,
        "same": same,
        "again": failure(lambda: ros.create_stack(creation(name, Code="1.zip"))),
        "without_code": failure(lambda: ros.create_stack(creation("another"))),
        "unknown_parameter": failure(lambda: ros.create_stack(creation("another", Code="1", Other="2"))),
        "unknown_stack": failure(lambda: described(ros, "nobody-knows-it")),
        "wrong_secret": failure(lambda: described(wrong, stack_id)),
    }
    ros.delete_stack(models.DeleteStackRequest(region_id=REGION, stack_id=stack_id))
    wait()
    return {**seen, "deleted": described(ros, stack_id)}


def creation(name: str, **parameters: str) -> Any:
    return models.CreateStackRequest(
        region_id=REGION,
        stack_name=name,
        template_body=TEMPLATE,
        timeout_in_minutes=60,
        parameters=[
            models.CreateStackRequestParameters(parameter_key=key, parameter_value=value)
            for key, value in parameters.items()
        ],
    )


def change(stack_id: str, **parameters: str) -> Any:
    return models.UpdateStackRequest(
        region_id=REGION,
        stack_id=stack_id,
        template_body=TEMPLATE,
        use_previous_parameters=True,
        parameters=[
            models.UpdateStackRequestParameters(parameter_key=key, parameter_value=value)
            for key, value in parameters.items()
        ],
    )


def described(ros: Client, stack_id: str) -> dict[str, Any]:
    body: dict[str, Any] = ros.get_stack(
        models.GetStackRequest(region_id=REGION, stack_id=stack_id)
    ).body.to_map()
    return body


def events(ros: Client, stack_id: str) -> list[list[str]]:
    """Read every page of events."""
    ask = partial(models.ListStackEventsRequest, region_id=REGION, stack_id=stack_id, page_size=4)
    first = ros.list_stack_events(ask(page_number=1)).body
    pages = [
        ros.list_stack_events(ask(page_number=number)).body
        for number in range(2, -(-first.total_count // 4) + 1)
    ]
    return [[one.logical_resource_id, one.status] for page in (first, *pages) for one in page.events]


if __name__ == "__main__":
    report(judge, sys.argv[1])
