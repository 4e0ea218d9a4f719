"""`reconcile`: do what the timer does, once or until nothing is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

import typer

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, opened
from cli.sending_here import HeldJobs, send, why_not
from cli.terminal import AsJson, Exit, err, escape, out, print_json, told_plainly
from shared import archival, bootstrap, runs
from shared.handing_over import ARCHIVE, hand_over
from shared.places import Inline
from shared.policy import MINUTE
from shared.ports import Services
from shared.run_summary import Summary
from shared.settings import Settings

# One that is interrupted blocks the next one no longer than this.
_PASS = 2 * MINUTE


@dataclass
class _Total:
    """What all passes did together."""

    summaries: list[Summary] = field(default_factory=list)
    reason: str | None = None
    handed_over: int = 0
    """Jobs whose deliveries were due."""
    deliveries: Counter[str] = field(default_factory=Counter)
    """What came of these, as far as they were sent here."""
    unsent: str | None = None
    """Why none was."""
    evidence: Counter[str] = field(default_factory=Counter)
    """What came of pictures that were fetched here."""

    @property
    def more(self) -> bool:
        return bool(self.summaries) and self.summaries[-1].more

    def is_worth_another(self) -> bool:
        """Tell whether the last pass left something, and got something done itself."""
        if self.reason is not None or not self.more:
            return False
        last = self.summaries[-1]
        return last.drained > 0 or any(did != "postponed" for did in last.outcomes)

    def outcomes(self) -> Counter[str]:
        return sum((one.outcomes for one in self.summaries), Counter())

    def report(self) -> dict[str, object]:
        """Give all of it, ready for JSON; what is wrong is that of the last pass."""
        last = self.summaries[-1] if self.summaries else Summary()
        return {
            **last.report(),
            "outcomes": dict(sorted(self.outcomes().items())),
            "notes": dict(sorted(sum((one.notes for one in self.summaries), Counter()).items())),
            "drained": sum(one.drained for one in self.summaries),
            "lost_callbacks": sum(one.lost_callbacks for one in self.summaries),
            "handed_over": self.handed_over,
            "deliveries": dict(sorted(self.deliveries.items())),
            "evidence": dict(sorted(self.evidence.items())),
            "passes": len(self.summaries),
            "reason": self.reason,
        }

    def status(self) -> Exit:
        if any(one.needs_a_person for one in self.summaries) or self.deliveries["undelivered"]:
            return Exit.NEEDS_A_PERSON
        is_away = any(one.away for one in self.summaries)
        left = self.more or self.reason is not None or is_away or self.unsent is not None
        return Exit.LATER if left else Exit.DONE


def reconcile(
    limit: Annotated[
        int | None, typer.Option(min=1, help="Work on at most so many jobs; nobody is given up then.")
    ] = None,
    until_quiet: Annotated[
        bool, typer.Option("--until-quiet", help="Go on, pass after pass, until nothing is due.")
    ] = False,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Ask the vendor about every job that is due, and do what is left to do for settled ones.

    It is what the timer's function does, within its part of the account's calls, and never beside it: a pass
    lasts two minutes at most, and after one that was interrupted nobody begins another before they are over.
    Deliveries and evidence that are due are handed over to LEDGER_INVOKER after each pass; without one,
    evidence is fetched here, and deliveries are sent, if LEDGER_DELIVERY and its keys are set. Exit status 1
    when a person is needed (a refused key, missing or unreadable jobs, a target that refuses), 3 while
    something is still due.
    """
    total = _Total()
    with told_plainly(), opened(environment(folder), must_exist=folder) as services:
        settings = Settings.read(environment(folder))
        within = bootstrap.within_run_budget(services)
        held = HeldJobs()
        with err().status("reconciling ...") as status:
            left = limit
            while left is None or left > 0:
                _pass(replace(within, invoker=held), total, left)
                _deliver(services, total, held.take(), settings)
                _archive(services, total, held.take(ARCHIVE), settings)
                done = sum(total.outcomes().values())
                status.update(f"reconciling: {done} jobs so far ...")
                left = None if limit is None else limit - done
                if not (until_quiet and total.is_worth_another()):
                    break
    if as_json:
        print_json(total.report())
    else:
        _tell(total)
    raise typer.Exit(total.status())


def _pass(services: Services, total: _Total, limit: int | None) -> None:
    # Shards are for functions that are deployed: a command does all of the work itself.
    alone = replace(services.policy, fan_out_at=None)
    in_time = replace(services, policy=alone, deadline=services.clock.now() + _PASS)
    report = runs.run(in_time, limit=limit)
    total.reason = report.reason
    if report.reason is None:
        total.summaries.append(report.summary)


def _deliver(services: Services, total: _Total, jobs: Sequence[str], settings: Settings) -> None:
    """Send what was handed over, or leave it to the deployed function."""
    total.handed_over += len(jobs)
    if not jobs:
        return
    if not isinstance(settings.invoker, Inline):
        accepted = hand_over(services, jobs)
        total.unsent = None if accepted == len(jobs) else "it cannot be invoked"
        return
    total.unsent = why_not(settings)
    if total.unsent is None:
        total.deliveries.update(send(services, jobs))


def _archive(services: Services, total: _Total, jobs: Sequence[str], settings: Settings) -> None:
    """Keep evidence, or leave it to the deployed function, whose timer comes to what is due."""
    if not isinstance(settings.invoker, Inline):
        hand_over(services, jobs, function=ARCHIVE)
        return
    in_time = replace(services, deadline=services.clock.now() + _PASS)
    total.evidence.update(str(outcome) for outcome in archival.keep_evidence_of(in_time, jobs).elements())
    total.evidence.update(str(outcome) for outcome in archival.keep_due_evidence(in_time).elements())


def _tell(total: _Total) -> None:
    if total.reason is not None:
        err().print(escape(total.reason))
    told = [f"{count} {outcome}" for outcome, count in sorted(total.outcomes().items()) if count]
    out().print(", ".join(told) or "no job was due")
    report = total.report()
    if report["drained"]:
        out().print(f"{report['drained']} effects done, {report['lost_callbacks']} callbacks lost")
    _tell_deliveries(total)
    if total.evidence:
        came = ", ".join(
            f"{count} {what.replace('_', ' ')}" for what, count in sorted(total.evidence.items())
        )
        out().print(f"evidence: {came}")
    last = total.summaries[-1] if total.summaries else Summary()
    for product in sorted(last.stopped_products):
        err().print(
            f"[bold red]error:[/] {escape(product)} refuses us: look at key, permission and region, and at"
            " whether the jobs are this account's"
        )
    for service in last.misconfigured:
        err().print(
            f"[bold red]error:[/] too many jobs of {escape(service)} are not found: is that their region"
            " and account?"
        )
    for service in sorted(last.away):
        err().print(f"{escape(service)} does not answer; its jobs are left for the next run")
    for key in last.corrupt:
        err().print(f"[bold red]error:[/] the row of {escape(key)} cannot be read")


def _tell_deliveries(total: _Total) -> None:
    if not total.handed_over:
        return
    came = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in sorted(total.deliveries.items()))
    left = (
        f"left to the timer, because {total.unsent}"
        if total.unsent
        else "handed over to the function deliver"
    )
    out().print(f"deliveries of {total.handed_over} jobs: {came or left}")
