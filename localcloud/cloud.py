"""The whole local cloud: every imitation on a port of its own, with one set of keys, over one folder."""

from __future__ import annotations

import fcntl
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import quote

from localcloud.fc.service import FcService, fc_server
from localcloud.fc.invocation import Function
from localcloud.media.gateway import Gateway
from localcloud.media.ice import IceProduction
from localcloud.media.mts import MtsProduction, MtsVideoQuality
from localcloud.media.server import MediaApiServer
from localcloud.media.vod import Vod
from localcloud.media.wire import Action
from localcloud.mns.server import MnsServer
from localcloud.mns.service import MnsService
from localcloud.oss.server import folder_buckets, oss_server
from localcloud.oss.service import OssService
from localcloud.tablestore.instance import Instance
from localcloud.tablestore.row_store import RowStore
from localcloud.tablestore.service import Service as TablestoreService
from localcloud.tablestore.service import serve as tablestore_server
from shared.adapters.clocks import SystemClock
from shared.errors import SettingError
from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    from shared.ports import Clock

KEYS = Credentials("localAccessKeyId", "localAccessKeySecret")
REGION = "cn-shanghai"
ACCOUNT = "1000000000000001"
BUCKET = "media-ledger"
INSTANCE = "media-ledger"
RESULTS = "local-results"
QUALITY_OUTPUTS = f"oss://{RESULTS}.oss-{REGION}.aliyuncs.com/"


@dataclass(frozen=True)
class Endpoints:
    """Where each service is, as endpoint overrides take it."""

    media: str
    oss: str
    ots: str
    mns: str
    fc: str


class LocalCloud:
    """Serves while its `with` block lasts; what OSS and Tablestore hold stays in `folder`.

    Raise `SettingError` when nothing can be kept there, or another one serves from it.

    `resolve` gives functions by their names, as `FcService` wants it. `media_clock` is the time of the media
    APIs, whose jobs end as it moves on; the stores have the machine's time, as the vendor's clients do. With
    `actions` the media APIs are these, instead of new ones in which every job ends by itself.
    """

    def __init__(
        self,
        folder: Path,
        resolve: Callable[[str], Function],
        *,
        media_clock: Clock | None = None,
        actions: tuple[Action, ...] | None = None,
    ) -> None:
        self._folder = folder
        self._resolve = resolve
        self._media_clock = media_clock or SystemClock()
        self._actions = actions
        self._serving = ExitStack()
        self._endpoints: Endpoints | None = None

    @property
    def results(self) -> Path:
        """Tell where video quality jobs write their files: `<bucket>/<key>` below this folder."""
        return self._folder / "results"

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
            "LEDGER_ENDPOINTS": ",".join(f"{name}={url}" for name, url in addresses.items()),
            "LEDGER_REGION": REGION,
            "LEDGER_USER_ID": ACCOUNT,
            "LEDGER_RESULT_FILES": f"file://{quote(str(self.results.resolve()))}",
            "LEDGER_OUTPUTS": f"mts.video_quality={QUALITY_OUTPUTS}",
            "LEDGER_CALLBACK_INSTANCES": "1",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": KEYS.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEYS.access_key_secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": "",  # so that none of another key goes with this one
        }

    def __enter__(self) -> LocalCloud:
        clock, draw = SystemClock(), random.SystemRandom()
        with ExitStack() as starting:
            enter = starting.enter_context
            enter(_kept_from_others(self._folder))
            rows = enter(closing(RowStore(self._folder / "tables.sqlite")))
            gateway = Gateway(self._media(), keys=[KEYS], clock=self._media_clock, random=draw)
            buckets = folder_buckets(self._folder / "buckets", [BUCKET])
            oss = OssService(buckets, keys=[KEYS], clock=clock, random=draw, region=REGION)
            tables = TablestoreService(Instance(rows, clock=clock), name=INSTANCE, keys=[KEYS], clock=clock)
            queues = MnsService(keys=[KEYS], clock=clock, random=draw, account=ACCOUNT, region=REGION)
            functions = FcService(self._resolve, keys=[KEYS], clock=clock, random=draw)
            self._endpoints = Endpoints(
                media=enter(MediaApiServer(gateway)).endpoint,
                oss=enter(oss_server(oss)).endpoint,
                ots=enter(tablestore_server(tables)).endpoint,
                mns=enter(MnsServer(queues)).endpoint,
                fc=enter(fc_server(functions)).endpoint,
            )
            enter(functions.tasks)
            self._serving = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serving.close()

    def _media(self) -> tuple[Action, ...]:
        if self._actions is not None:
            return self._actions
        clock = self._media_clock
        services = (
            Vod(clock=clock),
            MtsVideoQuality(clock=clock, oss=self.results),
            MtsProduction(clock=clock),
            IceProduction(clock=clock),
        )
        return tuple(action for service in services for action in service.actions())


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
