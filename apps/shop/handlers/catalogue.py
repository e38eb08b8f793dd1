"""What follows from facts about the catalogue."""

from __future__ import annotations

from apps.core import events
from apps.shop.actions import stock_watch
from apps.shop.events import StockRanLow


@events.after(StockRanLow)
def tell_the_administrators(event: StockRanLow) -> None:
    """A product runs out."""
    stock_watch.tell_administrators(event)
