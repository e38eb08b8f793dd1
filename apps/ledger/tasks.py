"""Celery shells of the ledger."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.db import transaction

from apps.core import events
from apps.ledger import actions, queries
from apps.ledger.events import AuditFailed

log = logging.getLogger(__name__)


@shared_task
def expire_holds(**_: Any) -> int:
    """Give back what is held past its time."""
    return actions.expire_holds()


@shared_task
def audit_ledger(**_: Any) -> int:
    """Check all books and shout when they are not true; returns the number of faults."""
    report = queries.audit()
    for fault in report.faults:
        log.error("ledger fault", extra={"fault": str(fault)})
    if not report.is_clean:
        with transaction.atomic():
            events.publish(AuditFailed(fault_count=report.fault_count))
    return report.fault_count
