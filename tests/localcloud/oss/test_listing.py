"""Lists, page by page."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.localcloud.oss.desk import Desk, code, tree

KEYS = st.text(st.sampled_from("ab/é&"), min_size=1, max_size=5)


@pytest.mark.parametrize("version", ["1", "2"])
@given(
    keys=st.sets(KEYS, max_size=8),
    prefix=st.text(st.sampled_from("ab/"), max_size=2),
    delimiter=st.sampled_from(["", "/", "b"]),
    limit=st.integers(1, 4),
)
@example(keys={"a/b", "a/c", "b"}, prefix="", delimiter="/", limit=1)
def test_the_pages_together_are_every_key_and_folder_once_in_order(
    version: str, keys: set[str], prefix: str, delimiter: str, limit: int
) -> None:
    desk = Desk()
    for key in keys:
        desk.bucket.put(key, b"x", headers={}, modified=0)
    found, after = [], ""
    while True:
        query = {"prefix": prefix, "delimiter": delimiter, "max-keys": str(limit), "list-type": version}
        if after:
            query["continuation-token" if version == "2" else "marker"] = after
        page = tree(desk.ask("GET", query=query))
        entries = [node.text or "" for node in page.iterfind("Contents/Key")]
        folders = [node.text or "" for node in page.iterfind("CommonPrefixes/Prefix")]
        assert len(entries) + len(folders) <= limit
        found += sorted(entries + folders)
        if page.findtext("IsTruncated") == "false":
            break
        after = page.findtext("NextContinuationToken" if version == "2" else "NextMarker") or ""

    assert found == sorted({cut(key, prefix, delimiter) for key in keys if key.startswith(prefix)})


def cut(key: str, prefix: str, delimiter: str) -> str:
    """Give the folder that stands for a key, or the key."""
    head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
    return prefix + head + found if found else key


@pytest.mark.parametrize("limit", ["0", "1001", "many"])
def test_a_page_has_a_sensible_size(limit: str) -> None:
    assert code(Desk().ask("GET", query={"max-keys": limit})) == "InvalidArgument"


def test_owners_are_told_in_the_second_version_when_they_are_asked_for() -> None:
    desk = Desk()
    desk.bucket.put("key", b"x", headers={}, modified=0)

    owners = [
        len(tree(desk.ask("GET", query=query)).findall("Contents/Owner"))
        for query in ({}, {"list-type": "2"}, {"list-type": "2", "fetch-owner": "true"})
    ]

    assert owners == [1, 0, 1]


def test_buckets_are_listed_by_their_names() -> None:
    names = tree(Desk().ask("GET", bucket=None)).findall("Buckets/Bucket/Name")

    assert [name.text for name in names] == ["bucket", "other"]
