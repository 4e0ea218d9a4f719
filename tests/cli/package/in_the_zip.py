"""Runs one invocation out of an unpacked package, `in_the_zip.py FOLDER HANDLER EVENT`; prints what it saw.

Started as `python -I -S` it has the standard library and that folder, nothing else.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType


def invoke(handler: str, event: bytes) -> object:
    """Do what the runtime does with a request."""
    from shared.toolkit.context import Credentials, fake_context

    module, _, name = handler.rpartition(".")
    shape = "3.12" if sys.version_info >= (3, 12) else "3.10"
    keys = Credentials("localAccessKeyId", "localAccessKeySecret")
    context = fake_context(shape=shape, credentials=keys)  # type: ignore[arg-type]  # one of the two
    return getattr(importlib.import_module(module), name)(event, context)


def own_modules() -> Iterator[ModuleType]:
    """Import everything that is ours."""
    for top in ("functions", "shared"):
        package = importlib.import_module(top)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{top}."):
            yield importlib.import_module(found.name)


def main() -> None:
    folder, handler, event = sys.argv[1:]
    sys.path[:] = [folder, *(entry for entry in sys.path if entry != str(Path(__file__).parent))]
    answer = invoke(handler, Path(event).read_bytes())
    own = sum(1 for _ in own_modules())
    files = [(name, getattr(module, "__file__", None)) for name, module in sorted(sys.modules.items())]
    used = {name.partition(".")[0] for name, file in files if file and file.startswith(folder)}
    print(json.dumps({"answer": answer, "own": own, "used": sorted(used)}))


if __name__ == "__main__":
    main()
