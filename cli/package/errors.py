"""What can go wrong while a package is made."""

from __future__ import annotations

from shared.errors import MisconfiguredError, TemporaryError


class PackageError(MisconfiguredError):
    """No package can be made of what is pinned, or with what is installed here."""


class IndexUnreachableError(TemporaryError):
    """The package index does not answer."""
