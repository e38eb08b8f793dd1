"""Jobs about the stock."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.florist.actions import stock_watch


@shared_task
def watch_stock(**_: Any) -> int:
    """Announce what runs low and what gets old, shop by shop; hourly."""
    return sum(stock_watch.look(shop_id=shop_id) for shop_id in stock_watch.open_shops())


@shared_task
def check_stock(**_: Any) -> int:
    """Compare stock, movements and reservations; nightly."""
    return stock_watch.check_books()
