"""What every adapter is built with, read from the settings once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shared.adapters.aliyun.credentials import ChainCredentials
from shared.adapters.clocks import SystemClock
from shared.adapters.http_sessions import HttpSessions
from shared.adapters.present_invocation import PresentInvocation
from shared.policy import SECOND
from shared.ports import Clock
from shared.settings import Settings
from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    from shared.adapters.aliyun.cloud import AlibabaCloud

# Where no function bounds the time, as on the command line.
NO_DEADLINE = 15 * 60 * SECOND


@dataclass(frozen=True)
class Basis:
    """Settings, time, randomness, connections, and the keys of the moment."""

    settings: Settings
    clock: Clock
    random: random.Random
    sessions: HttpSessions
    present: PresentInvocation

    @classmethod
    def of(cls, settings: Settings) -> Basis:
        """Begin outside of any invocation."""
        clock = _clock(settings)
        return cls(
            settings,
            clock,
            random.SystemRandom(),
            HttpSessions(trust_env=settings.trust_env),
            PresentInvocation(clock, longest_ms=NO_DEADLINE, otherwise=_keys(settings)),
        )

    @cached_property
    def cloud(self) -> AlibabaCloud:
        """Open the account on the cloud, which a laptop never needs."""
        from shared.adapters.aliyun.cloud import AlibabaCloud

        return AlibabaCloud(
            present=self.present,
            clock=self.clock,
            random=self.random,
            sessions=self.sessions,
            endpoints=dict(self.settings.endpoints),
            region=self.settings.region,
            account=self.settings.user_id,
        )


def _clock(settings: Settings) -> Clock:
    if settings.clock is None:
        return SystemClock()
    from shared.adapters.local.file_clock import FileClock

    return FileClock(Path(settings.clock))


def _keys(settings: Settings) -> Callable[[], Credentials]:
    """Give the keys that are set; without any, those that the vendor's own tools would find."""
    given = settings.keys
    return ChainCredentials() if given is None else lambda: given
