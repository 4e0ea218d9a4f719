"""One answer in the vendor's two formats."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

from localcloud.media.wire import Format, Tree

CONTENT_TYPES: dict[Format, str] = {
    "json": "application/json;charset=utf-8",
    "xml": "text/xml;charset=utf-8",
}
# What XML 1.0 cannot hold, whatever the escape.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(tree: dict[str, Tree], *, root: str, answer_format: Format) -> bytes:
    """Write the answer; only XML has a root.

    In XML a list is its elements one after the other under one name, so an empty list and a null
    leave no trace (query-apis.md 6, quirk 58).
    """
    if answer_format == "json":
        return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()
    element = ElementTree.Element(root)
    _fill(element, tree)
    document: bytes = ElementTree.tostring(element, encoding="UTF-8", xml_declaration=True)
    return document


def _fill(element: ElementTree.Element, value: Tree) -> None:
    if isinstance(value, dict):
        for name, member in value.items():
            for item in member if isinstance(member, list) else [member]:
                if item is not None:
                    _fill(ElementTree.SubElement(element, name), item)
    else:
        element.text = _NOT_XML.sub("\ufffd", str(value))
