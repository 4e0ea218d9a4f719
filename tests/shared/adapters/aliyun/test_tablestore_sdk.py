"""How the vendor's SDK is loaded."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

from shared.adapters.aliyun.tablestore_sdk import load_sdk
from tests.localcloud.tablestore.worlds import new_service, serving

ROOT = Path(__file__).parents[4]

# What the deployed package does not have is made impossible to import, and to find.
WITHOUT = """
import importlib.machinery, sys
LEFT_OUT = ("aiohttp", "crc32c", "flatbuffers", "numpy", "google.protobuf.text_format")
find = importlib.machinery.PathFinder.find_spec
def find_spec(name, path=None, target=None):
    is_left_out = name in LEFT_OUT or name.partition(".")[0] in LEFT_OUT
    return None if is_left_out else find(name, path, target)
importlib.machinery.PathFinder.find_spec = staticmethod(find_spec)
"""
SETTLE = """
from shared.adapters.aliyun.tablestore_ledger import TablestoreLedger
from shared.adapters.aliyun.tablestore_tables import create_tables
from shared.tables import JOBS, JOBS_DUE
from tests.localcloud.tablestore.worlds import connect
instance = connect(sys.argv[1])
create_tables(instance)
ledger = TablestoreLedger(instance)
print(ledger.insert_many(JOBS, [(("a",), {"due_bucket": "3", "due_at": 5})])[0].result())
print(ledger.get(JOBS, ("a",)), len(ledger.scan(JOBS, JOBS_DUE, "3", upto=9, limit=9).rows))
print([name for name in LEFT_OUT if name in sys.modules])
"""


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_ledger_works_without_what_is_not_deployed_and_says_nothing() -> None:
    with serving(new_service()) as server:
        ran = run(WITHOUT + SETTLE, server.endpoint)

    assert ran.stderr == ""
    assert ran.stdout.splitlines() == ["True", "{'due_at': 5, 'due_bucket': '3'} 1", "[]"]


def test_what_is_installed_is_never_hidden_from_other_threads() -> None:
    # Seen from within, whenever the SDK imports something.
    script = (
        "import builtins, sys\n"
        "empty, imported = set(), builtins.__import__\n"
        "def watched(name, *more, **named):\n"
        "    empty.update(n for n, m in list(sys.modules.items()) if getattr(m, '__spec__', 1) is None)\n"
        "    return imported(name, *more, **named)\n"
        "builtins.__import__ = watched\n"
        "from shared.adapters.aliyun.tablestore_sdk import load_sdk\n"
        "load_sdk()\n"
        "print(empty & {'aiohttp', 'asyncio', 'crc32c', 'google.protobuf.text_format'})\n"
        "print([name for name in empty if name.startswith('tablestore.') and name in sys.modules])"
    )

    assert run(script).stdout == "set()\n[]\n"


def test_importing_the_adapter_loads_no_sdk() -> None:
    script = (
        "import sys, shared.adapters.aliyun.tablestore_ledger, shared.adapters.aliyun.tablestore_tables\n"
        "print([name for name in ('tablestore', 'urllib3', 'google.protobuf') if name in sys.modules])"
    )

    assert run(script).stdout == "[]\n"


def test_what_the_sdk_logs_of_requests_and_lost_races_is_silenced() -> None:
    load_sdk()

    assert not logging.getLogger("tablestore-client").isEnabledFor(logging.ERROR)
