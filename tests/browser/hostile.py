"""What somebody may write into a media title, a label or an error message to run code in our pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MARK = "ran"
"""The global variable that each of these sets when it runs."""

_RUN = f"window.{MARK}=1"
LONG = "W" * 3_000
WORDS = " ".join(
    [
        f"<script>{_RUN}</script>",
        f'"><img src=x onerror="{_RUN}">',
        f"' autofocus onfocus='{_RUN}' x='",
        f"</title></style></script></textarea><svg onload={_RUN}>",
        "</style><style>*{display:none!important}</style>",
        f"javascript:{_RUN}",
        "<link rel=stylesheet href=//elsewhere.example/x.css><base href=//elsewhere.example/>",
        '<meta http-equiv="refresh" content="0;url=//elsewhere.example/">',
        f"{{{{7*7}}}} {{% raw %}} ${{7*7}} <%= 7*7 %> --><!-- ]]> &lt;script&gt;{_RUN}&lt;/script&gt;",
        "\u202egnp.exe\u2066 \u0000\u001b[31m\u200b\ufeff\ufffe",
    ]
)
ADDRESS = f"javascript:{_RUN}//"

# What the vendor's readers must understand for the answer to become a record.
_KEPT = frozenset(
    {"JobId", "Status", "State", "Suggestion", "Timestamp", "CreationTime", "CompleteTime", "CreateTime"}
    | {"FinishTime", "Url", "Score", "Type", "UserId", "FunctionName"}
)


def spoilt(tree: Any, *, name: str = "") -> Any:
    """Give a vendor's answer with these words after every text in it that is free."""
    if isinstance(tree, Mapping):
        return {key: spoilt(value, name=key) for key, value in tree.items()}
    if isinstance(tree, Sequence) and not isinstance(tree, str):
        return [spoilt(value, name=name) for value in tree]
    if isinstance(tree, str) and name not in _KEPT:
        return f"{tree} {WORDS}"
    return tree
