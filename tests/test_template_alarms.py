"""The alarms of `template.yml` go off at what the product really logs, and at nothing else."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from functions.track.handler import handle as track
from localcloud.template import read_template
from shared import archival, runs, sending
from shared.errors import DownloadRefusedError, SettingError, TargetRefusedError
from shared.policy import MINUTE, Policy
from shared.toolkit import configure_logging, fake_context, function_handler
from tests.scripted_targets import plan_to
from tests.scripted_vendor import answer, callback
from tests.shared.test_reconciliation import due_row, world_of
from tests.stack import Stack
from tests.world import World, ref

ROOT = Path(__file__).parent.parent
TEMPLATE = read_template(ROOT / "template.yml")
STACK = Stack(
    TEMPLATE, CodeBucket="code", CodeKey="1.zip", ArchiveBucket="archive", AlarmContacts="media team"
)
ALARMS = {one["Detail"]["Name"]: one["Detail"] for one in STACK.of_type("ALIYUN::SLS::Alert").values()}
SEARCHING = sorted(set(ALARMS) - {"standstill", "errors"})
JOB = "job-1"
PICTURE = "http://bucket.oss-cn-shanghai.aliyuncs.com/1.jpg"


def query(alarm: str) -> str:
    """Give what an alarm asks the logs."""
    (only,) = ALARMS[alarm]["Configuration"]["QueryList"]
    return str(only["Query"])


def goes_off(alarm: str, lines: list[str]) -> bool:
    """Tell whether a line has the words that an alarm searches for, as the index of the logs divides it."""
    (index,) = STACK.of_type("ALIYUN::SLS::Index").values()
    (field,) = index["KeyIndices"]
    words = f"[{re.escape(field['Delimiter'])}]+"
    search = query(alarm).partition("|")[0]
    either = [
        set(re.split(words, " ".join(re.findall(r'message: ("[^"]+"|[\w.]+)', each)))) - {""}
        for each in search.split(" or ")
    ]
    return any(wanted <= set(re.split(words, line)) for wanted in either for line in lines)


def logged(*doings: Callable[[], object]) -> list[str]:
    """Give the lines of invocations in which this is done."""
    stream = io.StringIO()
    configure_logging(stream=stream)
    for do in doings:
        function_handler()(partial(_ignoring_the_event, do))(b"{}", fake_context())
    return stream.getvalue().splitlines()


def _ignoring_the_event(do: Callable[[], object], event: bytes, context: object) -> object:
    return do()


def lost_callback() -> list[str]:
    world = world_of(1)
    world.run_timer()
    world.clock.advance(world.services.policy.callback_grace)
    return logged(world.run_timer)


def unreadable_answer() -> list[str]:
    world = World(None)
    world.vendor.say(JOB, b"no answer")
    return logged(lambda: world.deliver(callback(JOB)))


def unreadable_answer_in_a_run() -> list[str]:
    world = world_of(1)
    world.vendor.say("job-0", b"no answer")
    return logged(world.run_timer)


def unreadable_callback() -> list[str]:
    world = World(None)
    message = callback(JOB)
    return logged(lambda: world.deliver(type(message)("m-1", "mns-topic", b"no callback")))


def refused_announcement() -> list[str]:
    world = World(None)
    return logged(lambda: track(b'{"kind": "no.kind", "job_id": "1"}', world.services))


def corrupt_row() -> list[str]:
    world = world_of(1)
    world.change("job-0", {"state": "no state"})
    return logged(world.run_timer)


def refused_by_the_vendor() -> list[str]:
    world = World(None)
    world.vendor.say(JOB, SettingError("no such key"))
    return logged(lambda: world.deliver(callback(JOB)))


def refused_by_a_target() -> list[str]:
    world = world_telling("a")
    world.targets.say("a", TargetRefusedError("gone"))
    return logged(lambda: sending.deliver(world.services, [ref(JOB).key]))


def evidence_out_of_reach() -> list[str]:
    world = world_with_a_picture()
    world.deliver_due()
    world.clock.advance(world.services.policy.evidence_window // 2)
    return logged(lambda: archival.keep_due_evidence(world.services))


def evidence_refused() -> list[str]:
    world = world_with_a_picture()
    world.pictures.say(PICTURE, DownloadRefusedError("no picture"))
    return logged(lambda: archival.keep_evidence_of(world.services, [ref(JOB).key]))


def usual_day() -> list[str]:
    world = world_telling("a")
    world.put(due_row(2))
    world.vendor.know("job-2", answer("job-2"))
    return logged(
        lambda: world.deliver(callback(JOB)),
        lambda: sending.deliver(world.services, [ref(JOB).key]),
        lambda: runs.run(world.services),
    )


def world_with_a_picture() -> World:
    world = World(None)
    world.vendor.know(JOB, answer(JOB, pictures=[PICTURE]))
    world.deliver(callback(JOB))
    return world


def world_telling(target: str) -> World:
    world = World(None, policy=Policy(jitter=0.0, delivery=plan_to(target)))
    world.vendor.know(JOB, answer(JOB))
    world.deliver(callback(JOB))
    return world


@pytest.mark.parametrize(
    ("happens", "alarm"),
    [
        (lost_callback, "lost-callbacks"),
        (unreadable_answer, "quarantine"),
        (unreadable_answer_in_a_run, "quarantine"),
        (unreadable_callback, "quarantine"),
        (refused_announcement, "quarantine"),
        (corrupt_row, "quarantine"),
        (refused_by_the_vendor, "misconfigured"),
        (refused_by_a_target, "undelivered"),
        (evidence_out_of_reach, "evidence-deadline"),
        (evidence_refused, "evidence-deadline"),
        (usual_day, None),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_the_alarm_that_is_meant_goes_off_and_no_other(
    happens: Callable[[], list[str]], alarm: str | None
) -> None:
    lines = happens()

    assert lines
    assert [name for name in SEARCHING if goes_off(name, lines)] == ([alarm] if alarm else [])


def test_the_age_of_the_oldest_due_job_is_read_from_the_line_of_a_run() -> None:
    world = world_of(1)
    world.clock.advance(20 * MINUTE)
    lines = logged(lambda: runs.run(world.services))
    (pattern,) = re.findall(r"regexp_extract\(message, '(.+)', 1\)", query("standstill"))

    assert [int(found) for line in lines for found in re.findall(pattern, line)] == [20 * MINUTE]
    assert goes_off("standstill", lines)


def test_an_invocation_that_failed_is_counted_and_one_that_did_not_is_not() -> None:
    # The platform's last line of an invocation: function-compute.md 1.3.
    ended = "FC Invoke End RequestId: 1-65362416-68afb557d64a2e283eccebce"

    assert goes_off("errors", [f"{ended}, Error: Unhandled function error"])
    assert not goes_off("errors", [ended])


def test_every_alarm_looks_at_the_functions_logs_and_tells_by_the_policy() -> None:
    settings: list[Any] = [alarm["Configuration"] for alarm in ALARMS.values()]
    asked = [one for each in settings for one in each["QueryList"]]
    told = [each["PolicyConfiguration"] for each in settings]
    (logs,) = {
        (one["LogConfig"]["Project"], one["LogConfig"]["Logstore"])
        for one in STACK.of_type("ALIYUN::FC3::Function").values()
    }

    assert {(one["Project"], one["Store"]) for one in asked} == {logs}
    assert {one["ActionPolicyId"] for one in told} == {"sls.builtin"}


def test_an_alarm_compares_the_column_that_its_query_gives() -> None:
    for name, alarm in ALARMS.items():
        (severity,) = alarm["Configuration"]["SeverityConfigurations"]
        compared = severity["EvalCondition"]["Condition"].split()[0]

        assert query(name).endswith(f" AS {compared}")


def test_every_alarm_has_its_section_in_the_operations_page() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (dead_letters,) = STACK.of_type("ALIYUN::CMS::ResourceMetricRule").values()
    links = [note["Value"] for alarm in ALARMS.values() for note in alarm["Configuration"]["Annotations"]]
    linked = re.findall(r"docs/operations\.md#([a-z-]+)", " ".join([*links, dead_letters["EmailSubject"]]))
    sections = re.findall(r"^## ([\w -]+)$", page, re.MULTILINE)

    assert sorted(linked) == sorted([*ALARMS, "dead-letters"])
    assert {section.lower().replace(" ", "-") for section in sections} >= set(linked)
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        if part.partition("\n")[0].lower().replace(" ", "-") in linked:
            assert all(word in part for word in ("**Means.**", "**First.**", "**Wake somebody**"))
