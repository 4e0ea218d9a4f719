"""How asking for known vulnerabilities ends. Processes that end as pip-audit does stand in for it."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from audit.vulnerabilities import Verdict, ask, is_reachable
from localcloud.loopback import HttpReply, LoopbackServer


@pytest.mark.parametrize(
    ("ending", "verdict"),
    {
        "sys.stderr.write('No known vulnerabilities found')": Verdict.NONE_KNOWN,
        "print('Name Version ID'); sys.exit(1)": Verdict.FOUND,
        "raise ConnectionError": Verdict.NOT_RUN,
    }.items(),
)
def test_only_what_was_found_counts_as_found(ending: str, verdict: Verdict) -> None:
    found, _ = ask(Path("lock.txt"), pip_audit=[sys.executable, "-c", f"import sys; {ending}"])

    assert found is verdict


def test_the_file_is_asked_about_without_looking_packages_up() -> None:
    _, told = ask(Path("lock.txt"), pip_audit=[sys.executable, "-c", "import sys; print(*sys.argv[1:])"])

    assert {"--disable-pip", "--vulnerability-service=osv", "--requirement=lock.txt"} <= set(told.split())


def test_a_service_is_reachable_when_it_answers_anything() -> None:
    with LoopbackServer(lambda request: HttpReply(404), name="osv", max_body_bytes=1) as server:
        assert is_reachable(server.endpoint)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert not is_reachable(closed)
