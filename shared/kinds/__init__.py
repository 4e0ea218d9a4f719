"""The vendor query APIs that are understood: one module each, one line each in this table."""

from __future__ import annotations

from collections.abc import Mapping

from shared.kinds import vod_media_audit
from shared.kinds.kind import JobQuery, Kind

__all__ = ["KINDS", "JobQuery", "Kind"]

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (vod_media_audit.KIND,)}
