"""What a local topic pushes is signed as MNS signs, and `webhook` takes it in."""

from __future__ import annotations

import json
import random
import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from Crypto.PublicKey import RSA

from functions.webhook.handler import handle
from localcloud.mns.push_signing import PushSigner
from localcloud.mns.service import MnsService
from shared.adapters.local.folder_push_certificates import FolderPushCertificates
from shared.inbound.senders import Senders, Topic
from shared.job_row import read_job
from shared.jobs import JobRef
from shared.webhooks import Callers
from tests.callers import event
from tests.localcloud.mns.worlds import ACCOUNT, OWN, REGION, Caller
from tests.world import World

MESSAGE = json.dumps({"Type": "IProduction", "JobId": "job-1", "State": "Success"})
SIGNER = PushSigner.make(random.Random(4), region=REGION)


@pytest.fixture
def certificates(tmp_path: Path) -> FolderPushCertificates:
    """Put the certificate where its address says."""
    SIGNER.put(tmp_path)
    return FolderPushCertificates(tmp_path)


class Topics:
    """A topic that pushes into the function, in a world of its own."""

    def __init__(self, certificates: FolderPushCertificates, *, signer: PushSigner | None = SIGNER) -> None:
        self.world = World(None)
        senders = Senders(topics=(Topic(REGION, ACCOUNT, "jobs"),))
        self.callers = Callers(senders, push_certificates=certificates)
        self.statuses: list[object] = []
        clock = self.world.clock
        self.mns = MnsService(
            keys=[OWN],
            clock=clock,
            random=random.Random(5),
            account=ACCOUNT,
            region=REGION,
            post=self.post,
            signer=signer,
        )
        self.caller = Caller(self.mns, clock)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Invoke the function, as its HTTP trigger would."""
        request = event(body.decode(), path=urlsplit(url).path, headers=headers)
        answered = handle(request, self.world.services, self.callers)
        self.statuses.append(answered["statusCode"])
        return int(str(answered["statusCode"]))

    def publish(self, form: str, *, topic: str = "jobs", path: str = "/mns") -> int:
        """Publish to a subscription in this form; tell how many pushes were taken."""
        where = f"<Endpoint>http://127.0.0.1:1{path}</Endpoint>"
        self.caller.send("PUT", f"/topics/{topic}", "<Topic/>")
        self.caller.send(
            "PUT",
            f"/topics/{topic}/subscriptions/webhook",
            f"<Subscription>{where}<NotifyContentFormat>{form}</NotifyContentFormat></Subscription>",
        )
        body = f"<Message><MessageBody>{MESSAGE}</MessageBody></Message>"
        self.caller.send("POST", f"/topics/{topic}/messages", body)
        return self.mns.push_due()


@pytest.mark.parametrize("path", ["/mns", ""])
@pytest.mark.parametrize("form", ["XML", "JSON"])
def test_a_push_of_a_local_topic_marks_its_job(
    certificates: FolderPushCertificates, form: str, path: str
) -> None:
    topics = Topics(certificates)

    assert topics.publish(form, path=path) == 1
    assert topics.statuses == [204]
    row = read_job(topics.world.ledger, JobRef("mts.production", "job-1").key)
    assert row is not None
    assert (row.text("region"), row.text("first_seen_by")) == (REGION, "mns-topic")


def test_a_push_of_another_topic_or_form_is_not_taken_and_comes_again(
    certificates: FolderPushCertificates,
) -> None:
    topics = Topics(certificates)

    assert topics.publish("JSON", topic="others") + topics.publish("SIMPLIFIED") == 0
    assert topics.statuses == [403, 400]
    topics.world.clock.advance(20_000)
    topics.mns.push_due()
    assert sorted(map(str, topics.statuses)) == ["400", "400", "403", "403"]


def test_a_push_that_another_signs_or_nobody_is_refused(certificates: FolderPushCertificates) -> None:
    stranger = PushSigner.make(random.Random(6), region=REGION)
    for signer in (None, stranger, replace(stranger, certificate_url=SIGNER.certificate_url)):
        topics = Topics(certificates, signer=signer)
        topics.publish("JSON")

        assert topics.statuses == [403]


@pytest.mark.parametrize("bits", [1_024, 2_048])
def test_a_certificate_is_one_in_the_eyes_of_others(bits: int) -> None:
    signer = PushSigner.make(random.Random(bits), region=REGION, bits=bits)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=signer.certificate.decode())

    assert context.cert_store_stats()["x509"] == 1
    assert RSA.import_key(signer.certificate).n == signer.key.modulus
    assert signer.key.modulus.bit_length() == bits
