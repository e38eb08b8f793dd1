"""Watching the stock: what runs low, what gets old, whether the books agree (contract florist 3.11, 3.18)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from django.db import transaction

from apps.core import events
from apps.core.events import Event
from apps.florist.events import StockDisagrees, StockExpires, StockRanLow
from apps.florist.models import Shop, StockAlert
from apps.florist.queries import stock

Kind = StockAlert.Kind


def look(*, shop_id: int) -> int:
    """Announce varieties that ran low or get old since the last look, each once per fall; forget those that are well

    again. Returns how many were announced.
    """
    with transaction.atomic():
        shop = Shop.objects.select_for_update(of=("self",), no_key=True).get(pk=shop_id)
        low = {row.variety: row.available for row in stock.by_variety(shop) if row.is_low}
        old: Counter[str] = Counter()
        for batch in stock.expiring(shop):
            old[batch.variety] += batch.qty
        news = _new(shop, Kind.LOW, low)
        getting_old = _new(shop, Kind.EXPIRING, old)
        facts: list[Event] = [StockRanLow(shop.pk, variety, low[variety]) for variety in news]
        facts += [StockExpires(shop.pk, variety, old[variety]) for variety in getting_old]
        events.publish(*facts)
        return len(facts)


def open_shops() -> list[int]:
    """Ids of the shops whose stock is watched."""
    return list(Shop.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True))


def check_books() -> int:
    """Announce shops whose movements do not add up to their stock, or whose reservations do not; returns the faults."""
    found = Counter(fault.shop_id for fault in stock.faults())
    with transaction.atomic():
        events.publish(*(StockDisagrees(shop_id, faults) for shop_id, faults in sorted(found.items())))
    return found.total()


def _new(shop: Shop, kind: str, now: Mapping[str, int] | Iterable[str]) -> list[str]:
    """Varieties in trouble that nobody was told about; alerts that are over go."""
    told = StockAlert.objects.filter(shop=shop, kind=kind)
    told.exclude(variety__in=list(now)).delete()
    known = set(told.values_list("variety", flat=True))
    news = sorted(set(now) - known)
    StockAlert.objects.bulk_create(StockAlert(shop=shop, kind=kind, variety=variety) for variety in news)
    return news
