"""Jobs about the catalogue."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.shop.actions import stock_watch


@shared_task
def watch_stock(**_: Any) -> int:
    """Announce products that ran low by sales; every five minutes."""
    return stock_watch.look()
