"""Looking at supplies, suppliers and what to buy next (contract florist 1.0, 1.5, 3.12, 6)."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import F, Prefetch, Q, QuerySet, Sum
from django.utils import timezone

from apps.florist import errors
from apps.florist.models import FlowerCategory, Movement, Order, OrderItem, Shop, Supply, SupplyItem
from apps.florist.models.catalogue import says
from apps.florist.queries import recipes, stock

CATEGORY = ("id", "name", "markup_percentage", "keywords", "created_at", "updated_at")
HEAD = ("id", "supplier", "farm", "delivery_date", "currency", "rate", "comment", "created_at")
ITEM = (
    *("id", "supply_id", "flower_name", "height_cm", "purchase_price", "quantity", "category_id"),
    *("retail_price", "total_cost", "created_at"),
)
IN_USE = (Supply.Status.ACTIVE, Supply.Status.RECEIVED)
"""What clients call active."""
MOST_OPEN_LINES = 5000
"""Order lines that a plan looks at."""
LOOK_BACK_DAYS = 14
"""Days whose consumption says what is used a day."""
Reason = Movement.Reason
SOLD = (Reason.ORDER, Reason.SALE, Reason.SHOWCASE, Reason.RETURN)


def page(by: Any, *, status: str | None, skip: int, limit: int) -> tuple[list[Supply], int]:
    """Supplies with lines, newest first, and how many. Three queries."""
    rows = Supply.objects.visible_to(by)
    if status:
        rows = rows.filter(status__in=IN_USE if status == Supply.Status.ACTIVE else [status])
    shown = _with_lines(rows).order_by("-created_at", "-pk")
    return list(shown[skip : skip + limit]), rows.count()


def one(by: Any, supply_id: int) -> Supply:
    """One supply with its lines. Raises `SupplyNotFound`."""
    found = _with_lines(Supply.objects.visible_to(by)).filter(pk=supply_id).first()
    if found is None:
        raise errors.SupplyNotFound()
    return found


def as_supply(supply: Supply) -> dict[str, Any]:
    """SupplyOut."""
    return {
        **{name: getattr(supply, name) for name in (*HEAD, "notes", "status", "total_cost")},
        "created_by": supply.created_by.name if supply.created_by else None,
        "items": [_item(item) for item in supply.items.all()],
    }


def as_delivery(supply: Supply) -> dict[str, Any]:
    """DeliveryOut: the same supply as the original's other path shows it."""
    return {
        **{name: getattr(supply, name) for name in HEAD},
        "farm": supply.farm or "",
        "cost_total": supply.total_cost,
        "created_by": supply.created_by.name if supply.created_by else None,
        "positions": [
            {
                "id": item.pk,
                "delivery_id": supply.pk,
                "variety": item.flower_name,
                "height_cm": item.height_cm,
                "qty": item.quantity,
                "cost_per_stem": item.purchase_price,
                "total_cost": item.total_cost,
            }
            for item in supply.items.all()
        ],
    }


def category(row: FlowerCategory) -> dict[str, Any]:
    """Cat."""
    return {name: getattr(row, name) for name in CATEGORY}


def remaining(item: SupplyItem) -> int:
    """Stems of a line that are left; of a draft all of them."""
    batch = getattr(item, "batch", None)
    return int(batch.qty) if batch is not None else item.quantity


def _item(item: SupplyItem) -> dict[str, Any]:
    return {
        **{name: getattr(item, name) for name in ITEM},
        "remaining_quantity": remaining(item),
        "category": category(item.category) if item.category else None,
    }


def _with_lines(rows: QuerySet[Supply]) -> QuerySet[Supply]:
    lines = SupplyItem.objects.select_related("category", "batch").order_by("pk")
    return rows.select_related("created_by").prefetch_related(Prefetch("items", queryset=lines))


# ── Suppliers ───────────────────────────────────────────────────────────────────────────────────────────────────────
def price_history(by: Any, *, flower: str = "", supplier: str = "", limit: int = 100) -> list[SupplyItem]:
    """What a flower cost at each supply, newest first. One query."""
    mine = Supply.objects.visible_to(by).exclude(status=Supply.Status.DRAFT)
    rows = SupplyItem.objects.filter(supply__in=mine).select_related("supply")
    if flower:
        rows = rows.filter(says("flower_name", flower))
    if supplier:
        rows = rows.filter(says("supply__supplier", supplier))
    return list(rows.order_by("-supply__delivery_date", "-pk")[:limit])


@dataclass(frozen=True)
class SupplierQuality:
    """How much of what a supplier brought was thrown away; cost in the shop's money."""

    supplier: str
    received: int
    wasted: int
    waste_cost: Decimal

    @property
    def waste_percentage(self) -> Decimal:
        """Of the stems received, one digit."""
        if not self.received:
            return Decimal(0)
        return (Decimal(self.wasted) * 100 / self.received).quantize(Decimal("0.1"), ROUND_HALF_UP)


def quality(shop: Shop, days: int = 90) -> list[SupplierQuality]:
    """Suppliers of the last `days`, the worst first. One query."""
    since = timezone.now() - timedelta(days=days)
    waste = Q(reason__in=Movement.WASTE)
    rows = (
        Movement.objects.filter(waste | Q(reason=Reason.RECEIPT), shop=shop, created_at__gte=since)
        .order_by()
        .values("warehouse_item__supplier")
        .annotate(
            received=Sum("quantity", filter=Q(reason=Reason.RECEIPT), default=0),
            wasted=-Sum("quantity", filter=waste, default=0),
            cost=-Sum(F("quantity") * F("unit_cost"), filter=waste, default=Decimal(0)),
        )
    )
    found = [
        SupplierQuality(row["warehouse_item__supplier"], row["received"], row["wasted"], row["cost"]) for row in rows
    ]
    return sorted(found, key=lambda row: (-row.waste_percentage, row.supplier))


# ── What to buy ─────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Purchase:
    """A variety: free stems, what open orders still lack, what is used a day, what to buy for so many days."""

    variety: str
    available: int
    lacking: int
    used_per_day: Decimal
    to_buy: int


def plan(shop: Shop, days: int = 3) -> list[Purchase]:
    """What lasts for `days`: what open orders lack, usual consumption and the smallest stock, minus what is free.

    Six queries.
    """
    shelves = {row.variety: row for row in stock.by_variety(shop)}
    lacking, used = _lacking(shop), _used(shop)
    found = []
    for variety in sorted(shelves.keys() | lacking.keys() | used.keys()):
        row = shelves.get(variety)
        available = row.available if row else 0
        least = row.minimum if row else stock.low_stock()
        daily = (Decimal(used[variety]) / LOOK_BACK_DAYS).quantize(Decimal("0.1"), ROUND_HALF_UP)
        want = lacking[variety] + max(math.ceil(daily * days), least)
        found.append(Purchase(variety, available, lacking[variety], daily, max(want - available, 0)))
    return found


def _lacking(shop: Shop) -> Counter[str]:
    """Stems by variety that lines of open orders have not got."""
    waiting = OrderItem.objects.filter(
        order__shop=shop, order__status__in=(Order.Status.NEW, Order.Status.PAID), is_reserved=False
    )
    items = list(waiting.filter(is_written_off=False).order_by("pk")[:MOST_OPEN_LINES])
    found: Counter[str] = Counter()
    for needs in recipes.needs_of(items):
        found.update({flower.variety: stems for flower, stems in needs.items()})
    held = stock.held_of([item.pk for item in items])
    return found - held


def _used(shop: Shop) -> Counter[str]:
    since = timezone.now() - timedelta(days=LOOK_BACK_DAYS)
    rows = Movement.objects.filter(shop=shop, reason__in=SOLD, created_at__gte=since).order_by()
    sums = rows.values_list("warehouse_item__variety").annotate(stems=-Sum("quantity"))
    return Counter({variety: max(stems, 0) for variety, stems in sums})
