"""What a job's story is told with, in English (see `explanation`); a page has it in its reader's language.

A sentence is made of parts, each of which brings the sign that joins it to the one before.
"""

from __future__ import annotations

from collections.abc import Mapping

PHRASES: Mapping[str, str] = {
    # What happened.
    "story.seen": "first seen by {by}",
    "story.delivered": "delivered by {transport}: {event}",
    "story.claims": ", it claims {claimed}",
    "story.because": ", {reason}",
    "story.not_found": "the vendor said that it does not know the job, and has not said else since",
    "story.no_result": "the vendor said that it has finished, without a result",
    "story.settled": "settled as {state}",
    "story.with": " with {verdict}",
    "story.settled_by": ", by the {by}",
    "story.asked_again": "the vendor was asked again, {queries} times in all: ",
    "story.differed": "something differed",
    "story.the_same": "the record is what it says",
    "story.as_version": ", as version {version}",
    "story.callback_lost": "no callback had come: it counts as lost",
    "story.callback_late": "no callback had come: it counted as lost, and came late",
    "story.kept": "{count} of {all} pictures kept by then",
    "story.lost": "{count} of {all} pictures lost by then",
    "story.last_because": ", the last because of {reason}",
    "story.drifted": "a later word differed, {count} times; last: {last}",
    "story.quarantined": "quarantined: {reason}",
    "story.unknown": "unknown: {reason}",
    # What comes next.
    "story.leased": "somebody is settling it until then; a result ends that earlier",
    "story.crashed": "whoever was settling it has crashed; the next run of the timer takes over",
    "story.ask": "the vendor is asked: ",
    "story.ask_again": "the vendor is asked again: ",
    "story.to_confirm": "once more after settling, to confirm, or because a callback says otherwise",
    "story.may_pass": (
        "it did not know the job, which may pass; after {minutes} minutes of that it counts as unknown"
    ),
    "story.asking_failed": "asking failed {count} times in a row",
    "story.waited_for": (
        "it has finished, but its answer has no result yet; that is waited for {hours} hours"
    ),
    "story.not_asked": "it was not asked yet",
    "story.not_finished": "it was not finished when it was asked last ({status})",
    "story.wanted": "somebody wants it looked at",
    "story.effect_record": "the current record is written under records/",
    "story.effect_verify": (
        "it is looked whether records/ still holds the current record; if not, that is written again"
    ),
    "story.effect_evidence": "archive is invoked: is all evidence kept or lost, and the manifest right?",
    "story.effect_callback": "it is looked whether a callback has come; if not, it counts as lost",
    "story.effect_lookups": "the rows that lists find it by are written",
    "story.effect": "the effect {name} is done",
    "story.failed": "; it failed {attempts} times",
    "story.to_deliver": "version {version} is delivered to {target}",
    "story.after": ", after {attempts} attempts; {last}",
    "story.after_no_word": (", after {attempts} attempts; the last attempt has not ended with a word yet"),
    "story.never_took": (
        "{target} never took version {version}, in {attempts} attempts: {reason};"
        " media-ledger redeliver --job {job}"
    ),
    "story.to_keep": "{count} of {all} pictures are to be kept",
    "story.first_failed": "; the first failed {attempts} times: {reason}",
    "story.until_released": "nothing asks about it until a person has looked: media-ledger release {job}",
    "story.until_retried": "nothing asks about it until a callback comes, or: media-ledger retry {job}",
    "story.finished": "nothing: it is finished",
    "story.stranded": "nothing, which must not be for a job that is not settled: media-ledger retry {job}",
}
