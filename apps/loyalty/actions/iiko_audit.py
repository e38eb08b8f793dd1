"""Every night: are our purses what iiko says? Guests who were read longest ago are read again first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from apps.loyalty import access
from apps.loyalty.actions import iiko_jobs
from apps.loyalty.models import Client, IikoJob, IikoReconciliation

KEPT_DAYS = 90


def reconcile(*, by: Any = None, now: datetime | None = None) -> IikoReconciliation:
    """Ask for a reading of up to `LOYALTY_IIKO_RECONCILE_PER_NIGHT` guests; each job adds its finding to the report.

    A guest whose reading is paused would only take the place of another: such guests are counted, not asked for.
    Raises `ManagersOnly`.
    """
    access.ensure_manager(by, "loyalty.change_iikojob")
    moment = now or timezone.now()
    known = Client.objects.living().exclude(iiko_customer_id=None)
    paused = IikoJob.objects.filter(
        client=OuterRef("pk"), operation=IikoJob.Operation.SYNC_USER, state=IikoJob.State.PAUSED
    )
    report = IikoReconciliation.objects.create(started_at=moment, paused_count=known.filter(Exists(paused)).count())
    readable = known.exclude(Exists(paused))
    oldest_first = readable.order_by(F("iiko_read_at").asc(nulls_first=True), "id").values_list("pk", flat=True)
    for pk in list(oldest_first[: settings.LOYALTY.iiko_reconcile_per_night]):
        with transaction.atomic():
            iiko_jobs.ask(
                by=None, client_id=pk, operation=IikoJob.Operation.SYNC_USER, payload={"reconciliation": report.pk}
            )
            IikoReconciliation.objects.filter(pk=report.pk).update(asked_count=F("asked_count") + 1)
    IikoReconciliation.objects.filter(started_at__lt=moment - timedelta(days=KEPT_DAYS)).delete()
    report.refresh_from_db()
    return report
