"""Jobs about orders."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.shop.actions import expiry


@shared_task
def expire_unpaid_orders(**_: Any) -> int:
    """Cancel orders that nobody paid in time; every minute (contract shop 5, `ORDER_RESERVE_MINUTES`)."""
    return expiry.expire_unpaid()
