"""What a log line says: one JSON object, masked and bounded, with the keys that are bound at the moment.

Where lines go is `shared.toolkit.log_output`'s.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted

from shared.toolkit.bound_keys import bound_keys, current_item
from shared.toolkit.errors import MisconfiguredError, PermanentError
from shared.toolkit.json_text import members_of
from shared.toolkit.masking import Masker
from shared.toolkit.plain import Plain, shown
from shared.toolkit.quick_members import OF_THE_LINE, encoded, members_text

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Mapping

# What `data_line` is given; `trace_id` only where it is not bound.
_OF_DATA = frozenset({"outcome", "error_type", "duration_ms", "event_bytes", "metrics", "metrics_dropped"})
_STANDARD_FIELDS = list(vars(logging.makeLogRecord({})))
_OF_THE_RECORD = frozenset(_STANDARD_FIELDS) | {"message", "asctime", "taskName"}
_ITEM_ID = "item_id"
# Old keys must stay masked while their lines are still written; a role's keys change within 36 hours.
_REMEMBERED_SECRETS = 16
# Below this length no limit of `Plain` can be reached, so that it would give the very same line.
_SHORT = 3_500
_COST_OF_A_LINE = 250  # time, level, names and punctuation

_NOTHING: Mapping[str, object] = {}  # only read


def log_failure(logger: logging.Logger, event: str, error: Exception, **keys: object) -> None:
    """Log an error, as loud as its family asks for: about us, about now, or about this input."""
    level = logging.ERROR
    if isinstance(error, MisconfiguredError):
        level, event = logging.CRITICAL, f"misconfigured: {event}"
    elif isinstance(error, PermanentError):
        level = logging.WARNING
    logger.log(level, event, exc_info=error, extra=keys)


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object: masked, bounded, in ASCII, which every stream can encode.

    Messages are masked after their arguments were put in; so are keys, extras and exceptions. A short line
    of plain values with nothing to mask takes a shorter way to the very same text.
    """

    def __init__(self, masker: Masker) -> None:
        super().__init__()
        self.masker = masker
        self._configured = masker
        self._secrets: deque[str] = deque(maxlen=_REMEMBERED_SECRETS)
        self._latest: tuple[str, ...] = ()
        self._changing = threading.Lock()

    def mask_also(self, secrets: tuple[str, ...]) -> None:
        """Mask these values too from now on; the oldest are forgotten when there are many."""
        if secrets == self._latest:  # as in nearly every invocation
            return
        with self._changing:
            new = [secret for secret in secrets if secret and secret not in self._secrets]
            if new:
                self._secrets.extend(new)
                self.masker = self._configured.also(self._secrets)
            self._latest = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Give the line, without its end."""
        error = record.exc_info[1] if record.exc_info else None
        said = (str(record.levelname), str(record.name), _message(record), _given(record))
        line = self._quick_line(record.created, *said) if error is None else None
        return line or self._careful_line(record.created, *said, error)

    def data_line(self, created: float, name: str, message: str, members: str, texts: str) -> str:
        """Give a line that is no record's; `created` is in seconds of the epoch.

        `members` are JSON of plain values, a comma before each; `texts` is what in them may hold a secret.
        """
        line = None
        if _OF_DATA.isdisjoint(bound_keys().mapping):
            line = self._assembled(created, "INFO", name, _quoted(message), members, texts)
        return line or self._careful_line(created, "INFO", name, message, members_of(members), None)

    def _quick_line(
        self, created: float, level: str, name: str, message: str, members: Mapping[str, object]
    ) -> str | None:
        """Give the line, or None when it is long, not plain, or may hold a secret."""
        if not members.keys().isdisjoint(bound_keys().mapping):
            return None
        texts: list[str] = []
        own = members_text(members, texts)
        if own is None:
            return None
        return self._assembled(created, level, name, _quoted(message), own, "".join(texts))

    def _assembled(
        self, created: float, level: str, name: str, message: str, own: str, texts: str
    ) -> str | None:
        """Put the line together around its own members; None as above."""
        keys, masker = bound_keys(), self.masker
        bound, bound_texts = keys.encoded()
        if bound is None:
            return None
        known = keys.is_known_clean(masker)
        line = (
            f'{{"timestamp": "{_timestamp(created)}", "level": {_quoted(level)}, "logger": {_quoted(name)}, '
            f'"message": {message}{bound}{own}}}'
        )
        suspect = message + texts if known else message + texts + bound_texts
        if len(line) > _SHORT or not masker.is_clean(line, suspect):
            return None
        if not known:
            keys.note_clean(masker)
        return line

    def _careful_line(
        self,
        created: float,
        level: str,
        name: str,
        message: str,
        members: Mapping[str, object],
        error: BaseException | None,
    ) -> str:
        plain = Plain(self.masker)
        line: dict[str, object] = {
            "timestamp": _timestamp(created),
            "level": level,
            "logger": name,
            "message": plain.text(message),
        }
        if error is not None:
            line["exception"] = plain.error(error)
        for given, value in (*bound_keys().mapping.items(), *members.items()):
            key = plain.text(shown(given))
            # What is there already stays: an `extra` of some library may have any name.
            while key in line or key in OF_THE_LINE:
                key += "_"
            line[key] = plain.value(value, name=shown(given))
        return json.dumps(line, allow_nan=False)


def settled_length(record: logging.LogRecord) -> int | None:
    """Guess how long the line will be; None when something that happens later could change it.

    Numbers and texts cannot change; lists, errors and objects can.
    """
    args = record.args if isinstance(record.args, tuple) else (record.args,)
    held = (record.msg, *args, *_given(record).values(), *bound_keys().mapping.values())
    if record.exc_info or not all(encoded(value) for value in held):
        return None
    return _COST_OF_A_LINE + sum(len(value) for value in held if isinstance(value, str))


def _given(record: logging.LogRecord) -> Mapping[str, object]:
    """Collect what the present item and the log call's `extra` add to the line."""
    item = current_item.get()
    fields = vars(record)
    # This is done for every line: what is as always, at the beginning, is not looked through.
    names = list(fields)
    if names[: len(_STANDARD_FIELDS)] == _STANDARD_FIELDS:
        names = names[len(_STANDARD_FIELDS) :]
        if item is None and not names:
            return _NOTHING
    extra = {name: fields[name] for name in names if name not in _OF_THE_RECORD}
    if item is None:
        return extra
    if _ITEM_ID in extra:
        extra[f"{_ITEM_ID}_"] = extra.pop(_ITEM_ID)
    return {_ITEM_ID: item, **extra}


def _timestamp(seconds: float) -> str:
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{_to_the_second(whole)}.{milliseconds:03d}Z"


@lru_cache(maxsize=8)
def _to_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # a log call with wrong arguments must not end the work it tells of
        return f"{shown(record.msg)} (its arguments do not fit: {type(error).__name__})"
