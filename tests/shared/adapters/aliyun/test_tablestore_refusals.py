"""What the Tablestore ledger makes of a service that refuses us: an error that says what to do."""

from __future__ import annotations

from contextlib import closing

import pytest

from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer
from localcloud.tablestore.refusals import RefusedError, unauthenticated
from localcloud.tablestore.service import Service, Trouble
from shared.adapters.aliyun.tablestore_ledger import TablestoreLedger
from shared.adapters.clocks import ManualClock
from shared.errors import MisconfiguredError, StoreUnavailableError
from shared.tables import JOBS
from shared.toolkit.context import Credentials
from tests.localcloud.tablestore.worlds import OWN, TEMPORARY, connect, new_service, present, serving
from tests.shared.adapters.rows import KEY

SECRETS = ("own-secret", "temporary-secret", "token/+==")


def refusals() -> dict[str, tuple[RefusedError, str]]:
    absent = "The AccessKeyID does not exist."
    return {
        "key": (unauthenticated(absent), "access key"),
        "token": (unauthenticated("The security token is invalid or expired."), "renew"),
        "instance": (unauthenticated("The instance is not found."), "region"),
        "network": (unauthenticated("Request denied by instance ACL policies."), "network"),
        "permission": (RefusedError(403, "OTSNoPermissionAccess", "You have no permission"), "RAM policy"),
        "clock": (unauthenticated("Mismatch between system time and x-ots-date: 2026."), "clock"),
        "table": (RefusedError(404, "OTSObjectNotExist", "Requested table does not exist."), "init"),
        "shape": (RefusedError(400, "OTSInvalidPK", "Validate PK size fail."), "init"),
        "parameter": (RefusedError(400, "OTSParameterInvalid", "Something new."), "Something new"),
    }


@pytest.mark.parametrize("case", refusals())
def test_a_refusal_says_what_to_do_and_is_not_tried_again(
    service: Service, ledger: TablestoreLedger, case: str
) -> None:
    refused, advice = refusals()[case]
    service.plan(Trouble(refused=refused))

    with pytest.raises(MisconfiguredError, match=advice) as raised:
        ledger.insert(JOBS, KEY, {"token": 1})

    assert raised.value.details["code"] == refused.code
    assert raised.value.details["table"] == "jobs"
    assert ledger.get(JOBS, KEY) is None


def test_a_ledger_without_tables_says_how_to_make_them() -> None:
    with serving(new_service()) as server, closing(TablestoreLedger(connect(server.endpoint))) as ledger:
        with pytest.raises(MisconfiguredError, match="media-ledger init"):
            ledger.insert(JOBS, KEY, {})
        (outcome,) = ledger.insert_many(JOBS, [(KEY, {})])

    assert isinstance(outcome.error, MisconfiguredError)


@pytest.mark.parametrize(
    ("credentials", "advice"),
    [
        (Credentials("own-key", "wrong"), "access key"),
        (Credentials("nobody", "own-secret"), "access key"),
        (Credentials("STS.key", "temporary-secret", "old"), "renew"),
        (Credentials("STS.key", "temporary-secret"), "renew"),
    ],
    ids=["wrong secret", "unknown key", "old token", "no token"],
)
def test_credentials_that_are_refused_never_stand_in_the_error(
    server: LoopbackServer, credentials: Credentials, advice: str
) -> None:
    ledger = TablestoreLedger(connect(server.endpoint, credentials=lambda: credentials))
    with closing(ledger), pytest.raises(MisconfiguredError, match=advice) as raised:
        ledger.get(JOBS, KEY)

    assert not [secret for secret in SECRETS if secret in f"{raised.value} {raised.value.__cause__}"]


def test_credentials_are_asked_for_at_every_call(server: LoopbackServer) -> None:
    turns = iter([OWN, TEMPORARY])
    with closing(TablestoreLedger(connect(server.endpoint, credentials=lambda: next(turns)))) as ledger:
        assert ledger.insert(JOBS, KEY, {"token": 1})
        assert ledger.get(JOBS, KEY) == {"token": 1}


def test_missing_credentials_are_told_in_their_own_words(server: LoopbackServer) -> None:
    def none() -> Credentials:
        raise MisconfiguredError("no credentials: set ALIBABA_CLOUD_ACCESS_KEY_ID")

    ledger = TablestoreLedger(connect(server.endpoint, credentials=none))
    with closing(ledger), pytest.raises(MisconfiguredError, match="ALIBABA_CLOUD_ACCESS_KEY_ID"):
        ledger.insert(JOBS, KEY, {})


def test_a_clock_that_is_off_is_named() -> None:
    service = new_service(ManualClock(present() - 16 * 60_000))
    with serving(service) as server:
        ledger = TablestoreLedger(connect(server.endpoint))
        with closing(ledger), pytest.raises(MisconfiguredError, match="clock"):
            ledger.get(JOBS, KEY)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, MisconfiguredError), (200, MisconfiguredError), (502, StoreUnavailableError)],
)
def test_what_is_no_tablestore_is_not_taken_for_one(status: int, expected: type[Exception]) -> None:
    def page(request: HttpRequest) -> HttpReply:
        return HttpReply(status, b"<html>hello</html>")

    with LoopbackServer(page, name="page", max_body_bytes=1024) as server:
        ledger = TablestoreLedger(connect(server.endpoint))
        with closing(ledger), pytest.raises(expected):
            ledger.get(JOBS, KEY)
