"""Who is told of what in a run: the plan, and its rules said again, for whoever looks at the end."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.delivery.rules import DeliveryPlan
from shared.kinds import KINDS


@dataclass(frozen=True)
class Audience:
    """A target and the rule that names it; an empty list matches all."""

    name: str
    url: str
    kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    record: bool = False
    timeout_seconds: int = 10

    def wants(self, record: Mapping[str, Any]) -> bool:
        """Tell whether it is to be told of a record, as it lies in the archive.

        By any of two suggestions: whoever asks for one here asks for every worse one, too.
        """
        verdict = record["verdict"]
        said = {(verdict[name] or "").lower() for name in ("suggestion", "computed_suggestion")}
        return (
            record["job"]["kind"] in (self.kinds or KINDS)
            and record["status"] in (self.states or ("succeeded", "failed"))
            and bool(not self.suggestions or said & set(self.suggestions))
        )


AUDIENCES = (
    Audience("archive", "https://archive.example/events", kinds=("vod.media_audit",), timeout_seconds=30),
    Audience("desk", "mns://queue/review-desk", suggestions=("block", "review")),
    Audience("failures", "https://failures.example/events?of=jobs", states=("failed",), record=True),
    Audience("publisher", "https://publisher.example/events"),
    Audience(
        "summary",
        "python:tests.simulation.targets:post_process",
        kinds=("mts.production", "mts.video_quality"),
    ),
)


def draw_audiences(drawn: random.Random) -> tuple[Audience, ...]:
    """Draw who is told anything in a run: now and then nobody."""
    return tuple(drawn.sample(AUDIENCES, drawn.choice((0, 2, 3, 4, 5))))


def nobody(drawn: random.Random) -> tuple[Audience, ...]:
    """Tell nobody: what is looked at lies elsewhere, and hours of retries would only take time."""
    return ()


def plan_for(audiences: Iterable[Audience]) -> DeliveryPlan:
    """Write the setting and read it."""
    targets, rules = {}, []
    for one in audiences:
        targets[one.name] = {"url": one.url, "record": one.record, "timeout_seconds": one.timeout_seconds}
        lists = {"kinds": one.kinds, "states": one.states, "suggestions": one.suggestions}
        rules.append({"to": [one.name], **{name: words for name, words in lists.items() if words}})
    return DeliveryPlan.parse(json.dumps({"targets": targets, "rules": rules}), kinds=KINDS)
