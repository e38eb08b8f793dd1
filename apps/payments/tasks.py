"""Celery shells of payments."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.db import transaction

from apps.core import events
from apps.payments import actions, queries
from apps.payments.events import AuditFailed

log = logging.getLogger(__name__)


@shared_task
def reconcile_payments(**_: Any) -> dict[str, int]:
    """Ask gateways about open payments, held money and refunds whose turn it is; ends what is over."""
    return actions.reconcile()


@shared_task
def audit_payments(**_: Any) -> int:
    """Check every payment against its refunds and states, and shout; returns the number of faults."""
    report = queries.audit()
    for fault in report.faults:
        log.error("payment fault", extra={"fault": str(fault)})
    if report.faults:
        with transaction.atomic():
            events.publish(AuditFailed(fault_count=len(report.faults)))
    return len(report.faults)
