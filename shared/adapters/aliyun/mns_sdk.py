"""The vendor's SDK for MNS: the good one of the two that have the same name."""

from __future__ import annotations

from types import ModuleType

from shared.errors import SettingError


def load_sdk() -> ModuleType:
    """Import the SDK; raise `SettingError` where the other one stands in its place.

    `aliyun-mns`, which Function Compute's own Python 3.10 brings, prints the secret of the access key on
    every request; only `aliyun-mns-sdk` has `mns.auth` (local-servers.md 3).
    """
    import mns  # type: ignore[import-untyped]  # no types

    try:
        import mns.auth  # type: ignore[import-untyped]  # no types
        import mns.queue  # type: ignore[import-untyped]  # no types
        import mns.topic  # type: ignore[import-untyped]  # no types
    except ModuleNotFoundError:
        raise SettingError(
            "this is not aliyun-mns-sdk but aliyun-mns, which prints the secret of the access key: take"
            " aliyun-mns out of the package, and put aliyun-mns-sdk in (requirements/aliyun.txt)",
            found=str(mns.__file__),
        ) from None
    module: ModuleType = mns
    return module
