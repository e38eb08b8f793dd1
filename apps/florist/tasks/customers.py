"""Jobs about buyers; each may run twice and then finds nothing to do."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.florist.actions import customers, dates, standing
from apps.florist.models import Shop


@shared_task
def announce_dates(**_: Any) -> int:
    """Important dates that are near; every quarter of an hour, from nine o'clock of each shop's day."""
    return dates.announce_due()


@shared_task
def make_standing_orders(**_: Any) -> int:
    """Standing orders whose time has come; every quarter of an hour, from nine o'clock of each shop's day."""
    return standing.make_due()


@shared_task
def recount_buyers(**_: Any) -> int:
    """Figures of all buyers anew; at night."""
    return sum(customers.recount_all(shop=shop) for shop in Shop.objects.filter(is_active=True).order_by("pk"))
