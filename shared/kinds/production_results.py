"""What both `QueryIProductionJob`s tell alike: how a job stands, and what its algorithm gave back.

Sources: the function sections of the two vendor pages of that name; query-apis.md 5.4 has them side by
side. MPS wraps a result in {Code, Message, Data} and writes JSON into strings twice over; ICE gives the
bare result. The entries inside are the same, so they are known by their keys, whoever sends them and
under whatever function name; an entry with other keys stays unmapped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal

from shared.documents.cursor import Node
from shared.documents.pointers import escape
from shared.kinds.values import number
from shared.record import Measure, Output, Score, Status, VendorError

_SUCCESS = "success"

_LISTS = ("result", "splitResult", "VideoSummaryList", "Details")
# All in seconds. For `beginTime` no page says so: it is taken for what its neighbours are.
_SEGMENTS = (("start", "end"), ("StartTime", "EndTime"), ("beginTime", "endTime"))
# There `file` is the sound itself, in base64 (query-apis.md 5.4): no place for a record to point at.
_FUNCTIONS_WITHOUT_FILES = frozenset({"TextToSpeech"})

_POSITION = re.compile(r"[0-9]{1,15}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_TOO_LONG = 10**18  # what `Node.integer` takes is shorter too
_DOWN = Context(rounding=ROUND_DOWN)
_MILLISECOND, _SECOND = 1, 1000

_QUALITY = frozenset({"Channel", "MOS"})
_NOT_MEASURED = frozenset({"Channel", "Time", "Input"})
# `MOS`, `Worst MOS(0-5)`, `Bad Mute Ratio(%)`, `Loudness(-90dB-0dB)` (query-apis.md 6, quirk 40).
_MEASURE = re.compile(r"([A-Za-z][A-Za-z0-9 ]*?) ?(?:\(([^()/]+)\))?", re.ASCII)


@dataclass(frozen=True)
class Results:
    """What stands in `Result`. `is_said` tells whether anything does, be it only `{}`."""

    outputs: tuple[Output, ...]
    measures: tuple[Measure, ...]
    error: VendorError | None
    is_said: bool


def read_results(root: Node, *, function: str | None, status: Status) -> Results:
    """Read the member `Result` of an answer."""
    text = root.text("Result")
    found = _opened(root, "Result")
    replies = found or []
    entries = [entry for reply in replies for entry in _entries(reply)]
    outputs = [_output(entry, function) for entry in entries]
    return Results(
        outputs=tuple(output for output in outputs if output is not None),
        measures=tuple(measure for entry in entries for measure in _quality(entry)),
        error=_error(replies, failed=status == "failed"),
        is_said=found is not None or bool(text and text.strip()),
    )


def _opened(node: Node, name: str) -> list[Node] | None:
    """Open a document. An empty text is nothing; any other that holds none stays unmapped."""
    if node.text(name) is not None:
        node.put_back(name)
    return node.nested(name)


def _entries(reply: Node) -> Iterator[Node]:
    """Give every object that may be an entry.

    It may stand in a bare list, in a list with a name, or in either of them below `Data`, which is a
    string, a list or an object (query-apis.md 6, quirks 27 and 28). Of two replies in one `Result`,
    one has the data and the other none (quirk 25).
    """
    data = _opened(reply, "Data")
    for holder in (reply, *(data or ())):
        yield holder
        for name in _LISTS:
            yield from holder.items(name)


def _error(replies: Sequence[Node], *, failed: bool) -> VendorError | None:
    """Read what went wrong, or what the vendor says of a job that failed all the same.

    The job's state decides (query-apis.md 6, quirk 31: there are three texts for success alone), so a
    code of success and its message are ignored by name. Of several refusals the others stay unmapped.
    """
    accepted = [reply for reply in replies if _is_success(reply)]
    refused = [reply for reply in replies if not _is_success(reply)]
    told = (refused or (replies if failed else []))[:1]
    code, message = (told[0].text("Code"), told[0].text("Message")) if told else (None, None)
    for other in refused[1:]:
        other.put_back("Code")
    for reply in accepted:
        if reply.text("Code") is not None:
            reply.ignore("Message")
    return VendorError(code=code, message=message) if code or message else None


def _is_success(reply: Node) -> bool:
    return (reply.text("Code") or _SUCCESS).casefold() == _SUCCESS


def _output(entry: Node, function: str | None) -> Output | None:
    """Read an entry as the output whose keys it has; None when it has no such keys, or no values."""
    names = set(entry.names())
    if "file" in names:
        return None if function in _FUNCTIONS_WITHOUT_FILES else _file(entry)
    if {"Input", "Output"} <= names:
        return _picture(entry)
    if "Url" in names and (function == "Cover" or {"Score", "Time"} <= names):
        return _cover(entry)
    for start, end in _SEGMENTS:
        if {start, end} <= names:
            return _segment(entry, start, end)
    return None


def _file(entry: Node) -> Output | None:
    """Read a key of an object, without its bucket; it may hold spaces (query-apis.md 6, quirk 66)."""
    uri = entry.text("file")
    return Output(kind="file", uri=uri, source=entry.source) if uri else None


def _picture(entry: Node) -> Output | None:
    """Read one of the `Details` of ImageMatting: a picture, titled by the one that it was made from."""
    uri = entry.text("Output")
    if uri is None:
        return None
    if (entry.text("Status") or _SUCCESS).casefold() != _SUCCESS:
        entry.put_back("Status")
    return Output(kind="file", uri=uri, title=entry.text("Input"), source=entry.source)


def _cover(entry: Node) -> Output | None:
    """Read a cover. The pages give no scale for its score; its `Time` is in milliseconds (quirk 29)."""
    url, text = entry.text("Url"), entry.text("Score")
    start_ms = _position_ms(entry, "Time", _MILLISECOND)
    if url is None and text is None and start_ms is None:
        return None
    scores = () if text is None else (Score(text=text, value=number(text)),)
    return Output(kind="cover", url=url, start_ms=start_ms, scores=scores, source=entry.source)


def _segment(entry: Node, start: str, end: str) -> Output | None:
    start_ms, end_ms = _position_ms(entry, start, _SECOND), _position_ms(entry, end, _SECOND)
    title = entry.text("title")
    if start_ms is None and end_ms is None and title is None:
        return None
    return Output(kind="segment", start_ms=start_ms, end_ms=end_ms, title=title, source=entry.source)


def _position_ms(node: Node, name: str, unit: int) -> int | None:
    """Take a position in units of so many milliseconds, rounded down to a whole one; leave what is none.

    Exact, which binary floats are not: they make 1000 ms of 1.001 s.
    """
    text = node.text(name)
    if text is None:
        return None
    if _POSITION.fullmatch(text):
        position = _DOWN.multiply(Decimal(text), unit)
        if position < _TOO_LONG:
            return int(position)
    node.put_back(name)
    return None


def _quality(entry: Node) -> list[Measure]:
    """Read what AudioQualityAssessment says of one channel: a measure per key, in the order of keys."""
    names = entry.names()
    if not set(names) >= _QUALITY:
        return []
    entry.ignore("Time")  # of the assessment, not in the sound; by a clock without a zone (quirk 41)
    entry.ignore("Input")  # a path inside the vendor's machine (quirk 41)
    channel = entry.text("Channel")
    told = (_measure(entry, name, channel) for name in names if name not in _NOT_MEASURED)
    measures = [measure for measure in told if measure is not None]
    if not measures:
        entry.put_back("Channel")
    return measures


def _measure(entry: Node, name: str, channel: str | None) -> Measure | None:
    found = _MEASURE.fullmatch(name)
    text = entry.text(name) if found else None
    if found is None or text is None:
        return None
    return Measure(
        name=found[1],
        value=number(text),
        text=text,
        unit=found[2],
        channel=channel,
        source=f"{entry.source}/{escape(name)}",
    )
