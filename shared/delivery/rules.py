"""The plan of deliveries: who can be told, and which records go to whom.

    {"source": "media-ledger/production",
     "targets": {"publisher": {"url": "https://publisher.example/media-events"}},
     "rules": [{"to": ["publisher"], "kinds": ["vod.media_audit"], "suggestions": ["block", "review"]}]}

A rule matches when each of its lists holds a word of the record; a list that is left out matches all.
Without rules nothing is sent.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from shared.delivery.targets import Target
from shared.delivery.words import a_list, an_object, members, nearest, texts, unknown
from shared.jobs import State
from shared.record import JobRecord
from shared.taxonomy import KNOWN_LABELS, PASS, SUGGESTIONS, worst
from shared.toolkit import strict_json
from shared.toolkit.parser import ParseError
from shared.toolkit.strict_json import Tree, any_text

SOURCE = "media-ledger"
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:/-]{0,127}")
_STATES = frozenset(state.value for state in State if state.is_terminal)
_MAX_BYTES = 64 * 1024


@dataclass(frozen=True)
class Facts:
    """What rules look at in a record. All but the kind is in lower case."""

    kinds: frozenset[str]
    states: frozenset[str]
    suggestions: frozenset[str]
    labels: frozenset[str]

    @classmethod
    def of(cls, record: JobRecord) -> Facts:
        """Take from a record what rules ask for.

        Of two suggestions that contradict, the worse one counts, and nothing passes beside a word that is
        none of the three. Labels are the vendor's at the top, and ours of every finding.
        """
        verdict = record.verdict
        said = [verdict.suggestion, verdict.computed_suggestion]
        suggestion = worst(said)
        if suggestion == PASS and any(each and each.casefold() not in SUGGESTIONS for each in said):
            suggestion = None
        ours = {finding.canonical_label for finding in record.findings if finding.canonical_label}
        return cls(
            kinds=frozenset({record.job.kind}),
            states=frozenset({record.status}),
            suggestions=frozenset({suggestion} if suggestion else ()),
            labels=frozenset(label.casefold() for label in verdict.labels) | ours,
        )


@dataclass(frozen=True)
class Rule:
    """Which records go to which targets. A list that is None matches all."""

    to: tuple[str, ...]
    kinds: frozenset[str] | None = None
    states: frozenset[str] | None = None
    suggestions: frozenset[str] | None = None
    labels: frozenset[str] | None = None

    @property
    def lists(self) -> dict[str, frozenset[str]]:
        """Give the lists that it has, by name."""
        named = {
            "kinds": self.kinds,
            "states": self.states,
            "suggestions": self.suggestions,
            "labels": self.labels,
        }
        return {name: words for name, words in named.items() if words is not None}

    def mismatches(self, facts: Facts) -> tuple[str, ...]:
        """Name the lists that hold no word of the record; none of them means that the rule matches."""
        return tuple(name for name, words in self.lists.items() if not words & getattr(facts, name))


@dataclass(frozen=True)
class DeliveryPlan:
    """What `LEDGER_DELIVERY` says. The empty plan sends nothing."""

    targets: tuple[Target, ...] = ()
    rules: tuple[Rule, ...] = ()
    source: str = SOURCE
    """Whose events these are: their CloudEvents `source`."""

    @classmethod
    def parse(cls, text: str, *, kinds: Collection[str]) -> DeliveryPlan:
        """Read the setting; `kinds` are those that this version knows.

        Raise `ValueError` naming the target or rule, the wrong word and the nearest right one.
        """
        try:
            tree = strict_json.parse(text, max_bytes=_MAX_BYTES)
        except ParseError as error:
            raise ValueError(f"the plan: {error}") from None
        said = members(tree, ("source", "targets", "rules"), "the plan")
        targets = _targets(said.get("targets", {}))
        names = frozenset(target.name for target in targets)
        rules = a_list(said.get("rules", []), "rules")
        known = _known(names, kinds)
        return cls(
            targets=targets,
            rules=tuple(_rule(rule, f"rule {number}", known) for number, rule in enumerate(rules, 1)),
            source=_source(said),
        )

    def target(self, name: str) -> Target | None:
        """Give the target of that name; None where the plan has none, or has it no more."""
        return next((target for target in self.targets if target.name == name), None)

    def targets_for(self, record: JobRecord) -> tuple[str, ...]:
        """Name who is to be told of a record, each once, in alphabetical order."""
        if not self.rules:
            return ()
        facts = Facts.of(record)
        return tuple(sorted({to for rule in self.rules if not rule.mismatches(facts) for to in rule.to}))


def _known(targets: frozenset[str], kinds: Collection[str]) -> Mapping[str, Collection[str]]:
    return {
        "to": targets,
        "kinds": kinds,
        "states": _STATES,
        "suggestions": SUGGESTIONS,
        "labels": KNOWN_LABELS,
    }


def _targets(tree: Tree) -> tuple[Target, ...]:
    return tuple(Target.parse(name, one) for name, one in sorted(an_object(tree, "targets").items()))


def _rule(tree: Tree, where: str, known: Mapping[str, Collection[str]]) -> Rule:
    said = members(tree, known, where)
    if "to" not in said:
        raise ValueError(f"{where}: to is missing: the names of targets")
    lists = {name: _list(words, name, known[name], where) for name, words in said.items()}
    return Rule(to=tuple(sorted(lists.pop("to"))), **lists)


def _list(tree: Tree, name: str, known: Collection[str], where: str) -> frozenset[str]:
    words = frozenset(texts(tree, f"{where}: {name}"))
    if name == "labels":
        words = frozenset(word.casefold() for word in words)
    for word in sorted(words - frozenset(known)):
        # The vendor's labels are no closed list: one that is like none of ours may be a new one.
        if name != "labels" or nearest(word, known):
            raise ValueError(f"{where}: {name}: {unknown(word, known)}")
    return words


def _source(said: dict[str, Tree]) -> str:
    if "source" not in said:
        return SOURCE
    source = any_text(said, "source")
    if source is None or not _SOURCE.fullmatch(source):
        raise ValueError("source: must be text of at most 128 characters: a-z, A-Z, 0-9 and ._~:/-")
    return source
