"""Jobs about orders."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.florist.actions import expiry, lifecycle


@shared_task
def release_unpaid_orders(**_: Any) -> int:
    """End storefront orders that nobody paid in time, free the stems of those for cash; every five minutes (3.18)."""
    return expiry.release_unpaid()


@shared_task
def complete_delivered_orders(**_: Any) -> int:
    """Complete orders delivered some days ago; nightly (contract florist 3.5)."""
    return lifecycle.complete_delivered()
