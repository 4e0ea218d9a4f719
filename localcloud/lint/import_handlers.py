"""Imports handlers in a process of its own: run in the code's folder, with handler strings as arguments.

The last line that it prints is a JSON object: for each handler the reason why it cannot be called, null
where it can.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.util import find_spec


def problem(handler: str) -> dict[str, str] | None:
    """Say why a handler cannot be called: `missing` names a module that is not installed here."""
    module_name, _, attribute = handler.rpartition(".")
    try:
        module = import_module(module_name.replace("/", "."))
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        kind = "missing" if missing and find_spec(missing) is None else "broken"
        return {kind: str(error)}
    except BaseException as error:  # whatever happens on import would happen when deployed
        return {"broken": f"{type(error).__name__}: {error}"}
    if not callable(getattr(module, attribute, None)):
        return {"broken": f"{module_name} has no function {attribute}"}
    return None


if __name__ == "__main__":
    sys.path[0] = ""  # as deployed: the code's folder, not this script's
    sys.stdout.write("\n" + json.dumps({handler: problem(handler) for handler in sys.argv[1:]}) + "\n")
