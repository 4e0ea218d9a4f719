"""Keys of a role, most often in another account, which our own keys may assume."""

from __future__ import annotations

import logging
import threading
from calendar import timegm
from collections.abc import Callable
from time import strptime
from typing import TYPE_CHECKING, Any

from shared.errors import ParseError, PermanentError, SettingError, TemporaryError, VendorUnavailableError
from shared.toolkit import strict_json
from shared.toolkit.context import Credentials
from shared.vendor import ApiRequest

if TYPE_CHECKING:
    from shared.ports import Clock, MediaApi

LOG = logging.getLogger(__name__)

VERSION = "2015-04-01"
_LIFE_S = 3600  # as long as any role allows: https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole
_RENEWED_BEFORE_MS = 10 * 60 * 1000


class AssumedRole:
    """Gives the temporary keys of the role `arn`, renewed ten minutes before they expire; safe with threads.

    `sts` asks the Security Token Service of `region` in JSON. `deadline` tells until when, in epoch
    milliseconds, that may take.
    """

    def __init__(
        self,
        arn: str,
        *,
        sts: MediaApi,
        region: str,
        clock: Clock,
        deadline: Callable[[], int],
        session_name: str = "media-ledger",
    ) -> None:
        self._arn = arn
        self._sts = sts
        self._region = region
        self._clock = clock
        self._deadline = deadline
        self._session_name = session_name
        self._held: tuple[Credentials, int] | None = None
        self._renewing = threading.Lock()

    def __call__(self) -> Credentials:
        """Give the keys of the moment; raise what asking for them raises, unless old ones are still good."""
        with self._renewing:
            now = self._clock.now()
            if self._held is None or now >= self._held[1] - _RENEWED_BEFORE_MS:
                self._held = self._renewed(now)
            return self._held[0]

    def _renewed(self, now: int) -> tuple[Credentials, int]:
        try:
            return self._assume()
        except TemporaryError as error:
            if self._held is None or now >= self._held[1]:
                raise
            LOG.warning("the keys of a role could not be renewed yet: %s", error, extra={"role": self._arn})
            return self._held

    def _assume(self) -> tuple[Credentials, int]:
        params = {
            "RoleArn": self._arn,
            "RoleSessionName": self._session_name,
            "DurationSeconds": str(_LIFE_S),
        }
        request = ApiRequest("sts", VERSION, "AssumeRole", params, self._region)
        try:
            answer = self._sts.call(request, deadline=self._deadline())
        except PermanentError as error:
            # It is about our setting, never about the job that somebody wants to ask for.
            raise SettingError(
                f"a role of LEDGER_ROLES cannot be assumed: {error.message}", role=self._arn, **error.details
            ) from None
        try:
            return _read(answer.part.body)
        except ParseError:
            raise VendorUnavailableError("not an answer to AssumeRole", role=self._arn) from None


def _read(body: bytes) -> tuple[Credentials, int]:
    """Give keys and the time when they expire, in epoch milliseconds."""
    tree: Any = strict_json.parse(body)
    try:
        given = tree["Credentials"]
        keys = Credentials(given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"])
        return keys, timegm(strptime(given["Expiration"], "%Y-%m-%dT%H:%M:%SZ")) * 1000
    except (KeyError, TypeError, ValueError):
        # Nothing of it is shown: it may hold a secret.
        raise ParseError("not an answer to AssumeRole", layer="sts") from None
