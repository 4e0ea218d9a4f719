"""What happens without the mechanisms that keep the promises: switches that take one out, in tests alone.

Each is as small as the mistake would be: a condition that is not sent, two steps in the other order, a rule
that somebody found needless. `caught_by` are checks of `tests/simulation/judge.py` that see it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from shared import answers, conclusions, drift, due, intake, lookups, lost_callbacks, marks, runs, settlement
from shared.adapters.paced_media_api import CallBudget
from shared.answers import Answered, Did, Moment, Settler
from shared.errors import FunctionError, PermanentError, VendorRefusedError
from shared.inbound.notifications import Notification
from shared.intake import Receipt
from shared.job_row import DUE_INPUTS, Effect, JobRow, effect_columns
from shared.leasing import Lease, LedgerRows, new_holder
from shared.policy import Policy
from shared.ports import Change, Ledger, MediaApi, Services, When
from shared.tables import INBOX, JOBS, LEASES, Key, Row, Table
from shared.toolkit import leases as toolkit_leases
from shared.toolkit.message import Message
from shared.vendor import ApiAnswer, ApiRequest
from shared.vendor_health import MissingJobs
from tests.simulation.cloud import Handle
from tests.simulation.weather import Weather, misplaced, overlapping, rough, sluggish

Patch = Callable[[pytest.MonkeyPatch], None]
Sky = Callable[[random.Random, int], Weather]
Rewrite = Callable[[Change, Sequence[When]], "tuple[Change, Sequence[When]]"]


@dataclass(frozen=True)
class Switch:
    """A mechanism that is taken out, and the checks that see it."""

    caught_by: frozenset[str]
    sky: Sky = rough
    jobs: int = 8
    seed: int = 0
    """The first that is tried: one that shows it, to save time."""
    policy: Callable[[Policy], Policy] = lambda policy: policy
    ledger: Callable[[Ledger], Ledger] = lambda ledger: ledger
    media_api: Callable[[MediaApi], MediaApi] = lambda media_api: media_api
    callback: Callable[[Handle], Handle] = lambda handle: handle
    patch: Patch = field(default=lambda monkeypatch: None)


class _Rewriting:
    """A ledger whose conditional writes of job rows are sent otherwise than they were meant."""

    def __init__(self, inner: Ledger, rewrite: Rewrite) -> None:
        self._inner = inner
        self._rewrite = rewrite
        self.BATCH_LIMIT, self.PAGE_LIMIT = inner.BATCH_LIMIT, inner.PAGE_LIMIT
        self.get, self.insert, self.insert_many = inner.get, inner.insert, inner.insert_many
        self.scan, self.under = inner.scan, inner.under

    def update(self, table: Table, key: Key, change: Change, when: Sequence[When]) -> bool:
        """See `Ledger.update`."""
        if table == JOBS:
            change, when = self._rewrite(change, when)
        return self._inner.update(table, key, change, when)


class _ForgetfulInbox(_Rewriting):
    """A ledger that says it has stored a delivery."""

    def __init__(self, inner: Ledger) -> None:
        super().__init__(inner, lambda change, when: (change, when))
        self.insert = self._insert

    def _insert(self, table: Table, key: Key, row: Row) -> bool:
        return True if table == INBOX else self._inner.insert(table, key, row)


class _BlamesTheJob:
    """A vendor client that takes a refusal of our key for an error of the job."""

    def __init__(self, inner: MediaApi) -> None:
        self._inner = inner

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        try:
            return self._inner.call(request, deadline=deadline)
        except VendorRefusedError as error:
            raise PermanentError(str(error)) from error


def _claims(change: Change) -> bool:
    return change.get("holder") is not None


def ends_a_lease(change: Change) -> bool:
    return "holder" in change and change["holder"] is None


def _drains(change: Change) -> bool:
    return "effects" in change and "holder" not in change


def unasked(writes: Callable[[Change], bool], *columns: str) -> Callable[[Ledger], Ledger]:
    """Leave conditions on these columns out of such writes."""

    def rewrite(change: Change, when: Sequence[When]) -> tuple[Change, Sequence[When]]:
        kept = [one for one in when if one.column not in columns] if writes(change) else when
        return change, kept

    return lambda ledger: _Rewriting(ledger, rewrite)


def _hide_what_is_claimed(change: Change, when: Sequence[When]) -> tuple[Change, Sequence[When]]:
    hidden = {"due_at": None, "due_bucket": None} if _claims(change) else {}
    return {**change, **hidden}, when


def _answer_anyway(handle: Handle) -> Handle:
    def answer(event: bytes, services: Services) -> object:
        try:
            return handle(event, services)
        except FunctionError:
            return None

    return answer


def _let_the_inbox_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    receive = intake.receive

    def receive_once(services: Services, message: Message, notification: Notification) -> Receipt:
        row: Row = {"transport": message.transport, "body": message.body}
        if not services.ledger.insert(INBOX, (notification.ref.key, message.message_id), row):
            return Receipt(message.message_id, "notification", notification.ref.key, "marked")
        return receive(services, message, notification)

    monkeypatch.setattr(intake, "receive", receive_once)


def _absorb_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "contradicts", lambda row, claimed: False)


def _archive_after_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def commit(services: Services, lease: Lease, answered: Answered, *, by: Settler) -> settlement.Outcome:
        moment = settlement._moment(services, lease, by)
        ended = settlement._finish(services, lease, lambda row: conclusions.conclude(row, answered, moment))
        settlement._archive(services, lease.row, answered)
        return ended

    monkeypatch.setattr(settlement, "_commit", commit)


def _let_terminal_regress(monkeypatch: pytest.MonkeyPatch) -> None:
    check_again = drift.check_again

    def believe(row: JobRow, answered: Answered, moment: Moment) -> tuple[Change, Did]:
        if answered.record.status == "running":
            return conclusions._still_running(row, answered.record, moment), "waiting"
        return check_again(row, answered, moment)

    monkeypatch.setattr(drift, "check_again", believe)


def _drop_older_effects(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_new(row: JobRow, new: Iterable[Effect]) -> Change:
        return effect_columns(new)

    for module in (answers, conclusions, drift):
        monkeypatch.setattr(module, "with_effects", only_new)


def _watch_for_no_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_callbacks, "watch", lambda row, digest, moment: [])


def _leave_no_look_up_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "put", lambda ledger, row, before=None: None)


def _spend_freely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CallBudget, "take", lambda self, product, *, deadline: None)


def _let_runs_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    def claim(services: Services) -> toolkit_leases.Lease | str:
        store = LedgerRows(services.ledger, LEASES)
        until, row = services.deadline, store.get(runs.NAME)
        # By a clock at the end of time every lease has lapsed.
        lease = toolkit_leases.claim(
            store, runs.NAME, row, holder=new_holder(services), now=2**62, until=until
        )
        return lease or "another run was faster"

    monkeypatch.setattr(runs, "_claim", claim)


def _work_on_shards_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_why_not", lambda services, shard: None)


def _believe_the_vendor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MissingJobs, "_is_doubtful", lambda self, service: False)


def _take_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(self: due._Lane) -> tuple[due.Place, due.End]:
        return self.places.popleft(), "oldest"

    monkeypatch.setattr(due._Lane, "take", take)
    monkeypatch.setattr(due, "_product", lambda kinds, key: "")


def _set(**numbers: int) -> Callable[[Policy], Policy]:
    return lambda policy: replace(policy, **numbers)  # type: ignore[arg-type]  # names of any field


def caught(*checks: str) -> frozenset[str]:
    return frozenset(checks)


NOTHING = Switch(frozenset())
"""The product as it is."""

SWITCHES: Mapping[str, Switch] = {
    "the fence of a commit": Switch(
        caught("row rules"), jobs=30, seed=7, ledger=unasked(ends_a_lease, "token", "holder")
    ),
    "the token of a claim": Switch(caught("row rules"), seed=11, ledger=unasked(_claims, "token", "holder")),
    "a claimed job stays due": Switch(
        caught("row rules", "at rest", "ends"), ledger=lambda inner: _Rewriting(inner, _hide_what_is_claimed)
    ),
    "a commit keeps effects": Switch(caught("row rules", "lost callbacks"), patch=_drop_older_effects),
    "a drain writes on condition": Switch(
        caught("row rules", "current records"),
        jobs=16,
        seed=6,
        ledger=unasked(_drains, "token", "effects", *DUE_INPUTS),
    ),
    "a commit sees the marks": Switch(caught("wake-ups"), seed=3, ledger=unasked(ends_a_lease, "wanted")),
    "the mark before the answer": Switch(caught("inbox", "known", "marks"), seed=3, callback=_answer_anyway),
    "the delivery in the inbox": Switch(caught("inbox"), ledger=_ForgetfulInbox),
    "a known delivery marks again": Switch(caught("marks", "known"), patch=_let_the_inbox_decide),
    "a contradiction is checked": Switch(caught("records", "contradictions"), patch=_absorb_always),
    "the archive before the commit": Switch(
        caught("archive", "records", "quiet"), seed=8, patch=_archive_after_the_commit
    ),
    "terminal stays": Switch(caught("row rules"), seed=6, patch=_let_terminal_regress),
    "the grace period": Switch(caught("ends"), seed=7, policy=_set(not_found_grace=0)),
    "an incomplete answer is no end": Switch(caught("records"), seed=2, policy=_set(incomplete_for=0)),
    "the confirming query": Switch(caught("records"), seed=1, policy=_set(confirm_after=0)),
    "the crash limit": Switch(caught("quiet"), jobs=16, seed=8, policy=_set(crash_limit=1_000_000)),
    "refusals blame no job": Switch(caught("blame"), media_api=_BlamesTheJob),
    "the budget of calls": Switch(caught("budget"), seed=2, patch=_spend_freely),
    "the lease of a run": Switch(caught("budget"), sky=overlapping, jobs=30, patch=_let_runs_overlap),
    "the lease of a shard": Switch(
        caught("budget"), sky=overlapping, jobs=50, seed=1, patch=_work_on_shards_again
    ),
    "the doubt in ourselves": Switch(
        caught("ends", "blame"), sky=misplaced, jobs=80, patch=_believe_the_vendor
    ),
    "the order of due jobs": Switch(caught("waiting"), sky=sluggish, jobs=160, patch=_take_the_oldest),
    "the look-up rows": Switch(caught("lists"), patch=_leave_no_look_up_rows),
    "the watch for callbacks": Switch(caught("lost callbacks"), seed=1, patch=_watch_for_no_callback),
}
"""By the mechanism's name; docs/reliability.md has the same table."""
