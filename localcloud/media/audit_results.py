"""Review results drawn at random over the whole vocabulary of VOD.

Labels and shapes are those of query-apis.md 2.2 and 5.2. A drawn result agrees with itself: each
level's suggestion is the worst below it. Contradictory results, which the vendor's samples have, are
for the caller to give.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from localcloud.media.wire import Tree

# What the scenes can find; each of them can also find nothing, which is `normal`.
SCENES: dict[str, tuple[str, ...]] = {
    "porn": ("porn", "sexy"),
    "terrorism": (
        "terrorism",
        "bloody",
        "explosion",
        "outfit",
        "logo",
        "weapon",
        "politics",
        "violence",
        "crowd",
        "parade",
        "carcrash",
        "flag",
        "location",
        "others",
    ),
    "ad": (
        "ad",
        "politics",
        "porn",
        "abuse",
        "terrorism",
        "contraband",
        "spam",
        "npx",
        "qrcode",
        "programCode",
    ),
    "live": ("meaningless", "PIP", "pip", "smoking", "drivelive"),
    "logo": ("TV", "trademark", "logo"),
}
TEXT_LABELS = ("spam", "ad", "abuse", "flood", "contraband", "meaningless")
AUDIO_LABELS = (
    "spam",
    "ad",
    "politics",
    "terrorism",
    "abuse",
    "porn",
    "flood",
    "contraband",
    "meaningless",
)
# Native labels of content moderation; the first is the one that the vendor's client documents.
GREEN_LABELS = ("pornographic_adultContent_tii", "pornographic_adultContent", "contraband_drug_tii")

_NORMAL = "normal"
_SUGGESTIONS = ("pass", "review", "block")
_FRAMES = 16
PICTURES = "http://temp-testbucket.oss-cn-shanghai.aliyuncs.com/aivideocensor"


def draw(random: Random, media_id: str, *, pictures: str = PICTURES) -> dict[str, Tree]:
    """Draw the `Data` of a finished job; the addresses of its pictures begin with `pictures`."""
    video = _video(random, f"{pictures}/{media_id}")
    image = _image(random, f"{pictures}/{media_id}")
    text = _entry(random, TEXT_LABELS, Type="title", Scene="antispam", Content=f"title of {media_id}")
    audio = _entry(random, AUDIO_LABELS, Scene="antispam")
    modules = {"video": video, "image-cover": image, "text-title": text}
    labels = [*_labels(video), *_labels(image)]
    if audio["Suggestion"] != "pass":
        labels.append("audio")
    abnormal = ",".join(name for name, part in modules.items() if part["Suggestion"] != "pass")
    return {
        "Suggestion": _worst([*modules.values(), audio]),
        "Label": ",".join(dict.fromkeys(labels)) or _NORMAL,
        **({"AbnormalModules": abnormal} if abnormal else {}),
        "VideoResult": video,
        "ImageResult": [image],
        "TextResult": [text],
        "AudioResult": [audio],
    }


def _video(random: Random, pictures: str) -> dict[str, Tree]:
    scenes = {scene: _scene(random, labels, f"{pictures}/{scene}") for scene, labels in SCENES.items()}
    green = _green(random, f"{pictures}/green")
    hits = [scene for scene, result in scenes.items() if result["Suggestion"] != "pass"]
    results: dict[str, Tree] = {f"{scene.title()}Result": result for scene, result in scenes.items()}
    return {
        "Suggestion": _worst([*scenes.values(), green]),
        "Label": ",".join(hits) or _NORMAL,
        **results,
        "GreenEnhancedResult": green,
    }


def _scene(random: Random, labels: Sequence[str], pictures: str) -> dict[str, Tree]:
    """Draw one check of the video: frames are counted by label, the best of them are shown."""
    hit = _hit(random, labels)
    hits = 0 if hit == _NORMAL else random.randint(1, _FRAMES)
    counts = {**dict.fromkeys(labels, 0), _NORMAL: _FRAMES - hits}
    if hits:
        counts[hit] = hits
    top = _top(random, [hit], pictures)
    return {
        "Suggestion": _suggestion(random, hit),
        "Label": hit,
        "MaxScore": str(top[0]["Score"]),
        "AverageScore": f"{random.uniform(0, 60):.10f}",
        "CounterList": [{"Label": label, "Count": count} for label, count in counts.items()],
        "TopList": list(top),
    }


def _green(random: Random, pictures: str) -> dict[str, Tree]:
    """Draw the enhanced check: several labels at once, and no scores where nothing is hit."""
    if random.random() < 0.5:
        return {"Suggestion": "pass", "Label": _NORMAL}
    hits = random.sample(GREEN_LABELS, random.randint(1, 2))
    top = _top(random, hits, pictures)
    return {
        "Suggestion": _suggestion(random, hits[0]),
        "Label": ",".join(hits),
        "MaxScore": str(top[0]["Score"]),
        "AverageScore": f"{random.uniform(0, 60):.2f}",
        "CounterList": [{"Label": label, "Count": random.randint(1, _FRAMES)} for label in hits],
        "TopList": list(top),
    }


def _image(random: Random, pictures: str) -> dict[str, Tree]:
    results = [_entry(random, labels, Scene=scene) for scene, labels in SCENES.items()]
    hits = [str(result["Scene"]) for result in results if result["Suggestion"] != "pass"]
    return {
        "Type": "cover",
        "Url": f"{pictures}/cover.jpg",
        "Suggestion": _worst(results),
        "Label": ",".join(hits) or _NORMAL,
        "Result": list(results),
    }


def _entry(random: Random, labels: Sequence[str], **fields: str) -> dict[str, Tree]:
    hit = _hit(random, labels)
    return {
        **fields,
        "Suggestion": _suggestion(random, hit),
        "Label": hit,
        "Score": _score(random),
    }


def _top(random: Random, labels: Sequence[str], pictures: str) -> list[dict[str, Tree]]:
    """Draw the frames with the best scores, best first; positions are milliseconds as text."""
    frames = random.sample(range(_FRAMES), random.randint(1, 3))
    scores = sorted((random.uniform(60, 100) for _ in frames), reverse=True)
    return [
        {
            "Score": f"{score:.10f}",
            "Label": random.choice(labels),
            "Timestamp": str(frame * 1000 + 5),
            "Url": f"{pictures}/{frame:05d}.jpg",
        }
        for frame, score in zip(frames, scores, strict=True)
    ]


def _hit(random: Random, labels: Sequence[str]) -> str:
    return random.choice(labels) if random.random() < 0.35 else _NORMAL


def _suggestion(random: Random, label: str) -> str:
    return "pass" if label == _NORMAL else random.choice(("review", "block"))


def _score(random: Random) -> str:
    """Draw a score as the vendor writes them: text with zero to ten decimals (quirk 53)."""
    return f"{random.uniform(0, 100):.{random.choice((0, 1, 2, 10))}f}"


def _worst(parts: Iterable[dict[str, Tree]]) -> str:
    return max((str(part["Suggestion"]) for part in parts), key=_SUGGESTIONS.index)


def _labels(part: dict[str, Tree]) -> list[str]:
    return [label for label in str(part["Label"]).split(",") if label != _NORMAL]
