"""Looking at batches and their movements (contract florist 1.0, 1.5)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from apps.florist import errors
from apps.florist.models import Batch, Movement, Shop, StockTransfer
from apps.florist.models.catalogue import says, searchable
from apps.florist.queries import stock, windows

BATCH = (
    *("id", "sku", "batch_code", "variety", "height_cm", "farm", "supplier", "delivery_date", "currency", "rate"),
    *("cost", "markup_pct", "qty", "price", "reserved_qty", "recommended_price", "on_showcase", "to_write_off"),
    *("hidden", "created_at", "updated_at"),
)
MOVEMENT = (
    *("id", "warehouse_item_id", "type", "quantity", "description", "reference_type", "reference_id", "created_at"),
    *("qty_before", "qty_after"),
)
EXACT = ("height_cm", "on_showcase", "to_write_off")
WORDS = ("variety", "farm", "supplier")


@dataclass(frozen=True)
class Wanted:
    """Which batches; texts are parts of words."""

    skip: int = 0
    limit: int = 20
    variety: str = ""
    height_cm: int | None = None
    farm: str = ""
    supplier: str = ""
    on_showcase: bool | None = None
    to_write_off: bool | None = None
    search: str = ""


def page(by: Any, wanted: Wanted) -> tuple[list[dict[str, Any]], int]:
    """Batches as WItem, newest first, hidden ones left out, and how many there are. Two queries."""
    where = Q(hidden=False)
    for name in EXACT:
        if (value := getattr(wanted, name)) is not None:
            where &= Q(**{name: value})
    for name in WORDS:
        if text := getattr(wanted, name):
            where &= says(name, text)
    if text := searchable(wanted.search.strip()):
        where &= Q(search_text__contains=text)
    rows = Batch.objects.visible_to(by).filter(where).order_by("-created_at", "-pk")
    shown = rows.select_related("updated_by", "category")[wanted.skip : wanted.skip + wanted.limit]
    return [batch(row) for row in shown], rows.count()


def one(by: Any, batch_id: int) -> dict[str, Any]:
    """One batch as WItem. Raises `BatchNotFound`."""
    found = Batch.objects.visible_to(by).select_related("updated_by", "category").filter(pk=batch_id).first()
    if found is None:
        raise errors.BatchNotFound()
    return batch(found)


def batch(row: Batch) -> dict[str, Any]:
    """WItem."""
    least = row.category.min_stock if row.category else stock.low_stock()
    return {
        **{name: getattr(row, name) for name in BATCH},
        "updated_by": row.updated_by.name if row.updated_by else None,
        "available_qty": row.available_qty,
        "is_critical_stock": row.available_qty < least and not row.to_write_off,
    }


def stats(shop: Shop) -> dict[str, Any]:
    """What the warehouse holds, in stems and in the shop's money at selling prices; hidden batches count nowhere.

    Two queries.
    """
    rows = Batch.objects.filter(shop=shop, hidden=False).order_by()
    figures = rows.annotate(free=F("qty") - F("reserved_qty"), least=stock.least()).aggregate(
        total_items=Count("pk"),
        total_value=Coalesce(Sum(F("qty") * F("price")), Decimal(0)),
        critical_items=Count("pk", filter=Q(free__lt=F("least"), to_write_off=False)),
        showcase_items=Count("pk", filter=Q(on_showcase=True)),
        writeoff_items=Count("pk", filter=Q(to_write_off=True)),
    )
    by_variety: Counter[str] = Counter()
    by_supplier: Counter[str] = Counter()
    for variety, supplier, stems in rows.values_list("variety", "supplier").annotate(stems=Sum("qty")):
        by_variety[variety] += stems
        by_supplier[supplier] += stems
    return {**figures, "by_variety": dict(sorted(by_variety.items())), "by_supplier": dict(sorted(by_supplier.items()))}


def movements(by: Any, batch_id: int, *, skip: int, limit: int) -> tuple[list[dict[str, Any]], int]:
    """A batch's movements as Move, newest first, and how many. Three queries. Raises `BatchNotFound`."""
    if not Batch.objects.visible_to(by).filter(pk=batch_id).exists():
        raise errors.BatchNotFound()
    rows = Movement.objects.filter(warehouse_item=batch_id).order_by("-created_at", "-pk")
    return [movement(row) for row in rows.select_related("created_by")[skip : skip + limit]], rows.count()


def movement(row: Movement) -> dict[str, Any]:
    """Move."""
    by = row.created_by.name if row.created_by else "system"
    return {**{name: getattr(row, name) for name in MOVEMENT}, "created_by": by}


# ── Waste, transfers ────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class WasteAct:
    """What was thrown away between two days: rows, newest first, and what it cost."""

    rows: list[Movement]
    total: int
    stems: int
    cost: Decimal
    by_reason: dict[str, int]


def waste_of(shop: Shop, first: date | None, last: date | None, *, skip: int = 0, limit: int = 100) -> WasteAct:
    """The act of write-off. Days are the shop's, both included. Three queries."""
    rows = _between(Movement.objects.filter(shop=shop, reason__in=Movement.WASTE), shop, first, last)
    sums = rows.order_by().values("reason").annotate(stems=-Sum("quantity"), cost=-Sum(F("quantity") * F("unit_cost")))
    found = list(sums)
    shown = rows.select_related("warehouse_item", "created_by").order_by("-created_at", "-pk")
    return WasteAct(
        rows=list(shown[skip : skip + limit]),
        total=rows.count(),
        stems=sum(row["stems"] for row in found),
        cost=sum((row["cost"] for row in found), Decimal(0)),
        by_reason={row["reason"]: row["stems"] for row in sorted(found, key=lambda row: str(row["reason"]))},
    )


def transfers(by: Any, *, skip: int, limit: int) -> tuple[list[StockTransfer], int]:
    """Hand-overs from and to the shop of `by`, newest first."""
    rows = StockTransfer.objects.filter(Q(from_shop=by.shop_id) | Q(to_shop=by.shop_id)).order_by("-pk")
    return list(rows.select_related("from_shop", "to_shop", "from_batch")[skip : skip + limit]), rows.count()


def _between(rows: QuerySet[Movement], shop: Shop, first: date | None, last: date | None) -> QuerySet[Movement]:
    if first:
        rows = rows.filter(created_at__gte=windows.day_bounds(shop, first)[0])
    return rows.filter(created_at__lt=windows.day_bounds(shop, last)[1]) if last else rows
