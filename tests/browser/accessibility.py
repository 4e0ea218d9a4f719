"""axe-core, asked about a page as it stands."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

# Loading style sheets anew, to read them, is what the content security policy of our pages forbids.
_OPTIONS: dict[str, Any] = {"preload": False, "resultTypes": ["violations"]}


def violations(page: Page, *rules: str) -> list[str]:
    """Ask axe about a page, by these rules or by all; each line names a rule, what broke it, and where."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    options = _OPTIONS | ({"runOnly": list(rules)} if rules else {})
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"][:5]
    ]


@cache
def _axe() -> str:
    # The package's own wrapper asks with options that the policy refuses; its copy of axe is what we use.
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
