"""What is said instead of a page: refusals and failures."""

from __future__ import annotations

from shared.pages.context import PageContext
from shared.pages.templates import render

TOLD = frozenset({400, 401, 403, 404, 405, 413, 503})
"""Statuses that have words of their own."""


def render_error(status: int, reason: str | None, page: PageContext, *, is_in: bool) -> str:
    """Write the page of an error; `reason` is what is wrong, in the product's own English.

    Whoever is not let in gets no style sheet, for which a token is needed, too.
    """
    return render(
        "error.html", page, here="", name=status if status in TOLD else 500, reason=reason, is_in=is_in
    )
