"""Files come by a link, or as bytes that a browser cannot take for anything but what they are."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from shared import evidence_rows
from shared.console import files
from shared.jobs import State
from shared.kinds.values import short_hash
from shared.tables import EVIDENCE, Value
from tests.console import KEY, PICTURE, Links, ask, world_with_a_job
from tests.world import World

NAME = short_hash(PICTURE.partition("?")[0])
EVIDENCE_PATH, RAW_PATH = f"/jobs/{KEY}/evidence/{NAME}", f"/jobs/{KEY}/raw/answer"


def changed(**columns: Value | None) -> World:
    """Have a job whose picture's row says something else."""
    world = world_with_a_job()
    assert world.ledger.update(EVIDENCE, (KEY, NAME), columns, [])
    return world


def headers(answer: Any) -> tuple[str, str]:
    """Give what says how a file is taken."""
    given = answer["headers"]
    return given["content-type"], given["content-disposition"].partition(";")[0]


def test_a_picture_is_shown_and_cannot_be_taken_for_a_page() -> None:
    world = world_with_a_job()
    answer = ask(world.services, EVIDENCE_PATH)

    assert headers(answer) == ("image/jpeg", "inline")
    assert base64.b64decode(answer["body"]) == f"picture at {PICTURE}".encode()
    assert "sandbox" in answer["headers"]["content-security-policy"]


@pytest.mark.parametrize(
    "content_type", ["video/mp4", "image/svg+xml", "text/html", "image/jpeg; x=1", "application/pdf", None]
)
def test_what_is_no_picture_is_saved_and_not_opened(content_type: str | None) -> None:
    answer = ask(changed(content_type=content_type).services, EVIDENCE_PATH)

    assert headers(answer) == ("application/octet-stream", "attachment")


def test_a_raw_answer_is_saved_as_it_was_received() -> None:
    world = world_with_a_job()
    answer = ask(world.services, RAW_PATH)
    (raw,) = world.stored("raw/").values()

    assert headers(answer) == ("application/octet-stream", "attachment")
    assert base64.b64decode(answer["body"]) == raw
    assert re.search(r'filename="[0-9a-f]{64}\.json"$', answer["headers"]["content-disposition"])


@pytest.mark.parametrize("path", [EVIDENCE_PATH, RAW_PATH])
def test_a_link_lives_for_minutes(path: str) -> None:
    answer = ask(world_with_a_job().services, path, links=Links())

    assert (answer["statusCode"], answer["body"]) == (303, "")
    assert f"x-oss-expires={files.LINK_SECONDS}&" in answer["headers"]["location"]
    assert files.LINK_SECONDS <= 600
    assert answer["headers"]["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "content_type", "is_saved"),
    [
        (EVIDENCE_PATH, "image/png", False),
        (EVIDENCE_PATH, "image/svg+xml", True),
        (EVIDENCE_PATH, "video/mp4", True),
        (RAW_PATH, "image/png", True),
    ],
)
def test_a_link_to_what_is_no_picture_has_it_saved(path: str, content_type: str, is_saved: bool) -> None:
    answer = ask(changed(content_type=content_type).services, path, links=Links())

    assert ("saved-as=" in answer["headers"]["location"]) is is_saved


@pytest.mark.parametrize(
    ("status", "key"), [("pending", "evidence/x.jpg"), ("lost", "evidence/x.jpg"), ("kept", None)]
)
def test_a_picture_that_is_not_kept_is_not_found(status: str, key: str | None) -> None:
    assert ask(changed(status=status, key=key).services, EVIDENCE_PATH, links=Links())["statusCode"] == 404


def test_a_file_that_has_expired_is_not_found() -> None:
    world = changed(key="evidence/gone.jpg")

    assert ask(world.services, EVIDENCE_PATH)["statusCode"] == 404


def test_the_picture_of_another_job_is_not_found() -> None:
    other = KEY.replace("job-1", "job-2")

    assert ask(world_with_a_job().services, f"/jobs/{other}/evidence/{NAME}")["statusCode"] == 404


def test_a_file_that_is_too_large_to_come_through_the_function_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 10)
    world = world_with_a_job()

    assert ask(world.services, EVIDENCE_PATH)["statusCode"] == 413
    assert ask(world.services, EVIDENCE_PATH, links=Links())["statusCode"] == 303


def test_a_page_may_show_pictures_from_where_links_lead_and_from_nowhere_else() -> None:
    world = world_with_a_job()
    policies = [
        re.search(
            r"img-src ([^;]+)", ask(world.services, path, links=links)["headers"]["content-security-policy"]
        )
        for path, links in [(f"/jobs/{KEY}", Links()), (f"/jobs/{KEY}", None), ("/jobs", Links())]
    ]

    assert [one[1] for one in policies if one] == [
        "'self' https://archive.oss-cn-shanghai.aliyuncs.com",
        "'self'",
        "'self'",
    ]


def test_a_job_without_pictures_is_allowed_none_from_elsewhere() -> None:
    world = changed(status="lost")
    world.change("job-1", {"evidence": None})
    policy = ask(world.services, f"/jobs/{KEY}", links=Links())["headers"]["content-security-policy"]

    assert evidence_rows.read_all(world.ledger, KEY)
    assert world.row("job-1").state is State.SUCCEEDED
    assert "img-src 'self';" in policy
