"""Templates, and what they say of times, sizes and strangers' text.

Everything is escaped. A stranger's text goes through `said` (or, in an attribute, `plain`): secrets in it
are masked, what no page can hold is replaced, and it neither turns the writing around it nor lends it its
language.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import cache
from typing import TYPE_CHECKING

from shared.pages.context import PageContext
from shared.pages.static_files import static_text
from shared.pages.strangers import plain
from shared.pages.words import Words

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LONGEST_SOURCE = 80
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+")


def render(template: str, page: PageContext, **values: object) -> str:
    """Write a page: a template of this package has `t` (its words), `page`, and the values."""
    words = Words(page.language)
    return _environment().get_template(template).render(t=words, page=page, **values)


@cache
def _environment() -> Environment:
    # Only what renders pays for the engine.
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(static_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        said=said,
        plain=plain,
        moment=moment,
        position=position,
        tick=tick,
        size=size,
        box=box,
        digits=digits,
        short_source=short_source,
    )
    return environment


def said(text: str, limit: int | None = None) -> Markup:
    """Give a stranger's text for the body of a page, apart from the writing around it."""
    from markupsafe import Markup

    shown = plain(text, limit)
    opening = Markup('<bdi lang="zh-CN">') if _HAN.search(shown) else Markup("<bdi>")
    return opening + shown + Markup("</bdi>")


def moment(at: int | str) -> Markup:
    """Write a time in UTC, from epoch milliseconds or as a record has it."""
    from markupsafe import Markup

    try:
        when = _read_time(at)
    except (OverflowError, ValueError, OSError):  # no calendar has it
        return said(str(at))
    machine = when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}">{} UTC</time>').format(machine, f"{when:%Y-%m-%d %H:%M:%S}")


def _read_time(at: int | str) -> datetime:
    if isinstance(at, int):
        return datetime.fromtimestamp(at / 1000, timezone.utc)
    return datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone(timezone.utc)


def position(ms: int) -> str:
    """Write a position in media: `mm:ss.mmm`, with hours where there are any."""
    minutes, rest = divmod(abs(ms), 60_000)
    hours, minutes = divmod(minutes, 60)
    written = f"{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"
    return f"{'-' if ms < 0 else ''}{f'{hours}:' if hours else ''}{written}"


def size(count: int) -> str:
    """Write a number of bytes."""
    for unit, of in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= of:
            return f"{count / of:.1f} {unit}"
    return f"{count} B"


def tick(ms: int) -> str:
    """Write a position on an axis, without the thousandths that it does not have."""
    written = position(ms)
    return written[:-4] if written.endswith(".000") else written


def box(region: tuple[float, float, float, float]) -> str:
    """Write a region's corners."""
    return ", ".join(f"{side:g}" for side in region)


def digits(number: str) -> str:
    """Write a vendor's number without the zeros behind its point, of which it prints ten."""
    return number.rstrip("0").rstrip(".") if _DECIMAL.fullmatch(number) else number


def short_source(source: str) -> str:
    """Write the end of an address, where two of one page differ; of a long one, its start alone."""
    part, _, pointer = plain(source).partition(":")
    steps = pointer.rsplit("/", 2)
    end = f"{part}:{pointer}" if len(steps) < 3 or not steps[0] else f"{part}:…/{'/'.join(steps[1:])}"
    return plain(end, _LONGEST_SOURCE)
