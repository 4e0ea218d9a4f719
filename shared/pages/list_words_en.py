"""What the overview, the lists and error pages say in English (see `words`)."""

from __future__ import annotations

from collections.abc import Mapping

PHRASES: Mapping[str, str] = {
    "list.title": "Jobs",
    "list.jobs": "Jobs",
    "list.state": "State",
    "list.verdict": "Verdict",
    "list.job": "Job",
    "list.labels": "Labels",
    "list.media": "Media",
    "list.seen": "First seen",
    "list.needs": "Needs a person",
    "list.more": "and {count} more",
    "list.count": "{count} job.|{count} jobs.",
    "list.not_all": "There may be more: this page looked at {examined} entries.",
    "list.none": "No job matches.",
    "list.none_yet": (
        "None of the entries that this page looked at matches. There are more: go to the next page."
    ),
    "list.unreadable": "{count} job has a row that cannot be read|{count} jobs have rows that cannot be read",
    "list.unreadable.why": (
        "Another release or another program may have written it. Whether it matches is not known."
    ),
    "list.paging": "Pages of the list",
    "list.first": "First page",
    "list.next": "Next page",
    "filter.form": "Filter jobs",
    "filter.any": "any",
    "filter.needs": "Needs a person",
    "filter.state": "State",
    "filter.verdict": "Verdict",
    "filter.kind": "Kind",
    "filter.label": "Label",
    "filter.day": "First seen on (UTC)",
    "filter.job_id": "Job id",
    "filter.media_id": "Media id",
    "filter.lost_callback": "Callback lost",
    "filter.apply": "Show",
    "filter.clear": "Show all",
    "need.any": "any reason",
    "need.quarantined": "Quarantined",
    "need.quarantined.why": (
        "Its answer cannot be read, or settling it crashed again and again. Look at the reason, "
        "then release it."
    ),
    "need.unknown": "Unknown to the vendor",
    "need.unknown.why": (
        "The vendor still does not know it, long after it was announced. Check id, region and "
        "account, then retry."
    ),
    "need.undelivered": "Not delivered",
    "need.undelivered.why": "A target never took the result. Repair the target, then deliver it again.",
    "need.drift": "Differs from its record",
    "need.drift.why": (
        "A later answer or callback differs from the record. Compare the two, then acknowledge it."
    ),
    "need.evidence": "Evidence may be lost",
    "need.evidence.why": (
        "Pictures are not kept yet, and the vendor will delete them soon. Find out why they "
        "cannot be fetched."
    ),
    "slack.overdue": "overdue",
    "slack.1 day": "less than a day left",
    "slack.3 days": "less than 3 days left",
    "slack.7 days": "less than 7 days left",
    "slack.more": "7 days or more",
    "overview.title": "Overview",
    "overview.needs": "Needs a person",
    "overview.some_need": "Jobs that need a person: {number}.",
    "overview.show_them": "Show all of them",
    "overview.none_needs": "Nothing needs a person.",
    "overview.latest": "Latest",
    "overview.timer": "Timer and callbacks",
    "overview.lost": "Callbacks lost today",
    "overview.lost.why": (
        "Jobs first seen today that the timer settled and whose callback never came. If there are "
        "many, look at queues and callback addresses."
    ),
    "overview.due": "Jobs due now",
    "overview.due.why": "The timer takes them within a minute or two.",
    "overview.oldest": "Longest overdue",
    "overview.oldest.why": "More than ten minutes means that the timer has stopped or cannot keep up.",
    "overview.late": "{minutes} min",
    "overview.since": "Due since",
    "overview.today": "Today",
    "overview.jobs_today": "Jobs first seen on {day} (UTC): {number}",
    "overview.by_state": "By state",
    "overview.by_verdict": "By verdict",
    "overview.by_kind": "By kind",
    "overview.by_slack": "By time left",
    "overview.evidence": "Evidence that is not kept yet",
    "overview.evidence.why": "Pictures and files that are still to be fetched: {number}.",
    "overview.count": "Number",
    "overview.share": "Compared",
    "overview.number": "{number}",
    "overview.at_least": "{number} or more",
    "overview.nothing": "none",
    "error.back": "To the overview",
    "error.400": "Bad request",
    "error.400.do": "A part of the address is not valid. Change it, or start from the first page.",
    "error.401": "Not signed in",
    "error.401.do": (
        "Your token is missing or no longer valid. Sign in again where you got it, then reload this page."
    ),
    "error.403": "Not allowed",
    "error.403.do": "This console does not let you in. Ask whoever runs it.",
    "error.404": "Not found",
    "error.404.do": "There is nothing at this address, or no longer.",
    "error.405": "Read-only",
    "error.405.do": "This console changes nothing. Make changes with the command line.",
    "error.413": "Too large",
    "error.413.do": "This file is too large to be sent this way. Take it from the archive itself.",
    "error.500": "Something went wrong",
    "error.500.do": "This page cannot be shown. The log says why.",
    "error.503": "Not available right now",
    "error.503.do": "The store did not answer. Reload this page in a moment.",
}
