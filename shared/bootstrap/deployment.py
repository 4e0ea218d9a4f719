"""Opens what a deployment works on: buckets for packages, and the stacks of ROS; no store of ours."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from shared.adapters.aliyun.oss_object_store import OssObjectStore
from shared.bootstrap import outside
from shared.bootstrap.basis import Basis
from shared.places import Bucket
from shared.ports import Clock, MediaApi
from shared.settings import Settings


@dataclass(frozen=True)
class Deployment:
    """What a deployment touches; `open_packages` opens the root of a bucket."""

    open_packages: Callable[[str], OssObjectStore]
    api: MediaApi
    clock: Clock
    random: random.Random


@contextmanager
def opened(settings: Settings) -> Iterator[Deployment]:
    """Open the account in LEDGER_REGION, with the keys that are set or found."""
    basis = Basis.of(settings)
    with closing(outside.stacks_api(basis)) as api:
        yield Deployment(lambda bucket: basis.cloud.objects(Bucket(bucket)), api, basis.clock, basis.random)
