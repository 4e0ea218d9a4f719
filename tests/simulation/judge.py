"""What must be so when a run has come to rest, whatever happened in it. Each check has a name of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

from shared.completeness.making import make_report
from shared.completeness.report import CompletenessReport
from shared.completeness.survey import Window
from shared.inbound.notifications import Claim
from shared.job_row import JobRow
from shared.jobs import State
from shared.tables import INBOX
from tests.simulation.deliveries import (
    a_dead_target_delays_nobody,
    an_attempt_is_made_once,
    consumers_know_what_the_ledger_says,
    everybody_is_told_or_it_is_said,
    nobody_else_is_told,
    signatures_are_believed,
    versions_come_in_order,
    wishes_are_respected,
)
from tests.simulation.kept_pictures import every_picture_is_kept_or_lost_with_its_reason
from tests.simulation.lists import lists_find_what_the_rows_say
from tests.simulation.records import (
    evidence_of_rows_is_there,
    records_are_those_of_the_last_answers,
    records_follow_the_rows,
    settled_rows,
)
from tests.simulation.run import Run
from tests.simulation.shares import nobody_waits_for_a_slow_product, runs_and_account_keep_their_rates
from tests.simulation.stores import TimedWrite
from tests.simulation.stories import PLAIN, Story

Check = Callable[[Run], Iterator[str]]

_CRASHES = 5
_AS_IS = ("succeeded", "failed")
_OF_STATE = {State.SUCCEEDED: "settled", State.FAILED: "failed"}


def faults(run: Run) -> list[str]:
    """Say everything that is wrong, each with the name of the check that found it."""
    return [f"{name}: {what}" for name, check in CHECKS.items() for what in check(run)]


def _comes_to_rest(run: Run) -> Iterator[str]:
    if run.is_restless:
        left = [row for row in run.ledger.rows().values() if row.number("due_at") is not None]
        yield "; ".join(
            f"{row.key} is still due, {row.state.value}: {row.text('reason')}" for row in left[:5]
        )


def _no_rule_is_broken(run: Run) -> Iterator[str]:
    yield from run.ledger.broken


def _no_defect_shows(run: Run) -> Iterator[str]:
    yield from run.defects


def _acknowledged_is_kept(run: Run) -> Iterator[str]:
    for delivery in run.mns.deliveries:
        for message in delivery.messages if delivery.acknowledged_at is not None else ():
            if run.ledger.get(INBOX, (message.ref.key, message.message_id)) is None:
                yield f"{message.ref.key}: delivery {message.message_id} was answered and is not in the inbox"


def _acknowledged_is_known(run: Run) -> Iterator[str]:
    rows = run.ledger.rows()
    told = {m.ref.key for d in run.mns.deliveries if d.acknowledged_at is not None for m in d.messages}
    for key in sorted(told | set(run.submit_side.acknowledged)):
        if key not in rows:
            yield f"{key} was announced or called back, which was answered with success, and has no row"


def _every_job_ends_as_its_story_says(run: Run) -> Iterator[str]:
    rows = run.ledger.rows()
    for story in run.stories:
        row = rows.get(story.ref.key)
        if row is not None and row.state is not _end(story):
            yield f"{row.key} ({story.illness}) ended as {row.state.value}, not {_end(story).value}"


def _end(story: Story) -> State:
    if story.illness == PLAIN:
        return State(story.last.status)
    return State.UNKNOWN if story.illness == "nobody knows it" else State.QUARANTINED


def _nobody_is_blamed(run: Run) -> Iterator[str]:
    """A job that can be read is never given up, and quarantined only when five who asked ended in a row."""
    for story in run.stories:
        for write in run.ledger.writes[story.ref.key] if story.illness == PLAIN else ():
            if write.is_changed("state") and write.after.state is State.UNKNOWN:
                yield f"{story.ref.key} was given up"
            is_new = write.is_changed("state") and write.after.state is State.QUARANTINED
            if is_new and write.before is not None and write.before.count("crashes") < _CRASHES:
                yield f"{story.ref.key} was quarantined: {write.after.text('reason')}"


def _what_is_finished_is_not_due(run: Run) -> Iterator[str]:
    """By everything that makes a row due, not by `due_at`: a row could be due and never be found."""
    for row in run.ledger.rows().values():
        names = ("holder", "query_at", "effects", "outbox", "deliver_at", "due_at")
        left = [name for name in names if name in row.columns]
        if left:
            yield f"{row.key} is {row.state.value} and still has {', '.join(left)}"


def _marks_are_counted(run: Run) -> Iterator[str]:
    rows = run.ledger.rows()
    least: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for delivery in run.mns.deliveries:
        for message in delivery.messages:
            least[message.ref.key] += delivery.acknowledged_at is not None
            most[message.ref.key] += delivery.attempts
    for key, row in rows.items():
        # An attempt that never learnt of its own mark marks again.
        if not least[key] <= row.count("notified") <= 2 * most[key]:
            yield f"{key}: {row.count('notified')} notifications counted of {least[key]} to {most[key]}"


def _no_mark_is_overlooked(run: Run) -> Iterator[str]:
    """Whoever ends a lease without having seen a mark leaves the job to be asked about at once."""
    for key, writes in run.ledger.writes.items():
        seen = 0
        for write in writes:
            row = write.after
            if write.claims:
                seen = row.count("wanted")
            is_answered = write.ends_a_lease and row.number("queries") != write.was("queries")
            if not is_answered or row.text("reason") is not None or row.count("wanted") == seen:
                continue
            if _is_open_question(row) and row.count("query_at") > write.at:
                yield f"{key}: marked while it was leased, and asked about no sooner for that"


def _is_open_question(row: JobRow) -> bool:
    claimed = row.text("claimed")
    if not row.state.is_terminal or claimed is None:
        return row.state in (State.TRACKED, State.RUNNING)
    agrees = Claim.parse(claimed).agrees(row.state.value, row.text("suggestion"))
    return not agrees and claimed != row.text("checked_claim")


def _lost_callbacks_are_counted(run: Run) -> Iterator[str]:
    for _, row in settled_rows(run):
        # Whoever settled the job and whoever looks for its callback may read different clocks.
        grace = run.policy.callback_grace - 2 * run.weather.clock_error
        expected = _lost_callback(run.ledger.writes[row.key], grace)
        if row.number("lost_callback") not in expected:
            yield f"{row.key}: lost_callback is {row.number('lost_callback')}, not one of {expected}"


def _lost_callback(writes: list[TimedWrite], grace: int) -> tuple[int | None, ...]:
    """Say what the column may be: lost when the timer settled the job and nobody called within the grace."""
    settled = _settling(writes)
    called_at = next((write.happened_at for write in writes if write.after.count("notified")), None)
    if settled.after.text("settled_by") != "timer" or settled.after.count("notified"):
        return (None,)
    if called_at is None:
        return (1,)
    # Past the grace, whether the timer had looked before the callback came decides.
    return (None,) if called_at <= settled.happened_at + grace else (None, 2)


def _settling(writes: list[TimedWrite]) -> TimedWrite:
    return next(write for write in writes if write.after.number("settled_at") is not None)


def _contradictions_are_checked(run: Run) -> Iterator[str]:
    """A callback that contradicts a settled job has the vendor asked, and is drift if it was wrong."""
    rows = {row.key: (story, row) for story, row in settled_rows(run)}
    for delivery in run.mns.deliveries:
        for message in delivery.messages if delivery.acknowledged_at is not None else ():
            story, row = rows.get(message.ref.key, (None, None))
            if story is None or row is None or any(call.is_sure for call in story.calls):
                continue
            came_after = _settling(run.ledger.writes[row.key]).happened_at < delivery.first_at
            if not came_after or message.status not in _AS_IS or message.status == row.state.value:
                continue
            if not row.count("drifts"):
                yield f"{row.key}: a contradicting callback was taken in and is told nowhere"
            if not any(at >= delivery.first_at for at in run.vendor.asked[row.key]) and (
                row.text("checked_claim") is None
            ):
                yield f"{row.key}: a contradicting callback was never checked"


def _every_job_is_in_one_bucket(run: Run) -> Iterator[str]:
    report, rows = completeness(run), run.ledger.rows()
    counted = {group.name: group.count for group in report.buckets if group.count}
    expected = Counter({"corrupt": 1})
    expected.update(_bucket(row) for row in rows.values())
    if counted != dict(expected) or report.jobs != len(rows) + 1:
        yield f"the report counts {counted} of {report.jobs}, the ledger holds {dict(expected)}"
    missing = {name for name, count in _found(report).items() if name == "missing" and count}
    unknown = [story.ref.key for story in run.stories if story.ref.key not in rows]
    if _found(report).get("missing", 0) != len(unknown):
        yield f"the report misses {missing} of the submitted jobs, {len(unknown)} have no row"
    flags = {group.name: group.count for group in report.flags}
    lost = sum(row.count("lost_callback") == 1 for row in rows.values())
    if flags["lost_callback"] != lost or flags["overdue"] or flags["never_due"]:
        yield f"the report's flags do not fit: {flags}"


def _bucket(row: JobRow) -> str:
    if row.state.is_terminal and row.undelivered:
        return "undelivered"
    return _OF_STATE.get(row.state, row.state.value)


def _found(report: CompletenessReport) -> Mapping[str, int]:
    return {one.name: one.count for source in report.sources for one in source.findings}


def completeness(run: Run) -> CompletenessReport:
    """Make the report on all days of a run, compared with everything that was submitted."""
    begins = date(2025, 11, 20)
    window = Window(begins, begins + timedelta(days=5))
    submitted = {"submitted": [story.ref for story in run.stories]}
    return make_report(run.instances.bare(), window, run="run", submitted=submitted)


CHECKS: Mapping[str, Check] = {
    "quiet": _comes_to_rest,
    "row rules": _no_rule_is_broken,
    "no defect": _no_defect_shows,
    "inbox": _acknowledged_is_kept,
    "known": _acknowledged_is_known,
    "ends": _every_job_ends_as_its_story_says,
    "blame": _nobody_is_blamed,
    "records": records_are_those_of_the_last_answers,
    "current records": records_follow_the_rows,
    "archive": evidence_of_rows_is_there,
    "evidence": every_picture_is_kept_or_lost_with_its_reason,
    "at rest": _what_is_finished_is_not_due,
    "marks": _marks_are_counted,
    "wake-ups": _no_mark_is_overlooked,
    "lost callbacks": _lost_callbacks_are_counted,
    "contradictions": _contradictions_are_checked,
    "budget": runs_and_account_keep_their_rates,
    "waiting": nobody_waits_for_a_slow_product,
    "told": everybody_is_told_or_it_is_said,
    "audience": nobody_else_is_told,
    "consumers": consumers_know_what_the_ledger_says,
    "order": versions_come_in_order,
    "attempts": an_attempt_is_made_once,
    "signatures": signatures_are_believed,
    "wishes": wishes_are_respected,
    "delays": a_dead_target_delays_nobody,
    "report": _every_job_is_in_one_bucket,
    "lists": lists_find_what_the_rows_say,
}
"""What is checked, by the name under which a failure and docs/reliability.md tell it."""
