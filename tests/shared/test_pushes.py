"""Of what MNS signs, only a push of a topic of ours is taken in, and a weak key proves nothing."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from functions.webhook.handler import handle
from localcloud.mns.push_signing import PushSigner
from shared.adapters.local.folder_push_certificates import FolderPushCertificates
from shared.job_row import JobRow, read_job
from shared.jobs import JobRef
from shared.webhooks import Callers
from tests.callers import SENDERS, event, request
from tests.world import World

BODY = request("mns-json").body
JOB = JobRef("mts.production", "7b1e0c2a9e6b1d4c7f8a3e9d2b4c6008").key
SIGNER = PushSigner.make(random.Random(7), region="cn-shanghai")
WEAK = PushSigner.make(random.Random(8), region="cn-shanghai", bits=512)


@pytest.fixture
def callers(tmp_path: Path) -> Callers:
    """Give those whose certificates lie in a folder."""
    for signer in (SIGNER, WEAK):
        signer.put(tmp_path)
    return Callers(SENDERS, push_certificates=FolderPushCertificates(tmp_path))


def push(signer: PushSigner, own: Mapping[str, str] | None = None, *, digest: str | None = None) -> bytes:
    """Write the event of a push, with more of MNS's headers or a digest in another form."""
    headers = {
        "content-type": "application/json;charset=utf-8",
        "content-md5": digest or base64.b64encode(hashlib.md5(BODY).digest()).decode(),
        "date": "Thu, 20 Nov 2025 12:00:00 GMT",
        "x-mns-request-id": "691F00000000000000000101",
        **(own or {}),
    }
    return event(BODY.decode(), path="/mns", headers=signer.sign(headers, path="/mns"))


def marked(world: World) -> JobRow | None:
    """Give the row of the job that the pushes name."""
    return read_job(world.ledger, JOB)


def test_a_strangers_message_that_looks_like_a_push_of_ours_is_refused(callers: Callers) -> None:
    """In the form SIMPLIFIED, MNS signs whatever the owner of any topic wrote."""
    world, pretended = World(None), {"x-mns-message-id": "8821A7B25A50783C32F2243FFFF69F02"}

    assert handle(push(SIGNER, pretended), world.services, callers)["statusCode"] == 400
    assert marked(world) is None


DIGEST = hashlib.md5(BODY).hexdigest()


@pytest.mark.parametrize(
    "digest", [DIGEST, DIGEST.upper(), base64.b64encode(DIGEST.encode()).decode()], ids=str
)
def test_a_digest_may_come_in_every_form_that_was_seen(callers: Callers, digest: str) -> None:
    world = World(None)

    assert handle(push(SIGNER, digest=digest), world.services, callers)["statusCode"] == 204
    assert marked(world) is not None


def test_a_key_that_anybody_can_factor_makes_a_push_a_hint(callers: Callers) -> None:
    world, weak = World(None), World(None)

    assert handle(push(SIGNER), world.services, callers)["statusCode"] == 204
    assert handle(push(WEAK), weak.services, callers)["statusCode"] == 204
    rows = marked(world), marked(weak)
    assert [row and (row.is_hearsay, row.text("first_seen_by")) for row in rows] == [
        (False, "mns-topic"),
        (True, "http"),
    ]
