"""Stacks as the local ROS keeps them, without a socket."""

from __future__ import annotations

import pytest

from localcloud.media.wire import RefusedError
from localcloud.ros.stacks import Failure
from tests.localcloud.ros.sample import TEMPLATE
from tests.localcloud.ros.worlds import Desk

FULL = Failure("QuotaExceeded: no more functions")


def test_a_stack_is_made_resource_by_resource_as_time_passes() -> None:
    desk = Desk()
    stack_id = desk.create()

    assert desk.life(stack_id) == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def test_outputs_have_what_parameters_say_and_are_there_at_the_end() -> None:
    desk = Desk()
    stack_id = desk.create()
    begun = desk.call("GetStack", StackId=stack_id)
    desk.life(stack_id)
    made = desk.call("GetStack", StackId=stack_id)

    assert begun["Outputs"] == []
    assert [(one["OutputKey"], one["OutputValue"]) for one in made["Outputs"]] == [
        ("Queue", "https://1000000000000001.example/media-callbacks"),
        ("Function", '{"Fn::GetAtt": ["Function", "ARN"]}'),
    ]
    assert {one["ParameterKey"]: one["ParameterValue"] for one in made["Parameters"]} == {
        "Name": "media",
        "Code": "1.zip",
    }


@pytest.mark.parametrize(
    ("undo", "stays", "life"),
    [
        ("false", False, ["CREATE_ROLLBACK_IN_PROGRESS", "CREATE_ROLLBACK_COMPLETE"]),
        ("false", True, ["CREATE_ROLLBACK_IN_PROGRESS", "CREATE_ROLLBACK_FAILED"]),
        ("true", False, ["CREATE_FAILED"]),
    ],
)
def test_a_creation_that_fails_is_undone_unless_that_is_off(undo: str, stays: bool, life: list[str]) -> None:
    desk = Desk()
    desk.ros.let_fail("Function", Failure(FULL.reason, stays=stays))
    stack_id = desk.create(DisableRollback=undo)

    assert desk.life(stack_id) == ["CREATE_IN_PROGRESS", *life]
    assert FULL.reason in desk.call("GetStack", StackId=stack_id)["StatusReason"]


def test_an_update_touches_what_differs_alone() -> None:
    desk = Desk()
    stack_id = desk.create()
    desk.life(stack_id)
    before = desk.call("ListStackEvents", StackId=stack_id)["TotalCount"]
    desk.change("UpdateStack", {"Code": "2.zip"}, StackId=stack_id, UsePreviousParameters="true")

    assert desk.life(stack_id) == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    events = desk.call("ListStackEvents", StackId=stack_id)
    new = events["Events"][: events["TotalCount"] - before]
    assert {one["LogicalResourceId"] for one in new} == {"Function", "media"}


def test_an_update_takes_away_what_is_left_out() -> None:
    desk = Desk()
    stack_id = desk.create()
    desk.life(stack_id)
    queue, function = TEMPLATE.index("  Queue:"), TEMPLATE.index("  Function:")
    without = TEMPLATE[:queue] + TEMPLATE[function:]
    desk.change("UpdateStack", {"Code": "1.zip"}, StackId=stack_id, TemplateBody=without)
    desk.life(stack_id)

    events = desk.call("ListStackEvents", StackId=stack_id)["Events"]
    assert [one["Status"] for one in events if one["LogicalResourceId"] == "Queue"][:2] == [
        "DELETE_COMPLETE",
        "DELETE_IN_PROGRESS",
    ]


@pytest.mark.parametrize(("stays", "end"), [(False, "ROLLBACK_COMPLETE"), (True, "ROLLBACK_FAILED")])
def test_an_update_that_fails_leaves_the_version_before(stays: bool, end: str) -> None:
    desk = Desk()
    stack_id = desk.create()
    desk.life(stack_id)
    desk.ros.let_fail("Function", Failure(FULL.reason, stays=stays))
    given = {"Name": "other", "Code": "2.zip"}
    desk.change("UpdateStack", given, StackId=stack_id)

    assert desk.life(stack_id) == ["UPDATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", end]
    parameters = desk.call("GetStack", StackId=stack_id)["Parameters"]
    assert {one["ParameterKey"]: one["ParameterValue"] for one in parameters}["Code"] == "1.zip"
    desk.ros.let_fail("Function", None)
    desk.change("UpdateStack", given, StackId=stack_id)
    assert desk.life(stack_id)[-1] == "UPDATE_COMPLETE"


def test_a_deleted_stack_frees_its_name() -> None:
    desk = Desk()
    stack_id = desk.create()
    desk.life(stack_id)
    desk.call("DeleteStack", StackId=stack_id)

    assert desk.life(stack_id) == ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    assert desk.call("ListStacks")["TotalCount"] == 0
    assert desk.create() != stack_id


def test_the_same_token_makes_one_stack_and_one_update() -> None:
    desk = Desk()
    stack_id = desk.create(ClientToken="one")

    assert desk.create(ClientToken="one") == stack_id
    desk.life(stack_id)
    update = {"StackId": stack_id, "ClientToken": "two"}
    assert {desk.change("UpdateStack", {"Code": "2.zip"}, **update) for _ in range(2)} == {stack_id}


@pytest.mark.parametrize("newest_first", [True, False])
def test_events_come_page_by_page_in_one_order(newest_first: bool) -> None:
    desk = Desk(newest_first=newest_first)
    stack_id = desk.create()
    desk.life(stack_id)
    pages = [
        desk.call("ListStackEvents", StackId=stack_id, PageNumber=str(number), PageSize="4")["Events"]
        for number in (1, 2)
    ]

    statuses = [one["Status"] for page in pages for one in page if one["LogicalResourceId"] == "media"]
    assert [len(page) for page in pages] == [4, 2]
    assert statuses == (["CREATE_COMPLETE", "CREATE_IN_PROGRESS"][:: 1 if newest_first else -1])


@pytest.mark.parametrize(
    ("action", "params", "status", "code"),
    [
        ("CreateStack", {"StackName": "media"}, 400, "MissingTemplateBody"),
        ("CreateStack", {"StackName": "media", "TemplateBody": "- 1"}, 400, "InvalidTemplate"),
        ("CreateStack", {"StackName": "media", "TemplateBody": "Resources: {}"}, 400, "InvalidTemplate"),
        ("CreateStack", {"StackName": "media", "TemplateBody": TEMPLATE}, 400, "StackValidationFailed"),
        ("CreateStack", {"TemplateBody": TEMPLATE}, 400, "MissingStackName"),
        ("CreateStack", {"RegionId": "cn-nowhere"}, 400, "InvalidRegionId"),
        ("GetStack", {"StackId": "nobody-knows-it"}, 404, "StackNotFound"),
        ("ListStacks", {"PageSize": "51"}, 400, "InvalidParameter"),
    ],
)
def test_what_cannot_be_done_is_refused(action: str, params: dict[str, str], status: int, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        Desk().call(action, **params)

    assert (refused.value.status, refused.value.code) == (status, code)


def test_a_parameter_that_the_template_does_not_have_is_refused() -> None:
    with pytest.raises(RefusedError, match="Elsewhere"):
        Desk().change("CreateStack", {"Code": "1", "Elsewhere": "2"}, StackName="media")


def test_one_thing_is_done_at_a_time_and_nothing_for_no_change() -> None:
    desk = Desk()
    stack_id = desk.create()

    def refusal() -> str:
        with pytest.raises(RefusedError) as refused:
            desk.change("UpdateStack", {"Code": "1.zip"}, StackId=stack_id)
        return str(refused.value)

    assert refusal().startswith("409 ActionInProgress")
    desk.life(stack_id)
    assert refusal() == "400 NotSupported: Update the completely same stack is not supported."
    with pytest.raises(RefusedError, match="409 StackExists"):
        desk.create()


def test_what_was_never_whole_takes_no_update() -> None:
    desk = Desk()
    desk.ros.let_fail("Queue", FULL)
    stack_id = desk.create()
    desk.life(stack_id)

    with pytest.raises(RefusedError, match="CREATE_ROLLBACK_COMPLETE is not supported"):
        desk.change("UpdateStack", {"Code": "1.zip"}, StackId=stack_id)
