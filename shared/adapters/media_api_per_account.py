"""`MediaApi` for jobs of several accounts: each is asked for with the keys of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from shared.adapters.media_api import SignedMediaApi

if TYPE_CHECKING:
    from shared.vendor import ApiAnswer, ApiRequest


class MediaApiPerAccount:
    """Asks with `others[user_id]` where the request is about that account, else with `own`."""

    def __init__(self, own: SignedMediaApi, others: Mapping[str, SignedMediaApi]) -> None:
        self._own = own
        self._others = others

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        api = self._others.get(request.user_id, self._own) if request.user_id else self._own
        return api.call(request, deadline=deadline)

    def close(self) -> None:
        """Close the kept connections."""
        for api in (self._own, *self._others.values()):
            api.close()
