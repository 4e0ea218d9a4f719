"""Whom we ask and whom we tell: the vendor's media APIs, and the targets of deliveries."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property

from shared.adapters.media_api import SignedMediaApi
from shared.adapters.media_api_per_account import MediaApiPerAccount
from shared.adapters.paced_media_api import PacedMediaApi
from shared.adapters.signing import AnswerFormat
from shared.bootstrap.basis import Basis
from shared.delivery.targets import TargetKind
from shared.downloads import VENDOR, Download, Downloads, Origins
from shared.ports import EventSender, Invoker, NoSender, ObjectReads, ObjectStore
from shared.queues import Queues
from shared.toolkit.context import Credentials

# Where there is no region of ours: the Security Token Service is the same everywhere.
_STS_REGION = "cn-hangzhou"


def media_api(basis: Basis) -> PacedMediaApi:
    """Ask the vendor: with our own keys, or with a role's for the jobs of its account."""
    own = _signed(basis, basis.present.credentials)
    others = {account: _signed(basis, _role(basis, arn)) for account, arn in basis.settings.roles}
    return PacedMediaApi(MediaApiPerAccount(own, others) if others else own, basis.clock, basis.random)


def stacks_api(basis: Basis) -> SignedMediaApi:
    """Ask ROS for stacks, with our own keys."""
    return _signed(basis, basis.present.credentials, answer_format="json")


def _signed(
    basis: Basis, credentials: Callable[[], Credentials], *, answer_format: AnswerFormat | None = None
) -> SignedMediaApi:
    settings = basis.settings
    return SignedMediaApi(
        credentials=credentials,
        clock=basis.clock,
        random=basis.random,
        scheme=settings.signature,
        answer_format=answer_format or settings.answer_format,
        endpoints=dict(settings.endpoints),
        retry_after_unit_ms=settings.retry_after_unit_ms,
        sessions=basis.sessions,
    )


def _role(basis: Basis, arn: str) -> Callable[[], Credentials]:
    from shared.adapters.aliyun.assumed_role import AssumedRole

    return AssumedRole(
        arn,
        sts=_signed(basis, basis.present.credentials, answer_format="json"),
        region=basis.settings.region or _STS_REGION,
        clock=basis.clock,
        deadline=basis.present.deadline,
    )


@dataclass(frozen=True)
class _FirstUse:
    """Opens what fetches evidence when the first file is: most instances never fetch one."""

    basis: Basis
    files: ObjectReads

    def download(self, url: str, *, deadline: int) -> AbstractContextManager[Download]:
        """See `Downloads.download`. The user's buckets are read for nobody who did not ask for copies."""
        is_output = url.startswith("oss://") and bool(self.basis.settings.copy_outputs)
        return (self._buckets if is_output else self._web).download(url, deadline=deadline)

    @cached_property
    def _buckets(self) -> Downloads:
        from shared.adapters.bucket_downloads import BucketDownloads

        return BucketDownloads(self.files, clock=self.basis.clock)

    @cached_property
    def _web(self) -> Downloads:
        from shared.adapters.https_downloads import HttpsDownloads
        from shared.adapters.senders.limited_runs import LimitedRuns

        settings = self.basis.settings
        return HttpsDownloads(
            LimitedRuns(),
            clock=self.basis.clock,
            sessions=self.basis.sessions,
            origins=Origins((VENDOR, *settings.evidence_hosts), settings.evidence_networks),
        )


def downloads(basis: Basis, files: ObjectReads) -> Downloads:
    """Reach the hosts on which the vendor keeps evidence, those that are set, and `files`."""
    return _FirstUse(basis, files)


def sender(basis: Basis, objects: ObjectStore, functions: Invoker, queues: Queues) -> EventSender:
    """Reach the targets of the plan; nothing is loaded where there are none."""
    settings = basis.settings
    if not settings.delivery.targets:
        return NoSender()
    from shared.adapters.senders.by_kind import SenderByKind
    from shared.adapters.senders.functions import FunctionSender
    from shared.adapters.senders.hooks import HookSender
    from shared.adapters.senders.https import HttpsSender
    from shared.adapters.senders.limited_runs import LimitedRuns
    from shared.adapters.senders.queues import QueueSender

    runs = LimitedRuns()
    keys = {name: [key.get_secret_value() for key in listed] for name, listed in settings.delivery_keys}
    senders: dict[TargetKind, EventSender] = {
        "https": HttpsSender(runs, clock=basis.clock, keys=keys),
        "queue": QueueSender(queues),
        "topic": QueueSender(queues),
        "function": FunctionSender(functions),
        "hook": HookSender(runs, objects, clock=basis.clock),
    }
    return SenderByKind(senders)
