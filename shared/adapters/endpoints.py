"""Where each vendor API is served."""

from __future__ import annotations

import re

from shared.errors import PermanentError, SettingError
from shared.vendor import REGION_PATTERN

_REGION = re.compile(REGION_PATTERN)
# The regions where our APIs are served, from the endpoint maps of alibabacloud_vod20170321 3.12.1,
# alibabacloud_mts20140618 6.0.3, alibabacloud_ice20201109 6.20.2 and alibabacloud_ros20190910 3.7.0, by
# which every region's stacks are asked for at one address; the rest is for `endpoints`.
_SERVED_BY = {("vod", "cn-hangzhou"): "cn-shanghai"}
_ENDPOINT = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?")


def endpoint(product: str, region: str | None) -> str:
    """Give the public address of a product in a region, as the vendor's own clients find it.

    Raise `SettingError` without a region, `PermanentError` for text that cannot be a region.
    """
    if not region:
        raise SettingError(f"no region to ask {product} in: set LEDGER_REGION, such as cn-shanghai")
    if not _REGION.fullmatch(region):
        # It may come from a message, and it becomes a part of the host that gets signed requests.
        raise PermanentError("not a region", product=product, region=region[:40])
    if product == "ice" and region != "cn-shanghai":
        return "https://ice.aliyuncs.com"
    if product == "ros":
        return "https://ros.aliyuncs.com"
    return f"https://{product}.{_SERVED_BY.get((product, region), region)}.aliyuncs.com"


def checked_override(product: str, url: str) -> str:
    """Check an address that a setting gives instead; raise `SettingError` for anything but one."""
    if not _ENDPOINT.fullmatch(url):
        raise SettingError(
            f"LEDGER_ENDPOINTS: the endpoint of {product} must look like https://host or http://host:port"
        )
    return url.rstrip("/")
