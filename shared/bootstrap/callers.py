"""Who calls us over HTTP: what their callbacks are checked with. Only `webhook` loads this."""

from __future__ import annotations

from pathlib import Path

from shared.adapters.admission import BudgetPerName
from shared.bootstrap.basis import Basis
from shared.ports import NoPushCertificates, PushCertificates
from shared.webhook_settings import WebhookSettings
from shared.webhooks import Callers

_WAKE_UPS_AT_ONCE = 5


def build(settings: WebhookSettings, basis: Basis) -> Callers:
    """Keep each address within its budget, and `reconcile` from more than it can ask: one job a second."""
    rate = settings.source_rate
    return Callers(
        senders=settings.senders(),
        sources=BudgetPerName(lambda _: rate, burst=max(1, int(2 * rate)), clock=basis.clock),
        wake_ups=BudgetPerName(lambda _: 1, burst=_WAKE_UPS_AT_ONCE, clock=basis.clock),
        push_certificates=_push_certificates(settings, basis),
    )


def _push_certificates(settings: WebhookSettings, basis: Basis) -> PushCertificates:
    """Reach where MNS keeps its certificates; nothing is loaded where no topic pushes."""
    if not settings.push_topics:
        return NoPushCertificates()
    if settings.push_certificates is not None:
        from shared.adapters.local.folder_push_certificates import FolderPushCertificates

        return FolderPushCertificates(Path(settings.push_certificates.path))
    from shared.adapters.push_certificates import HttpsPushCertificates

    return HttpsPushCertificates(clock=basis.clock, sessions=basis.sessions)
