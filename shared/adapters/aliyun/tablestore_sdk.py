"""Loads the vendor's SDK for Tablestore, without what nobody here uses."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_loading = threading.Lock()

# What none of our calls comes to. Empty modules in their places save 0.2 s of the processor at a cold start,
# but every thread sees them: so only modules of the SDK are here, which nobody else imports ...
_OWN_UNUSED = (
    # time series and SQL, which bring numpy along
    "tablestore.flatbuffer.flat_buffer_decoder",
    "tablestore.flatbuffer.dataprotocol.SQLResponseColumns",
    "tablestore.flatbuffer.timeseries_flat_buffer_encoder",
    # codecs of 14 MB that save 0.1 ms a row, and fit one version of Python
    "tablestore.native",
    "tablestore.ots_sdk",
)
# ... and what the deployed package leaves out, where it is not installed: nobody can import that.
_MAY_BE_MISSING = ("aiohttp", "crc32c", "google.protobuf.text_format")


@cache
def load_sdk() -> Any:
    """Import the SDK; the first time takes a tenth of a second and more."""
    with _loading, warnings.catch_warnings(), _left_out():
        # Its native codec fits one version of Python; for every other it warns at each cold start, in
        # both ways (cold-start.md).
        warnings.simplefilter("ignore")
        for talkative in ("tablestore.encoder", "tablestore.decoder"):
            logging.getLogger(talkative).setLevel(logging.ERROR)
        import tablestore  # type: ignore[import-untyped]  # no types

    # Below DEBUG it would write every row and the token of temporary keys; at ERROR, every lost race.
    logging.getLogger("tablestore-client").setLevel(logging.CRITICAL)
    return tablestore


@contextmanager
def _left_out() -> Iterator[None]:
    """Give the SDK empty modules for what is left out; afterwards the real ones can be imported."""
    missing = [name for name in _MAY_BE_MISSING if name not in sys.modules and find_spec(name) is None]
    names = [name for name in (*_OWN_UNUSED, *missing) if name not in sys.modules]
    for name in names:
        sys.modules[name] = ModuleType(name)
    if "aiohttp" in missing:
        sys.modules["aiohttp"].ClientTimeout = None  # type: ignore[attr-defined]  # imported by its name
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
