"""Opens our adapters on Alibaba Cloud: one account's services, with its keys, on one TLS context."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from shared.adapters.aliyun.fc2_invoker import Fc2Invoker
from shared.adapters.aliyun.fc3_invoker import Fc3Invoker
from shared.adapters.aliyun.fc_calls import FcCalls, FcPatience
from shared.adapters.aliyun.oss_client import OssClient, OssPatience, OssPlace
from shared.adapters.aliyun.oss_object_store import OssEncryption, OssObjectStore
from shared.adapters.aliyun.oss_result_files import OssResultFiles
from shared.adapters.aliyun.tablestore_instance import Patience, TablestoreInstance
from shared.adapters.aliyun.tablestore_ledger import TablestoreLedger
from shared.adapters.endpoints import checked_override
from shared.adapters.http_sessions import HttpSessions
from shared.adapters.present_invocation import PresentInvocation
from shared.places import Bucket, EveryBucket, Fc2, Fc3, Instance, Network

if TYPE_CHECKING:
    from shared.ports import Clock

P = TypeVar("P", FcPatience, OssPatience, Patience)


@dataclass(frozen=True)
class AlibabaCloud:
    """Gives an adapter for a place; nothing is loaded or opened before the adapter's first call.

    `region` and `account` stand in where a place names none. `endpoints` replaces the addresses of `oss`,
    `ots` and `fc`.
    """

    present: PresentInvocation
    clock: Clock
    random: random.Random
    sessions: HttpSessions
    endpoints: Mapping[str, str]
    region: str | None = None
    account: str | None = None

    def objects(self, place: Bucket) -> OssObjectStore:
        """Open a bucket as an object store."""
        encryption = OssEncryption(place.encryption, place.kms_key) if place.encryption else None
        client = self._oss(self._region(place.network), place.network)
        return OssObjectStore(client, place.name, prefix=place.prefix, encryption=encryption)

    def result_files(self, place: EveryBucket) -> OssResultFiles:
        """Open whichever bucket the address of a file names."""
        network = place.network
        here = network.region or self.region

        def open_client(region: str) -> OssClient:
            # Another region is not reached over the internal network of ours.
            return self._oss(region, replace(network, is_internal=network.is_internal and region == here))

        return OssResultFiles(open_client, region=here)

    def instance(self, place: Instance) -> TablestoreInstance:
        """Connect to an instance of Tablestore."""
        region = self._region(place.network)
        network = "ots-internal" if place.network.is_internal else "ots"
        return TablestoreInstance(
            place.name,
            endpoint=self._endpoint("ots") or f"https://{place.name}.{region}.{network}.aliyuncs.com",
            region=region,
            credentials=self.present.credentials,
            clock=self.clock,
            random=self.random,
            remaining_ms=self.present.remaining_ms,
            prefix=place.prefix,
            patience=_patient(Patience(), place.network),
            tls=self.sessions.tls,
        )

    def ledger(self, place: Instance) -> TablestoreLedger:
        """Open an instance of Tablestore as the ledger."""
        return TablestoreLedger(self.instance(place))

    def invoker(self, place: Fc3 | Fc2) -> Fc3Invoker | Fc2Invoker:
        """Reach functions of Function Compute."""
        calls = FcCalls(
            clock=self.clock,
            deadline=self.present.deadline,
            open_session=self.sessions.open,
            patience=_patient(FcPatience(), place.network),
        )
        endpoint, keys = self._fc_endpoint(place), self.present.credentials
        if isinstance(place, Fc2):
            return Fc2Invoker(
                calls, endpoint=endpoint, service=place.service, credentials=keys, prefix=place.prefix
            )
        return Fc3Invoker(
            calls,
            endpoint=endpoint,
            credentials=keys,
            clock=self.clock,
            random=self.random,
            prefix=place.prefix,
        )

    def _oss(self, region: str, network: Network) -> OssClient:
        return OssClient(
            OssPlace(region, self._endpoint("oss"), network.is_internal),
            credentials=self.present.credentials,
            clock=self.clock,
            random=self.random,
            deadline=self.present.deadline,
            open_session=self.sessions.open,
            patience=_patient(OssPatience(), network),
        )

    def _fc_endpoint(self, place: Fc3 | Fc2) -> str:
        # One address for both versions: https://www.alibabacloud.com/help/en/functioncompute/fc-3-0/developer-reference/fc-endpoints
        account = place.account or self.account
        suffix = "-internal" if place.network.is_internal else ""
        return (
            self._endpoint("fc") or f"https://{account}.{self._region(place.network)}{suffix}.fc.aliyuncs.com"
        )

    def _endpoint(self, service: str) -> str | None:
        url = self.endpoints.get(service)
        return checked_override(service, url) if url else None

    def _region(self, network: Network) -> str:
        region = network.region or self.region
        assert region is not None  # settings see to it
        return region


def _patient(usual: P, network: Network) -> P:
    """Change how patient an adapter is where its place says so."""
    said = {"connect_ms": network.connect_ms, "read_ms": network.read_ms}
    return replace(usual, **{name: value for name, value in said.items() if value is not None})
