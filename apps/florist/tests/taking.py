"""Orders of the tests: eleven stems of Red Naomi a bouquet, a hundred in the warehouse."""

from __future__ import annotations

from typing import Any

from apps.core import states
from apps.florist.actions import orders
from apps.florist.actions.orders import OrderDraft
from apps.florist.actions.pricing import LineWish
from apps.florist.models import Batch, Movement, Order, Product, Shop
from apps.florist.tests import cast

STEMS = 11

WAY_TO: dict[str, tuple[str, ...]] = {
    "new": (),
    "paid": ("paid",),
    "assembled": ("paid", "assembled"),
    "delivery": ("paid", "assembled", "delivery"),
    "self_pickup": ("paid", "assembled", "self_pickup"),
    "delivered": ("paid", "assembled", "delivery", "delivered"),
    "completed": ("paid", "assembled", "delivery", "delivered", "completed"),
    "issue": ("paid", "issue"),
    "cancelled": ("cancelled",),
}
"""Steps from new to each status."""


def roses(shop: Shop, stems: int = 100, price: int = 10_000) -> Product:
    """A bouquet with its recipe and its stems."""
    found = cast.product(shop, price=price)
    cast.recipe(found, stems=STEMS)
    cast.batch(shop, qty=stems)
    return found


def draft(product: Product, pieces: int = 2, **more: Any) -> OrderDraft:
    """So many bouquets to be brought."""
    usual: dict[str, Any] = {
        "customer_phone": "+77015550101",
        "delivery_method": "delivery",
        "items": (LineWish(product.pk, pieces),),
        "address": "Abay 10, 5",
    }
    return OrderDraft(**{**usual, **more})


def taken(shop: Shop, product: Product | None = None, **more: Any) -> Order:
    """An order of the shop, taken by the system."""
    what = draft(product or Product.objects.filter(shop=shop).first() or roses(shop), **more)
    return orders.create(by=None, shop=shop, draft=what)


def standing_at(shop: Shop, status: str, **more: Any) -> Order:
    """A new order put to a status without its effects: for tables, not for stock."""
    if status == "self_pickup":
        more.setdefault("delivery_method", "self_pickup")
    order = taken(shop, **more)
    Order.objects.filter(pk=order.pk).update(status=status)
    order.refresh_from_db()
    return order


def fresh(order: Order) -> Order:
    """The order as it stands in the database."""
    return Order.objects.select_related("shop", "customer").get(pk=order.pk)


def stock_of(shop: Shop) -> tuple[int, int]:
    """Stems in the warehouse, and how many of them are reserved."""
    rows = list(Batch.objects.filter(shop=shop))
    for row in rows:
        assert row.qty == sum(Movement.objects.filter(warehouse_item=row).values_list("quantity", flat=True))
    return sum(row.qty for row in rows), sum(row.reserved_qty for row in rows)


def steps_of(order: Order) -> list[tuple[str, str]]:
    """From and to, oldest first."""
    return [(row.from_status, row.to_status) for row in states.history(order)]
