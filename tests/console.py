"""A console to ask in tests, for whoever has the token of the samples; pictures have links, or none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.console.handler import handle
from shared import archival
from shared.console.access import Access, TokenAccess
from shared.console.answering import Console
from shared.inbound.json_web_keys import KeySet
from shared.inbound.json_web_tokens import TokenRules
from shared.ports import ObjectLinks, Services
from tests.scripted_vendor import answer, callback
from tests.tokens import AUDIENCE
from tests.world import World, ref

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "events" / "console"
JWKS = (ROOT / "tests" / "data" / "console-jwks.json").read_text(encoding="utf-8")
CONSOLE = Console(TokenAccess(TokenRules(KeySet.parse(JWKS), AUDIENCE)))
PICTURE = "http://oss.example/1.jpg?Signature=canary"
KEY = ref("job-1").key


class Anybody:
    """Lets everybody in."""

    def check(self, request: object, *, now: int) -> None:
        """See `Access.check`."""


@dataclass(frozen=True)
class Links:
    """Makes links that tell what was asked for."""

    host: str = "https://archive.oss-cn-shanghai.aliyuncs.com"

    def link(self, key: str, *, seconds: int, saved_as: str | None = None) -> str:
        """See `ObjectLinks.link`."""
        saved = "" if saved_as is None else f"saved-as={saved_as}&"
        return f"{self.host}/{key}?{saved}x-oss-expires={seconds}&x-oss-signature=canary"


def sample(name: str) -> bytes:
    """Read a sample event."""
    return (SAMPLES / f"{name}.json").read_bytes()


def ask(
    services: Services,
    path: str,
    query: Mapping[str, str] | None = None,
    *,
    method: str = "GET",
    access: Access | None = None,
    links: ObjectLinks | None = None,
    **headers: str,
) -> Any:
    """Ask the function for a page; without an `access` everybody is let in."""
    asked = event(path, query, method=method, **headers)
    return handle(asked, services, Console(access or Anybody(), links))


def event(path: str, query: Mapping[str, str] | None = None, *, method: str = "GET", **headers: str) -> bytes:
    """Write the event of a request."""
    tree: Any = json.loads(sample("no-token"))
    tree |= {"rawPath": path, "queryParameters": dict(query or {})}
    tree["headers"] |= {
        "Accept-Language": "en",
        **{name.replace("_", "-"): one for name, one in headers.items()},
    }
    tree["requestContext"]["http"] |= {"path": path, "method": method}
    return json.dumps(tree).encode()


def world_with_a_job(folder: Path | None = None) -> World:
    """Have one job with a picture that is kept."""
    world = World(folder)
    world.pictures.have(PICTURE)
    said = answer("job-1", suggestion="review", pictures=[PICTURE])
    world.vendor.know("job-1", said)
    world.deliver(callback("job-1"))
    archival.keep_evidence_of(world.services, [KEY])
    return world
