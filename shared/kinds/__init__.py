"""The vendor query APIs that are understood: one module each, one line each in this table."""

from __future__ import annotations

from collections.abc import Mapping

from shared.kinds import ice_production, mts_production, mts_video_quality, vod_media_audit
from shared.kinds.kind import JobQuery, Kind

__all__ = ["KINDS", "JobQuery", "Kind"]

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        vod_media_audit.KIND,
        mts_video_quality.KIND,
        mts_production.KIND,
        ice_production.KIND,
    )
}
