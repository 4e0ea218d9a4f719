"""Who looks at a page, when, and where its links lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote, urlencode

from shared.pages.static_files import static_name
from shared.pages.words import Language


class Links(Protocol):
    """Makes the addresses that a page needs; None where it has no such place."""

    def overview(self) -> str | None:
        """Give the address of the overview."""
        ...

    def jobs(self, **filters: str) -> str | None:
        """Give the address of the list of jobs, by fields of its form."""
        ...

    def job(self, key: str, **place: str) -> str | None:
        """Give the address of a job's page: `at` a source in its raw answer, or `check` and `from`."""
        ...

    def evidence(self, key: str, name: str) -> str | None:
        """Give the address of a picture or file that is kept."""
        ...

    def raw(self, key: str, part: str) -> str | None:
        """Give the address of a raw part as it was received."""
        ...

    def static(self, name: str) -> str | None:
        """Give the address of a file of `shared/pages/static`; None where the page holds it itself."""
        ...


@dataclass(frozen=True)
class ConsoleLinks:
    """Addresses below the console's own, which `base` is without a slash at its end: ``, `/desk`, `..`.

    A language that was chosen stays in every address.
    """

    base: str
    chosen: Language | None = None

    def overview(self) -> str:
        """See `Links.overview`."""
        return self._to("/", {})

    def jobs(self, **filters: str) -> str:
        """See `Links.jobs`."""
        return self._to("/jobs", filters)

    def job(self, key: str, **place: str) -> str:
        """See `Links.job`."""
        fragment = "#here" if "at" in place else "#chosen" if "check" in place else ""
        return self._to(f"/jobs/{quote(key, safe='')}", place) + fragment

    def evidence(self, key: str, name: str) -> str:
        """See `Links.evidence`."""
        return f"{self.base}/jobs/{quote(key, safe='')}/evidence/{quote(name, safe='')}"

    def raw(self, key: str, part: str) -> str:
        """See `Links.raw`."""
        return f"{self.base}/jobs/{quote(key, safe='')}/raw/{quote(part, safe='')}"

    def static(self, name: str) -> str:
        """See `Links.static`."""
        return f"{self.base}/static/{static_name(name)}"

    def _to(self, path: str, fields: Mapping[str, str]) -> str:
        query = urlencode({**fields, **({"lang": self.chosen} if self.chosen else {})})
        return f"{self.base}{path}{'?' if query else ''}{query}"


@dataclass(frozen=True)
class PageContext:
    """What a page is made for. `now` is epoch milliseconds.

    `in_languages` has the address of this very page in each language, where somebody may choose.
    """

    language: Language
    links: Links
    now: int
    in_languages: Mapping[Language, str] = field(default_factory=dict)
