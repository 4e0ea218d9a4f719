"""What holds of every write of a job row in any history, said without the code that writes it.

Nothing here may be taken from the code that it judges but the reading of a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.job_row import JobRow
from shared.jobs import TRANSITIONS, State

Rule = Callable[["Write"], bool]

FIRST_SIGHT = ("seen_day", "first_seen_at", "first_seen_by")
SETTLING = ("settled_at", "settled_by")
TERMINAL = (State.SUCCEEDED, State.FAILED)
CONFIRMED_AFTER = 10 * 60 * 1000


@dataclass(frozen=True)
class Write:
    """One write of a job row that took effect."""

    at: int
    before: JobRow | None
    after: JobRow

    def was(self, column: str) -> object:
        """Give a column as it was."""
        return None if self.before is None else self.before.columns.get(column)

    def now(self, column: str) -> object:
        """Give a column as it is."""
        return self.after.columns.get(column)

    def is_changed(self, *columns: str) -> bool:
        """Tell whether any of the columns has another value."""
        return any(self.was(column) != self.now(column) for column in columns)

    @property
    def ends_a_lease(self) -> bool:
        """Tell whether this is a commit or a release."""
        return self.was("holder") is not None and self.now("holder") is None

    @property
    def claims(self) -> bool:
        """Tell whether somebody got the lease by this."""
        return self.now("holder") is not None and self.is_changed("holder")

    @property
    def replays(self) -> bool:
        """Tell whether a settled row was moved to another version without a lease."""
        had_a_version = self.was("digest") is not None and self.was("holder") is None
        return had_a_version and self.is_changed("digest") and self.now("holder") is None

    @property
    def commits(self) -> bool:
        """Tell whether this may say what a job is."""
        return self.ends_a_lease or self.replays


def broken_rules(write: Write) -> list[str]:
    """Name the rules that a write breaks."""
    return [f"{text}: {_told(write)}" for text, holds in RULES.items() if not holds(write)]


def _told(write: Write) -> dict[str, tuple[object, object]]:
    names = [name for name in write.after.columns if write.is_changed(name)]
    return {name: (write.was(name), write.now(name)) for name in names}


def _due_at_follows(write: Write) -> bool:
    row = write.after
    lease, *others = (row.number(name) for name in ("lease_until", "query_at", "effects_at", "deliver_at"))
    waiting = [at for at in others if at is not None]
    due = lease if lease is not None else min(waiting, default=None)
    bucket = None if due is None else row.key[0]
    return row.number("due_at") == due and row.text("due_bucket") == bucket


def _attention_follows(write: Write) -> bool:
    row = write.after
    why = {
        "quarantined": row.state is State.QUARANTINED,
        "unknown": row.state is State.UNKNOWN,
        "undelivered": bool(row.undelivered),
        "drift": row.count("drifts") > row.count("drift_seen"),
        "evidence": row.count("at_risk") > 0,
    }
    reasons = [name for name, is_so in why.items() if is_so]
    places = [row.number("attention_at") is not None, row.text("attention_bucket") == row.key[0]]
    return (row.text("attention") or "") == ",".join(reasons) and places == [bool(reasons)] * 2


def _effects_at_follows(write: Write) -> bool:
    row = write.after
    return row.number("effects_at") == min((effect.next_at for effect in row.effects), default=None)


def _deliver_at_follows(write: Write) -> bool:
    """Only the oldest version of a target is to be sent: the others wait for it."""
    first: dict[str, tuple[int, int]] = {}
    for entry in write.after.outbox:
        first[entry.target] = min(first.get(entry.target, (2**62, 0)), (entry.version, entry.next_at))
    return write.after.number("deliver_at") == min((at for _, at in first.values()), default=None)


def _open_is_due(write: Write) -> bool:
    is_open = write.after.state in (State.TRACKED, State.RUNNING)
    return not is_open or write.after.number("due_at") is not None


def _set_aside_asks_nothing(write: Write) -> bool:
    is_aside = write.after.state in (State.UNKNOWN, State.QUARANTINED)
    return not is_aside or write.after.number("query_at") is None


def _state_follows_the_table(write: Write) -> bool:
    before = None if write.before is None else write.before.state
    return before is write.after.state or write.after.state in TRANSITIONS[before]


def _token_counts_claims(write: Write) -> bool:
    token = 0 if write.before is None else write.before.count("token")
    return write.after.count("token") == token + (1 if write.claims or write.replays else 0)


def _lease_is_respected(write: Write) -> bool:
    held = write.before is not None and write.before.is_leased(write.at)
    return not ((write.claims or write.replays) and held)


def _marks_count_up(write: Write) -> bool:
    steps = [
        write.after.count(name) - (0 if write.before is None else write.before.count(name))
        for name in ("wanted", "notified")
    ]
    return all(step in (0, 1) for step in steps) and steps[0] >= steps[1]


def _versions_count_digests(write: Write) -> bool:
    version = 0 if write.before is None else write.before.count("version")
    return write.after.count("version") == version + int(write.is_changed("digest"))


def _end_keeps_effects(write: Write) -> bool:
    if write.before is None or not write.commits:
        return True
    return set(write.before.effects) <= set(write.after.effects)


def _end_keeps_deliveries(write: Write) -> bool:
    if write.before is None or not write.commits:
        return True
    new = [entry for entry in write.after.outbox if entry not in write.before.outbox]
    are_of_this_version = {entry.digest for entry in new} <= {write.now("digest")}
    return set(write.before.outbox) <= set(write.after.outbox) and are_of_this_version


def _delivery_touches_one_entry(write: Write) -> bool:
    """One attempt begins or ends: then the entry stays, was taken, or stands among the undelivered."""
    if write.before is None or write.commits or not write.is_changed("outbox"):
        return not write.is_changed("undelivered")
    gone = [entry for entry in write.before.outbox if entry not in write.after.outbox]
    new = [entry for entry in write.after.outbox if entry not in write.before.outbox]
    is_a_persons = bool(new) and all(entry.attempts == 0 for entry in new)
    if is_a_persons or write.is_changed("wanted"):
        return not write.is_changed("undelivered")  # a person has it sent again, or at once
    if len(gone) != 1 or len(new) > 1:
        return False
    older = [e for e in write.before.outbox if e.target == gone[0].target and e.version < gone[0].version]
    if not new:
        return not older
    same = (gone[0].target, gone[0].version, gone[0].digest) == (new[0].target, new[0].version, new[0].digest)
    return not older and same and new[0].attempts - gone[0].attempts in (0, 1)


def _new_version_has_its_effect(write: Write) -> bool:
    effects = {(effect.name, effect.digest) for effect in write.after.effects}
    return not write.is_changed("digest") or ("record", write.now("digest")) in effects


def _drain_touches_one_effect(write: Write) -> bool:
    if write.before is None or write.commits or not write.is_changed("effects"):
        return True
    gone = set(write.before.effects) - set(write.after.effects)
    new = set(write.after.effects) - set(write.before.effects)
    if write.is_changed("media_id"):  # it is to be found under its media, too
        return not gone and {(e.name, e.digest, e.next_at) for e in new} == {
            ("record", write.now("digest"), write.at)
        }
    if write.is_changed("wanted"):  # a person has what failed tried at once
        names = [{(e.name, e.digest, e.attempts) for e in effects} for effects in (gone, new)]
        return names[0] == names[1] and all(e.attempts and e.next_at == write.at for e in new)
    # One that failed was tried once more; one that another function sees to is only looked at again.
    same = {(e.name, e.digest, e.attempts + n) for e in gone for n in (0, 1)}
    return len(gone) == 1 and {(e.name, e.digest, e.attempts) for e in new} <= same


def _settled_with_its_state(write: Write) -> bool:
    told = [write.now(name) is not None for name in SETTLING]
    return not write.is_changed("state") or told == [write.after.state in TERMINAL] * 2


def _settled_once(write: Write) -> bool:
    return write.was("settled_at") is None or not write.is_changed(*SETTLING)


def _terminal_stays(write: Write) -> bool:
    was_terminal = write.before is not None and write.before.state in TERMINAL
    return not was_terminal or not write.is_changed("state")


def _settled_is_confirmed(write: Write) -> bool:
    at = write.after.number("settled_at")
    is_imported = write.now("settled_by") == "import"  # with what was confirmed elsewhere, or never will be
    if at is None or is_imported or write.at >= at + CONFIRMED_AFTER:
        return True
    query = write.after.number("query_at")
    is_postponed = write.now("reason") is not None
    return query is not None and (query <= at + CONFIRMED_AFTER or is_postponed)


def _finished_is_not_due(write: Write) -> bool:
    row = write.after
    waits = [row.number("lease_until"), row.number("query_at"), row.effects or None, row.outbox or None]
    return row.number("due_at") is None or any(waits)


def _agreeing_mark_moves_nothing(write: Write) -> bool:
    """Only who brings a claim to check, or a person, has a settled job asked about."""
    if write.before is None or write.before.state not in TERMINAL or not write.is_changed("notified"):
        return True
    moves = write.is_changed("query_at", "effects", "lease_until", "token")
    return not moves or write.now("claimed") != write.now("checked_claim")


def _drift_is_told(write: Write) -> bool:
    step = write.after.count("drifts") - (0 if write.before is None else write.before.count("drifts"))
    # Decided before the archive is written: at the latest now.
    told = write.now("drift") is not None and 0 < write.after.count("drift_at") <= write.at
    return step == 0 or (step == 1 and told and write.ends_a_lease)


def _lost_callback_goes_forward(write: Write) -> bool:
    match write.was("lost_callback"), write.now("lost_callback"):
        case (None, 1):
            return not write.after.count("notified")
        case (1, now):
            return now == (2 if write.is_changed("notified") else 1)
        case (was, now):
            return was == now


def _crashes_are_counted_by_claims(write: Write) -> bool:
    before = 0 if write.before is None else write.before.count("crashes")
    step = int(write.claims and write.was("holder") is not None)
    is_cleared = not write.claims and write.after.count("crashes") == 0
    return is_cleared or write.after.count("crashes") == before + step


RULES: dict[str, Rule] = {
    "due_at follows from lease, query_at, effects_at and deliver_at": _due_at_follows,
    "attention says why a job needs a person": _attention_follows,
    "effects_at is when the first effect is due": _effects_at_follows,
    "deliver_at is when the first delivery is due": _deliver_at_follows,
    "an open job is due some day": _open_is_due,
    "an unknown or quarantined job asks nothing": _set_aside_asks_nothing,
    "a state follows only where the table says so": _state_follows_the_table,
    "the token counts claims and replays, nothing else": _token_counts_claims,
    "nobody claims what is leased": _lease_is_respected,
    "holder and lease come and go together": lambda write: (
        (write.now("holder") is None) == (write.now("lease_until") is None)
    ),
    "marks are counted one by one and never lost": _marks_count_up,
    "a version is counted with each digest": _versions_count_digests,
    "a commit keeps every effect": _end_keeps_effects,
    "a new version has its effect": _new_version_has_its_effect,
    "a drain touches one effect": _drain_touches_one_effect,
    "a commit keeps every delivery": _end_keeps_deliveries,
    "a delivery touches one entry": _delivery_touches_one_entry,
    "terminal never regresses": _terminal_stays,
    "a job is settled when its state is terminal": _settled_with_its_state,
    "settling is written once": _settled_once,
    "a settled job is asked about until it is confirmed": _settled_is_confirmed,
    "a finished row is not due": _finished_is_not_due,
    "an agreeing mark moves nothing": _agreeing_mark_moves_nothing,
    "drift is counted one by one and told": _drift_is_told,
    "a callback is lost, then late": _lost_callback_goes_forward,
    "crashes are counted by claims": _crashes_are_counted_by_claims,
    "only the end of a lease says what a check found": lambda write: (
        write.ends_a_lease or not write.is_changed("checked_claim", "settled_at", "raw_parts", "settled_by")
    ),
    "only a commit makes a version": lambda write: (
        write.commits or not write.is_changed("digest", "version", "normalizer_version")
    ),
    "a replay makes of the same answer what a newer normalizer says": lambda write: (
        not write.replays
        or write.after.count("normalizer_version") > (write.before or write.after).count("normalizer_version")
    ),
    "first sight is written once": lambda write: write.before is None or not write.is_changed(*FIRST_SIGHT),
    # By a release that did not write it.
    "the kind is written once": lambda write: (
        write.was("seen_kind") is None or not write.is_changed("seen_kind")
    ),
    "a claim once made is only replaced": lambda write: (
        write.was("claimed") is None or write.now("claimed") is not None
    ),
}
