"""Who calls us over HTTP: what their callbacks are checked with."""

from __future__ import annotations

from pathlib import Path

from shared.adapters.admission import BudgetPerName
from shared.bootstrap.basis import Basis
from shared.ports import Admission, NoPushCertificates, PushCertificates

_WAKE_UPS_AT_ONCE = 5


def push_certificates(basis: Basis) -> PushCertificates:
    """Reach where MNS keeps its certificates; nothing is loaded where no topic pushes."""
    settings = basis.settings
    if not settings.push_topics:
        return NoPushCertificates()
    if settings.push_certificates is not None:
        from shared.adapters.local.folder_push_certificates import FolderPushCertificates

        return FolderPushCertificates(Path(settings.push_certificates.path))
    from shared.adapters.push_certificates import HttpsPushCertificates

    return HttpsPushCertificates(clock=basis.clock, sessions=basis.sessions)


def wake_ups(basis: Basis) -> Admission:
    """Keep one instance from invoking `reconcile` more often than that can ask: once a second."""
    return BudgetPerName(lambda _: 1, burst=_WAKE_UPS_AT_ONCE, clock=basis.clock)


def sources(basis: Basis) -> Admission:
    """Keep every address that sends callbacks within its budget."""
    rate = basis.settings.source_rate
    return BudgetPerName(lambda _: rate, burst=max(1, int(2 * rate)), clock=basis.clock)
