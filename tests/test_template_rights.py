"""What the functions do, held against what their roles in `template.yml` let them do: the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from functions.archive.handler import handle as archive_evidence
from functions.callback.handler import handle as take_callbacks
from functions.console.handler import handle as show
from functions.deliver.handler import handle as deliver
from functions.reconcile.handler import handle as reconcile
from functions.replay.handler import handle as replay
from functions.track.handler import handle as track
from functions.webhook.handler import handle as take_http_callbacks
from localcloud.template import read_template
from shared import evidence_rows
from shared.adapters.local.inline_invoker import InlineInvoker
from shared.adapters.senders.hooks import HookSender
from shared.adapters.senders.limited_runs import LimitedRuns
from shared.console.answering import Console
from shared.delivery.rules import DeliveryPlan
from shared.errors import ParseError
from shared.kinds import KINDS, JobQuery
from shared.policy import MINUTE, Policy
from shared.ports import Services
from shared.record import Evidence, JobRecord
from shared.replay import tasks
from shared.replay.selection import Selection
from shared.tables import TABLES
from tests.callers import CALLERS, SAMPLES
from tests.console import Anybody, event
from tests.faults import Faults, FaultyInvoker
from tests.functions.test_reconcile import TICK
from tests.newer_kinds import with_normalizer
from tests.scripted_vendor import answer, callback
from tests.stack import PSEUDO, Stack, covers
from tests.world import KIND, Stores, World, ref

ROOT = Path(__file__).parent.parent
TEMPLATE = read_template(ROOT / "template.yml")
RECHECK = (ROOT / "events" / "reconcile" / "recheck.json").read_bytes()
NEEDED = {"CodeBucket": "code", "CodeKey": "1.zip", "ArchiveBucket": "archive"}
STACK = Stack(TEMPLATE, **NEEDED)
HANDLERS: dict[str, Callable[[bytes, Services], object]] = {
    "archive": archive_evidence,
    "callback": take_callbacks,
    "console": partial(show, console=Console(Anybody())),
    "deliver": deliver,
    "reconcile": reconcile,
    "replay": replay,
    "track": track,
    "webhook": partial(take_http_callbacks, callers=CALLERS),
}
ROLES = {name: f"{name.capitalize()}Role" for name in HANDLERS}
ACCOUNT, REGION = PSEUDO["ALIYUN::TenantId"], PSEUDO["ALIYUN::Region"]

ROWS = {
    "get": "ots:GetRow",
    "insert": "ots:PutRow",
    "insert_many": "ots:BatchWriteRow",
    "update": "ots:UpdateRow",
    "scan": "ots:GetRange",
    "under": "ots:GetRange",
}
OBJECTS = {
    "put": ["oss:PutObject"],
    # A write that was not answered is asked for (`OssObjectStore`).
    "put_new": ["oss:PutObject", "oss:GetObject"],
    "put_file": ["oss:PutObject", "oss:GetObject"],
    "get": ["oss:GetObject"],
    "info": ["oss:GetObject"],
    "chunks": ["oss:GetObject"],
}
TABLE_NAMES = {name for table in TABLES for name in (table.name, *(index.name for index in table.indexes))}

Use = tuple[str, str]

each_function = pytest.mark.parametrize("name", sorted(HANDLERS))


def uses(faults: Faults) -> set[Use]:
    """Say what calls of ports are for RAM: actions on resources."""
    found: set[Use] = set()
    for call in faults.calls:
        if call.target in TABLE_NAMES:
            table = f"acs:ots:{REGION}:{ACCOUNT}:instance/media-ledger/table/{call.target}"
            found.add((ROWS[call.method], table))
        elif call.method == "invoke":
            name = f"functions/media-ledger-{call.target}"
            found.add(("fc:InvokeFunction", f"acs:fc:{REGION}:{ACCOUNT}:{name}"))
        elif call.method in OBJECTS:
            own = f"acs:oss:*:{ACCOUNT}:archive/{call.target}"
            found |= {(action, own) for action in OBJECTS[call.method]}
        else:
            assert call.method in ("query", "send", "download")
    return found


class Life:
    """Some days of jobs; what each function does is seen by a recorder of its own."""

    def __init__(self, stores: Stores | None = None) -> None:
        url = "python:shared.hooks.summary_rows:post_process"
        plan = {"targets": {"rows": {"url": url}}, "rules": [{"to": ["rows"]}]}
        delivery = DeliveryPlan.parse(json.dumps(plan), kinds=KINDS)
        policy = Policy(jitter=0.0, user_id=ACCOUNT, delivery=delivery, fan_out_at=2)
        self.world = World(None, policy=policy, stores=stores)
        self.invoker = InlineInvoker(lambda name: partial(self.run, name))
        self.seen = {name: Faults(lambda call: None) for name in HANDLERS}

    def run(self, name: str, event: bytes) -> None:
        """Invoke a function; that which replays is of a newer release, and has time for one batch."""
        seen = self.seen[name]
        services, time = self.world.through(seen), 2 * MINUTE
        if name == "replay":
            time = 0
            services = replace(services, kinds=with_normalizer(KIND, showing))
        HANDLERS[name](
            event,
            replace(
                services,
                invoker=FaultyInvoker(self.invoker, seen),
                sender=HookSender(LimitedRuns(), services.objects, clock=self.world.clock),
                deadline=self.world.clock.now() + time,
            ),
        )

    def announce(self) -> None:
        """Announce the samples; some of them cannot be read."""
        for path in sorted((ROOT / "events" / "track").iterdir()):
            with suppress(ParseError):
                self.run("track", path.read_bytes())

    def call_back(self, job: str, *answers: bytes | Exception, claim: str | None = None) -> None:
        """Let a callback come, and the vendor answer so, one after the other."""
        self.world.vendor.say(job, *answers)
        self.run("callback", callback(job, suggestion=claim).body)

    def go_on(self) -> None:
        """Let the timer go off for two hours, more rarely than a run's lease lapses."""
        for _ in range(40):
            self.invoker.run_accepted()
            self.world.clock.advance(3 * MINUTE)
            self.run("reconcile", TICK)
            self.run("archive", TICK)
        self.run("reconcile", RECHECK)
        self.invoker.run_accepted()


def showing(record: JobRecord) -> JobRecord:
    """Make a record name one picture more."""
    more = Evidence(id="newly-read", url="http://oss.example/3.jpg", source="answer:/MediaAuditJob/JobId")
    return record.model_copy(update={"evidence": (*record.evidence, more)})


def live(life: Life) -> None:
    """Let callbacks of all sorts come, and time go on."""
    life.announce()
    life.call_back("job-1", answer("job-1"), answer("job-1"))
    life.call_back("job-2", b"no answer")
    life.call_back("job-3", answer("job-3", "processing"), b"no answer")
    there, gone = "http://oss.example/1.jpg", "http://oss.example/2.jpg?signed={}"
    life.world.pictures.have(there)
    reviewed = [answer("job-4", pictures=[there, gone.format(n)]) for n in range(3)]
    life.call_back("job-4", answer("job-4", "processing"), *reviewed)
    blocked = answer("job-5", suggestion="block", pictures=[there, gone.format(9)])
    life.call_back("job-5", answer("job-5", pictures=[gone.format(8)]))
    life.call_back("job-5", blocked, blocked, claim="block")
    life.call_back("job-6", *[answer("job-6", pictures=[there])] * 2)
    for path in sorted(SAMPLES.iterdir()) * 2:
        life.run("webhook", path.read_bytes())
    life.run("callback", b"no callback")
    life.run("track", json.dumps({"kind": KIND, "job_id": "job-1", "media_id": "media-1"}).encode())
    life.go_on()
    beginning = replace(life.world.services, invoker=life.invoker)
    tasks.begin(beginning, Selection((KIND,), date(2025, 11, 20)), shards=2, deliver=True)
    look_around(life)
    life.go_on()
    assert life.invoker.failed == ()


def look_around(life: Life) -> None:
    """Have every page shown."""
    filters = {"state": "tracked", "kind": KIND, "label": "porn", "day": "2025-11-20", "needs": "any"}
    for name, value in filters.items():
        life.run("console", event("/jobs", {name: value}))
    life.run("console", event("/"))
    for job in range(1, 7):
        key = ref(f"job-{job}").key
        life.run("console", event(f"/jobs/{key}"))
        life.run("console", event(f"/jobs/{key}/raw/answer"))
        for name in evidence_rows.read_all(life.world.ledger, key):
            life.run("console", event(f"/jobs/{key}/evidence/{name}"))


@pytest.fixture(scope="module")
def used() -> dict[str, set[Use]]:
    """Give what each function did in its life."""
    life = Life()
    live(life)
    return {name: uses(seen) for name, seen in life.seen.items()}


@each_function
def test_a_function_does_nothing_that_its_role_does_not_grant(name: str, used: dict[str, set[Use]]) -> None:
    granted = STACK.grants(ROLES[name])

    assert {use for use in used[name] if not any(covers(grant, use) for grant in granted)} == set()


@each_function
def test_a_role_grants_nothing_that_its_function_does_not_do(name: str, used: dict[str, set[Use]]) -> None:
    # The platform's part, a version's name, and what the vendor is asked are below.
    granted = {
        grant
        for grant in STACK.grants(ROLES[name])
        if grant[0].startswith(("oss:", "ots:", "fc:"))
        and not grant[1].endswith(("-archive/*", "-deliver/*", "-reconcile/*", "-replay/*"))
    }

    assert {grant for grant in granted if not any(covers(grant, use) for use in used[name])} == set()


@each_function
def test_a_role_grants_the_query_of_every_kind_to_those_who_ask(name: str, used: dict[str, set[Use]]) -> None:
    calls = [kind.request(JobQuery("job", region=REGION, user_id="1")) for kind in KINDS.values()]
    queries = {f"{call.product}:{call.action}" for call in calls}
    products = {query.partition(":")[0] for query in queries}
    granted = {action for action, _ in STACK.grants(ROLES[name]) if action.partition(":")[0] in products}

    assert granted == (queries if name in ("callback", "reconcile") else set())


@each_function
def test_every_function_may_log_and_leave_its_failures(name: str) -> None:
    granted = STACK.grants(ROLES[name])
    configs = STACK.of_type("ALIYUN::FC3::AsyncInvokeConfig").values()
    # Nobody invokes it asynchronously whose sender waits for an answer.
    own = [one for one in configs if one["FunctionName"] == f"media-ledger-{name}"]
    destination = own[0].get("DestinationConfig", {}).get("OnFailure", {}).get("Destination") if own else None
    logs = f"acs:log:{REGION}:{ACCOUNT}:project/media-ledger-{ACCOUNT}/logstore/functions"

    assert ("log:PostLogStoreLogs", logs) in granted
    assert {resource for action, resource in granted if action == "mns:SendMessage"} == (
        {destination} if destination else set()
    )


def test_who_shows_pages_may_only_read() -> None:
    actions = {action for action, _ in STACK.grants(ROLES["console"])}

    assert actions == {"oss:GetObject", "ots:GetRow", "ots:GetRange", "log:PostLogStoreLogs"}


def test_no_right_is_wider_than_one_action_on_a_folder_a_table_or_a_name() -> None:
    granted = {grant for role in (*ROLES.values(), "TopicRole") for grant in STACK.grants(role)}
    # OSS resources name no region, and the vendor's queries no resource.
    named = {(action, re.sub(r"^acs:oss:\*:|/\*$", "", one)) for action, one in granted if one != "*"}

    assert [grant for grant in granted if "*" in grant[0]] == []
    assert [one for _, one in named if "*" in one or one.endswith(":archive")] == []


def test_what_parameters_name_is_granted_and_nothing_beside_it() -> None:
    stack = Stack(
        TEMPLATE,
        **NEEDED,
        ResultBuckets="mine,yours",
        OutputBuckets="theirs,ours",
        AccountRoles="acs:ram::1:role/a,acs:ram::2:role/b",
        DeliveryQueues="desk,press",
        DeliveryTopics="news",
        DeliveryFunctions="publish",
    )
    asks = {
        ("oss:GetObject", "acs:oss:*:*:mine/*"),
        ("oss:GetObject", "acs:oss:*:*:yours/*"),
        ("sts:AssumeRole", "acs:ram::1:role/a"),
        ("sts:AssumeRole", "acs:ram::2:role/b"),
    }
    tells = {
        ("mns:SendMessage", "acs:mns:*:*:/queues/desk/messages"),
        ("mns:SendMessage", "acs:mns:*:*:/queues/press/messages"),
        ("mns:PublishMessage", "acs:mns:*:*:/topics/news/messages"),
        ("fc:InvokeFunction", "acs:fc:*:*:functions/publish"),
        ("fc:InvokeFunction", "acs:fc:*:*:functions/publish/*"),
    }
    added = {name: stack.grants(role) - STACK.grants(role) for name, role in ROLES.items()}

    assert added == {
        "archive": {("oss:GetObject", f"acs:oss:*:*:{bucket}/*") for bucket in ("theirs", "ours")},
        "callback": asks,
        "console": set(),
        "deliver": tells,
        "reconcile": asks,
        "replay": set(),
        "track": set(),
        "webhook": set(),
    }
