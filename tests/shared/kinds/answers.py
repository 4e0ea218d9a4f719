"""Answers of `GetAIMediaAuditJob` as hypothesis strategies: documented ones, and spoilt ones.

Vocabulary: query-apis.md 2.2 and 5.2, which is both vendor pages and the newest SDK model together.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

from hypothesis import strategies as st

from shared.vendor import Part

Json: TypeAlias = Any
"""What `json.loads` gives."""

_Place: TypeAlias = "tuple[Json, Any]"
"""A container, and the key or index of a value in it."""

SECRET = "S3CRET"
"""Stands in the query of every signed URL that is made here, and nowhere else."""

SCENE_LABELS: Mapping[str, Sequence[str]] = {
    "porn": ["porn", "sexy", "normal"],
    "terrorism": [
        *("normal", "bloody", "explosion", "outfit", "logo", "weapon", "politics", "violence"),
        *("crowd", "parade", "carcrash", "flag", "location", "others", "terrorism"),
    ],
    "ad": [
        *("normal", "ad", "politics", "porn", "abuse", "terrorism", "contraband", "spam", "npx"),
        *("qrcode", "programCode"),
    ],
    "live": ["normal", "meaningless", "PIP", "pip", "smoking", "drivelive"],
    "logo": ["normal", "TV", "trademark", "logo"],
}
TEXT_LABELS = ["spam", "ad", "abuse", "flood", "contraband", "meaningless", "normal"]
AUDIO_LABELS = [*TEXT_LABELS, "politics", "terrorism", "porn"]
MODULE_LABELS = ["porn", "terrorism", "ad", "live", "logo", "audio", "normal"]
GREEN_LABELS = ["normal", "pornographic_adultContent_tii", "political_flag_tii"]
BLOCK_LABELS: Mapping[str, Sequence[str]] = {
    "PornResult": SCENE_LABELS["porn"],
    "TerrorismResult": SCENE_LABELS["terrorism"],
    "AdResult": SCENE_LABELS["ad"],
    "LiveResult": SCENE_LABELS["live"],
    "LogoResult": SCENE_LABELS["logo"],
    "GreenEnhancedResult": GREEN_LABELS,
}
LIST_FIELDS = ["TopList", "CounterList", "ImageResult", "TextResult", "AudioResult", "Result"]

_SUGGESTIONS = st.sampled_from(["pass", "review", "block"])
_SCORES = st.sampled_from(["0", "65.25", "99.91", "100", "100.0", "92.4800000000", "81.7066666667"])
_TIMES = st.sampled_from(["2017-01-11T12:00:00Z", "2019-01-10T12:22:46Z", "2026-08-26T00:00:00Z"])
_URLS = st.builds(
    "http{}://bucket.oss-cn-shanghai.aliyuncs.com/aivideocensor/{}.jpg{}".format,
    st.sampled_from(["", "s"]),
    st.integers(0, 3),
    st.sampled_from(["", f"?Expires=1763640000&Signature={SECRET}%3D", f"#{SECRET}"]),
)


def _object(required: dict[str, st.SearchStrategy[Json]] | None = None, **optional: Json) -> Json:
    whole = st.fixed_dictionaries({**(required or {}), **optional})
    return whole | st.fixed_dictionaries(required or {}, optional=optional)


def _list(items: Json, most: int = 2) -> Json:
    return st.lists(items, max_size=most)


def _comma_list(words: Sequence[str]) -> Json:
    return st.lists(st.sampled_from(words), min_size=1, max_size=3).map(",".join)


def _judged(words: Sequence[str], **more: Json) -> Json:
    return _object(Label=_comma_list(words), Suggestion=_SUGGESTIONS, **more)


def _block(words: Sequence[str]) -> Json:
    label = st.sampled_from(words)
    return _judged(
        words,
        MaxScore=_SCORES,
        AverageScore=_SCORES,
        CounterList=_list(_object(Label=label, Count=st.integers(0, 16))),
        TopList=_list(
            _object(Label=label, Score=_SCORES, Url=_URLS, Timestamp=st.integers(0, 10**7).map(str))
        ),
    )


def _scene(scenes: Mapping[str, Sequence[str]], **more: Json) -> Json:
    return st.sampled_from(sorted(scenes)).flatmap(
        lambda scene: _object(
            Scene=st.just(scene),
            Label=st.sampled_from(scenes[scene]),
            Suggestion=_SUGGESTIONS,
            Score=_SCORES,
            **more,
        )
    )


_DATA = _judged(
    MODULE_LABELS,
    AbnormalModules=_comma_list(["video", "image-cover", "text-title"]),
    VideoResult=_judged(MODULE_LABELS, **{name: _block(labels) for name, labels in BLOCK_LABELS.items()}),
    ImageResult=_list(
        _judged(MODULE_LABELS, Type=st.just("cover"), Url=_URLS, Result=_list(_scene(SCENE_LABELS)))
    ),
    TextResult=_list(
        _scene(
            {"antispam": TEXT_LABELS},
            Type=st.just("title"),
            Content=st.sampled_from(["测试", "1111", f"see http://x.test/a?{SECRET}", "a,b"]),
        )
    ),
    AudioResult=_list(_scene({"antispam": AUDIO_LABELS})),
)

ANSWERS: st.SearchStrategy[Json] = _object(
    {
        "MediaAuditJob": _object(
            {
                "JobId": st.sampled_from(["bdbc266af6894*****943a70176d92e9", "1"]),
                "Status": st.sampled_from(["success", "fail", "init", "processing", "Processing"]),
            },
            MediaId=st.just("fe028d09441d*****d1afffb138cd7e"),
            Type=st.just("AIMediaAudit"),
            Code=st.sampled_from(["0", "InternalError"]),
            Message=st.sampled_from(["OK", f"无法下载http://x.test/a.mp4?Signature={SECRET}"]),
            CreationTime=_TIMES,
            CompleteTime=_TIMES,
            Data=_DATA,
        ),
    },
    RequestId=st.sampled_from(["EAA3E96A-02E2-41*****85-08E1D568ED3A", "B"]),
)
"""Answers as documented: every field may be absent but those without which it is none."""

_ODD: Mapping[str, Sequence[Json]] = {
    "Label": [",", " , ", "normal,", "a,a", "NORMAL", " porn", "brand_new", "a\uff0cb"],
    "Suggestion": ["PASS", "Block", "escalate", " "],
    "Timestamp": ["-5", "-0", "0", "007", "5.0", "9" * 18, "9" * 19, 3005, -1],
    "Count": ["0", "-1", "1e3", "many", 10**18, 2.5],
    "Score": ["", "1e400", "-0", "NaN", "1_0", 0, 99.91],
    "CreationTime": [
        *("2019-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "2019-01-10 12:22:09.5Z"),
        *("2019-01-10T12:22:09.123456Z", "2019-01-10T12:22:09+08:00", "2019-01-10T24:00:00Z", 1547122929),
    ],
    "Url": ["", "aivideocensor/1.jpg", "//x.test/1.jpg"],
    "Code": ["", 0, "0 "],
}
_WORDS = st.text(max_size=6) | st.sampled_from(
    [
        *("", " ", ",", "0", "null", "9" * 400, "\u202e\ufeff\x00"),
        f"oss://b/k?Signature={SECRET}",
        f"“https://x.test/a?token='{SECRET}'&x={SECRET}#{SECRET}”",
    ]
)
_SCALARS = (
    _WORDS
    | st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES: st.SearchStrategy[Json] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=6,
)
_KEYS = st.text(max_size=4) | st.sampled_from(
    [
        *("", "/", "~", "#", ":", ".", "~0", "~1", "~2", "a/b~c#d:e.f", "0", "-", "键", "@x", "#text"),
        *("Label", "label", "Suggestion", "Score", "Url", "Data", "VideoResult", "Result", "XResult"),
    ]
)


@st.composite
def spoilt_answers(draw: st.DrawFn) -> Json:
    """Spoil a documented answer in some places.

    A value becomes an odd one for its name, or anything at all; a field is dropped, renamed or
    added; a result block is added.
    """
    answer = copy.deepcopy(draw(ANSWERS))
    ways = st.sampled_from(["odd"] * 4 + ["retype", "drop", "rename", "add", "add", "add block"])
    for way in draw(st.lists(ways, min_size=1, max_size=12)):
        containers = list(_containers(answer))
        places = [place for container in containers for place in _places(container)]
        if way.startswith("add"):
            _add(draw, draw(st.sampled_from(containers)), way)
        elif way == "odd":
            _make_odd(draw, places)
        elif places:
            _spoil(draw, *draw(st.sampled_from(places)), way)
    return answer


def _add(draw: st.DrawFn, container: Json, way: str) -> None:
    if way == "add":
        _put(container, draw(_KEYS), draw(st.none() | VALUES))
    else:
        name = draw(st.sampled_from(["VoiceChangeResult", "X2Result", "Result", "AResult"]))
        _put(container, name, draw(_block(["normal", "brand_new"])))


def _make_odd(draw: st.DrawFn, places: Sequence[_Place]) -> None:
    names = sorted({place for _, place in places if place in _ODD})
    if names:
        name = draw(st.sampled_from(names))
        container, _ = draw(st.sampled_from([found for found in places if found[1] == name]))
        container[name] = draw(st.sampled_from(_ODD[name]))


def _spoil(draw: st.DrawFn, container: Json, place: str | int, way: str) -> None:
    if way == "retype":
        container[place] = draw(_SCALARS | VALUES)
        return
    value = container.pop(place)
    if way == "rename":
        _put(container, draw(_KEYS), value)


def _places(container: Json) -> list[_Place]:
    """List where values stand; the outer ones seldom, as little is left when they go."""
    places = container.items() if isinstance(container, dict) else enumerate(container)
    return [
        (container, place)
        for place, value in places
        for _ in range(1 if isinstance(value, (dict, list)) else 8)
    ]


def _put(container: Json, name: str, value: Json) -> None:
    if isinstance(container, dict):
        container[name] = value
    else:
        container.append(value)


def _containers(tree: Json) -> Iterator[Json]:
    if isinstance(tree, (dict, list)):
        yield tree
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from _containers(value)


def as_json(answer: Json) -> Part:
    """Write an answer as the vendor's JSON."""
    return Part("answer", "json", json.dumps(answer, ensure_ascii=False).encode())


def as_xml(answer: Json) -> Part:
    """Write an answer as the vendor's XML: lists are repeated elements, nothing says a type.

    What that cannot express must not be in it: null, booleans, lists in lists, empty unknown objects.
    """
    body = _element("GetAIMediaAuditJobResponse", answer)
    return Part("answer", "xml", body.encode())


def _element(name: str, value: Json) -> str:
    if isinstance(value, list):
        return "".join(_element(name, item) for item in value)
    if isinstance(value, dict):
        inside = "".join(_element(key, member) for key, member in value.items())
        return f"<{name}>\n  {inside}\n</{name}>"
    return f"<{name}>{escape(str(value), {chr(13): '&#13;'})}</{name}>"


@st.composite
def answers_for_both_formats(draw: st.DrawFn) -> Json:
    """Add unknown texts, of what XML can name and hold, to a documented answer."""
    answer = copy.deepcopy(draw(ANSWERS))
    objects = [found for found in _containers(answer) if isinstance(found, dict)]
    xml_text = st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
        | st.sampled_from("\t\n\r"),
        max_size=6,
    )
    for _ in range(draw(st.integers(0, 4))):
        name = draw(st.from_regex(r"X[A-Za-z0-9_.\-]{0,4}", fullmatch=True))
        draw(st.sampled_from(objects))[name] = draw(xml_text)
    return answer
