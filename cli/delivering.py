"""`rules`: who is told of settled jobs, and which rules one job meets, or why it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Group
from rich.table import Table
from rich.text import Text

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, find_job, opened
from cli.looking import record_of
from cli.terminal import AsJson, escape, out, print_json, printable, told_plainly
from shared.delivery.rules import Facts, Rule
from shared.delivery.targets import Target
from shared.policy import SECOND
from shared.record import JobRecord
from shared.settings import Settings
from shared.taxonomy import KNOWN_LABELS
from shared.toolkit import model

_LISTS = ("kinds", "states", "suggestions", "labels")

OneJob = Annotated[
    str | None, typer.Option("--job", help="Which rules this job meets: its id, kind/job id, or ledger key.")
]


def rules(job: OneJob = None, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Show who is told of settled jobs, by LEDGER_DELIVERY of this shell, and why a job is told of or not.

    A plan that is wrong is refused with what is wrong in it: set it here before you deploy it.
    """
    with told_plainly(job or ""):
        settings = Settings.read(environment(folder))
        told = _plan(settings)
        if job is not None:
            told["job"] = _judged(settings, job, folder)
    if as_json:
        print_json(told)
    else:
        out().print(Group(_targets_table(told), _rules_table(told), *_lines(told)))


def _plan(settings: Settings) -> dict[str, Any]:
    plan, keys = settings.delivery, dict(settings.delivery_keys)
    return {
        "source": plan.source,
        "targets": [_target(target, keys=len(keys.get(target.name, ()))) for target in plan.targets],
        "rules": [
            {
                "rule": number,
                "to": list(rule.to),
                **{name: sorted(words) for name, words in rule.lists.items()},
            }
            for number, rule in enumerate(plan.rules, 1)
        ],
        "notes": list(_notes(settings)),
    }


def _target(target: Target, *, keys: int) -> dict[str, Any]:
    return {
        "name": target.name,
        "kind": target.kind,
        "url": target.shown,
        "record": target.inline_record,
        "timeout_seconds": target.timeout_ms // SECOND,
        "private_addresses": target.allows_private,
        "keys": keys,
    }


def _notes(settings: Settings) -> Iterator[str]:
    """Say what is allowed, and yet may not be what was meant."""
    plan, keys = settings.delivery, dict(settings.delivery_keys)
    if not plan.rules:
        yield "Nobody is told: LEDGER_DELIVERY has no rules, or is not set here."
    named = {name for rule in plan.rules for name in rule.to}
    for target in plan.targets:
        if target.name not in named:
            yield f"No rule names the target {target.name}."
        if target.kind == "https" and target.name not in keys:
            yield f"{target.name} has no key in LEDGER_DELIVERY_KEYS here; the function deliver needs one."
    for number, rule in enumerate(plan.rules, 1):
        for label in sorted((rule.labels or frozenset()) - KNOWN_LABELS):
            yield f"Rule {number}: the label {label} is none that this version knows; the vendor may."


def _judged(settings: Settings, name: str, folder: Folder) -> dict[str, Any]:
    """Hold a job's present record against every rule."""
    with opened(environment(folder), must_exist=folder) as services:
        row = find_job(services, name)
        stored = record_of(services, row)
    judged: dict[str, Any] = {"job": row.key, "state": row.state.value}
    if stored is None:
        return {**judged, "record": None, "rules": [], "targets": []}
    record = model(JobRecord)(stored)
    facts = Facts.of(record)
    return {
        **judged,
        "record": {each: sorted(getattr(facts, each)) for each in _LISTS},
        "rules": [
            {"rule": number, "matches": not rule.mismatches(facts), "why_not": list(_why_not(rule, facts))}
            for number, rule in enumerate(settings.delivery.rules, 1)
        ],
        "targets": list(settings.delivery.targets_for(record)),
    }


def _why_not(rule: Rule, facts: Facts) -> Iterator[str]:
    for name in rule.mismatches(facts):
        has = ", ".join(sorted(getattr(facts, name))) or "none"
        yield f"its {name}: {has}; the rule's: {', '.join(sorted(rule.lists[name]))}"


def _targets_table(told: dict[str, Any]) -> Table:
    table = Table(title="targets", title_justify="left", box=SIMPLE)
    for column in ("name", "kind", "where", "record", "time limit", "keys"):
        table.add_column(column, overflow="fold")
    for one in told["targets"]:
        record = "yes" if one["record"] else ""
        limit, keys = f"{one['timeout_seconds']} s", str(one["keys"] or "")
        table.add_row(one["name"], one["kind"], escape(one["url"]), record, limit, keys)
    return table


def _rules_table(told: dict[str, Any]) -> Table:
    table = Table(title="rules", title_justify="left", box=SIMPLE)
    for column in ("rule", "to", *_LISTS):
        table.add_column(column, overflow="fold")
    for one in told["rules"]:
        lists = (", ".join(one[name]) if name in one else "any" for name in _LISTS)
        table.add_row(str(one["rule"]), ", ".join(one["to"]), *(escape(words) for words in lists))
    return table


def _lines(told: dict[str, Any]) -> Iterator[Text]:
    for note in told["notes"]:
        yield Text(printable(note))
    job = told.get("job")
    if job is None:
        return
    if job["record"] is None:
        yield Text(f"{job['job']} is {job['state']}: it has no record, so nobody is told of it yet.")
        return
    yield Text(printable("; ".join(f"{name}: {', '.join(job['record'][name]) or 'none'}" for name in _LISTS)))
    for one in job["rules"]:
        outcome = "matches" if one["matches"] else f"does not match: {'; and '.join(one['why_not'])}"
        yield Text(printable(f"rule {one['rule']} {outcome}"))
    yield Text(f"{job['job']} goes to {', '.join(job['targets']) or 'nobody'}.")
