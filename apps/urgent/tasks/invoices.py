"""Jobs about money from outside."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.urgent.actions import invoices


@shared_task
def reconcile_invoices(**_: Any) -> int:
    """Ask providers about due invoices, credit what was paid, end what is over; every two minutes (contract urgent
    5).
    """
    return invoices.reconcile()
