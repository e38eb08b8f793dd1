"""Jobs about money."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.shop.actions import payments


@shared_task
def compare_orders_with_money(**_: Any) -> int:
    """Shout about paid orders without money and money without its order; nightly (contract shop 4.4.6)."""
    return payments.compare_with_orders()
