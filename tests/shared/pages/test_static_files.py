"""The style sheets and the script: served under their hash, and fit to stand in a page."""

from __future__ import annotations

import pytest

from shared.pages.static_files import FILES, policy_hash, static_file, static_name, static_text


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_served_under_a_name_with_its_hash(name: str) -> None:
    served = static_file(static_name(name))

    assert served is not None
    form = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}[name.rpartition(".")[2]]
    assert (served[0].decode(), served[1].partition(";")[0]) == (static_text(name), form)


@pytest.mark.parametrize("name", [*FILES, "page.000000000000.css", "../words.py", "", "job.html"])
def test_nothing_else_is_served(name: str) -> None:
    assert static_file(name) is None


@pytest.mark.parametrize("name", ["page.css", "job.css", "job.js"])
def test_no_file_ends_an_element_that_holds_it_or_loads_anything(name: str) -> None:
    text = static_text(name)

    assert [
        sign for sign in ("</", "<!--", "@import", "url(", "http:", "https:", "//#") if sign in text
    ] == []


def test_a_policy_names_a_text_by_its_hash() -> None:
    # As https://www.w3.org/TR/CSP3/ has it for the script `alert('Hello, world.');`.
    assert policy_hash("alert('Hello, world.');") == "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"
