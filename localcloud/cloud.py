"""The whole local cloud: every imitation on a port of its own, with one set of keys, over one folder."""

from __future__ import annotations

import fcntl
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import quote

from localcloud.evidence.server import EvidenceServer
from localcloud.fc.invocation import Resolve
from localcloud.fc.service import FcService, fc_server
from localcloud.fc.topic_trigger import TopicPushes
from localcloud.fc.triggers import Triggers
from localcloud.loopback import LoopbackServer
from localcloud.media.gateway import Gateway
from localcloud.media.ice import IceProduction
from localcloud.media.mts import MtsProduction, MtsVideoQuality
from localcloud.media.server import MediaApiServer
from localcloud.media.vod import Vod
from localcloud.media.wire import Action
from localcloud.mns.push_signing import PushSigner
from localcloud.mns.server import MnsServer
from localcloud.mns.service import MnsService
from localcloud.oss.server import folder_buckets, oss_server
from localcloud.oss.service import OssService
from localcloud.tablestore.instance import Instance
from localcloud.tablestore.row_store import RowStore
from localcloud.tablestore.service import Service as TablestoreService
from localcloud.tablestore.service import serve as tablestore_server
from localcloud.template import Template
from shared.adapters.aliyun.mns_queues import MnsQueues
from shared.adapters.clocks import SystemClock
from shared.adapters.http_sessions import HttpSessions
from shared.errors import SettingError
from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    from shared.ports import Clock

KEYS = Credentials("localAccessKeyId", "localAccessKeySecret")
REGION = "cn-shanghai"
ACCOUNT = "1000000000000001"
BUCKET = "media-ledger"
INSTANCE = "media-ledger"
DEAD_LETTERS = "media-ledger-dead-letters"
CALLBACK_KEY = "localCallbackKey"
"""What callbacks of VOD and ICE over HTTP are signed with."""
WEBHOOK = "webhook"
RESULTS = "local-results"
QUALITY_OUTPUTS = f"oss://{RESULTS}.oss-{REGION}.aliyuncs.com/"
_NO_TRIGGERS = Template({}, {"Resources": {}})


@dataclass(frozen=True)
class Endpoints:
    """Where each service is, as endpoint overrides take it."""

    media: str
    oss: str
    ots: str
    mns: str
    fc: str
    evidence: str


class LocalCloud:
    """Serves while its `with` block lasts; what OSS and Tablestore hold stays in `folder`.

    Raise `SettingError` when nothing can be kept there, or another one serves from it.

    `resolve` gives functions by their names, and `template` has what starts them; without one nothing does
    but invocations. `log_tail` gives the end of a function's log. `media_clock` is the time of the media
    APIs, whose jobs end as it moves on; everything else has the machine's time, as the vendor's clients do.
    With `actions` the media APIs are these, instead of new ones in which every job ends by itself. What
    functions call runs `wait` before each answer.
    """

    def __init__(
        self,
        folder: Path,
        resolve: Resolve,
        *,
        template: Template = _NO_TRIGGERS,
        log_tail: Callable[[str], bytes] = lambda function: b"",
        media_clock: Clock | None = None,
        actions: tuple[Action, ...] | None = None,
        wait: Callable[[], object] = lambda: None,
    ) -> None:
        self._folder = folder
        self._resolve = resolve
        self._template = template
        self._log_tail = log_tail
        self.urls: Mapping[str, str] = {}
        """Where each function with an HTTP trigger is called."""
        self._media_clock = media_clock or SystemClock()
        self._actions = actions
        self._wait = wait
        self._clock = SystemClock()
        self._random = random.SystemRandom()
        self._serving = ExitStack()
        self._endpoints: Endpoints | None = None

    @property
    def results(self) -> Path:
        """Tell where video quality jobs write their files: `<bucket>/<key>` below this folder."""
        return self._folder / "results"

    @property
    def _push_certificates(self) -> Path:
        return self._folder / "push-certificates"

    @property
    def endpoints(self) -> Endpoints:
        """Tell where each service is."""
        assert self._endpoints is not None  # it serves
        return self._endpoints

    def environment(self) -> dict[str, str]:
        """Give the settings that point the product at it."""
        at = self.endpoints
        addresses = dict.fromkeys(("vod", "mts", "ice"), at.media)
        addresses |= {"oss": at.oss, "ots": at.ots, "fc": at.fc}
        return {
            "LEDGER_OBJECTS": f"oss://{BUCKET}",
            "LEDGER_TABLES": f"ots://{INSTANCE}",
            "LEDGER_INVOKER": "fc3:",
            "LEDGER_MNS": at.mns,
            "LEDGER_DEAD_LETTERS": DEAD_LETTERS,
            "LEDGER_ENDPOINTS": ",".join(f"{name}={url}" for name, url in addresses.items()),
            "LEDGER_REGION": REGION,
            "LEDGER_USER_ID": ACCOUNT,
            "LEDGER_RESULT_FILES": f"file://{quote(str(self.results.resolve()))}",
            "LEDGER_PUSH_CERTIFICATES": f"file://{quote(str(self._push_certificates.resolve()))}",
            "LEDGER_OUTPUTS": f"mts.video_quality={QUALITY_OUTPUTS}",
            "LEDGER_EVIDENCE_HOSTS": at.evidence.removeprefix("http://"),
            "LEDGER_EVIDENCE_NETWORKS": "127.0.0.0/8",
            "LEDGER_CALLBACK_INSTANCES": "1",
            "LEDGER_VOD_CALLBACK_KEY": CALLBACK_KEY,
            "LEDGER_ICE_CALLBACK_KEY": CALLBACK_KEY,
            "LEDGER_CALLBACK_URLS": ",".join(
                f"{sender}={self.urls[WEBHOOK]}/{sender}" for sender in ("vod", "ice") if WEBHOOK in self.urls
            ),
            "ALIBABA_CLOUD_ACCESS_KEY_ID": KEYS.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEYS.access_key_secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": "",  # so that none of another key goes with this one
        }

    def __enter__(self) -> LocalCloud:
        clock, draw = self._clock, self._random
        with ExitStack() as starting:
            enter = starting.enter_context
            enter(_kept_from_others(self._folder))
            evidence = f"http://{enter(EvidenceServer()).host}"
            gateway = Gateway(self._media(evidence), keys=[KEYS], clock=self._media_clock, random=draw)
            buckets = folder_buckets(self._folder / "buckets", [BUCKET])
            oss = OssService(buckets, keys=[KEYS], clock=clock, random=draw, region=REGION)
            rows = enter(closing(RowStore(self._folder / "tables.sqlite")))
            tables = TablestoreService(Instance(rows, clock=clock), name=INSTANCE, keys=[KEYS], clock=clock)
            pushes = TopicPushes()
            mns = self._mns(pushes)
            mns_server = enter(MnsServer(mns))
            queues = enter(closing(_queues(mns_server.endpoint, clock)))
            triggers = self._triggers(mns, pushes, queues)
            functions = FcService(
                self._resolve,
                keys=[KEYS],
                clock=clock,
                random=draw,
                tasks=triggers.tasks,
                log_tail=self._log_tail,
            )
            self._endpoints = Endpoints(
                media=enter(self._far(MediaApiServer(gateway))).endpoint,
                oss=enter(self._far(oss_server(oss))).endpoint,
                ots=enter(self._far(tablestore_server(tables))).endpoint,
                mns=mns_server.endpoint,
                fc=enter(self._far(fc_server(functions))).endpoint,
                evidence=evidence,
            )
            self.urls = enter(triggers).urls
            # Before anything else ends: a trigger that waits for a message would be waited for.
            starting.callback(mns.close)
            self._serving = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serving.close()

    def _far(self, server: LoopbackServer) -> LoopbackServer:
        server.slow_down(self._wait)
        return server

    def _mns(self, pushes: TopicPushes) -> MnsService:
        signer = PushSigner.make(self._random, region=REGION)
        signer.put(self._push_certificates)
        return MnsService(
            keys=[KEYS],
            clock=self._clock,
            random=self._random,
            account=ACCOUNT,
            region=REGION,
            post=pushes,
            signer=signer,
        )

    def _triggers(self, mns: MnsService, pushes: TopicPushes, queues: MnsQueues) -> Triggers:
        return Triggers(
            self._template,
            self._resolve,
            account=mns.account,
            pushes=pushes,
            queues=queues,
            keys=[KEYS],
            clock=self._clock,
            random=self._random,
        )

    def _media(self, evidence: str) -> tuple[Action, ...]:
        if self._actions is not None:
            return self._actions
        # The tables in the folder know the jobs of earlier runs: an id must not come again.
        clock, ids = self._media_clock, _new_ids(self._random)
        services = (
            Vod(clock=clock, job_ids=ids, pictures=evidence),
            MtsVideoQuality(clock=clock, job_ids=ids, oss=self.results),
            MtsProduction(clock=clock, job_ids=ids),
            IceProduction(clock=clock, job_ids=ids),
        )
        return tuple(action for service in services for action in service.actions())


def _new_ids(draw: random.Random) -> Iterator[str]:
    while True:
        yield f"{draw.getrandbits(128):032x}"


def _queues(endpoint: str, clock: Clock) -> MnsQueues:
    return MnsQueues(endpoint, credentials=lambda: KEYS, clock=clock, open_session=HttpSessions().open)


@contextmanager
def _kept_from_others(folder: Path) -> Iterator[None]:
    """Make the folder, and hold it: two that remember what its buckets hold would not agree."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise SettingError("no cloud can be kept there: name another folder", reason=str(error)) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingError("a cloud is served from there already: name another folder") from None
        yield
