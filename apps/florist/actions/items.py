"""Lines of an order that is not made yet: added, changed, taken out, with their stems and the sums (contract 1.2)."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.core import events
from apps.core.access import ensure
from apps.florist import access, errors
from apps.florist.actions import orders, pricing, records, stock
from apps.florist.actions.pricing import LineWish
from apps.florist.events import OrderEdited
from apps.florist.models import Order, OrderHistory, OrderItem, Shop

EDITABLE = (Order.Status.NEW, Order.Status.PAID)


def add(*, by: Any, order_id: int, wish: LineWish, allow_short: bool = False) -> OrderItem:
    """One more line at the price of this moment. Raises `OrderNotFound`, `NotEnoughPermissions`, `NotEditable`,

    `ProductNotFound`, `VariantNotFound`, `ProductNotForSale`, `StockShort`, `Invalid`.
    """
    with transaction.atomic():
        order = _open(by, order_id)
        [line] = pricing.lines(shop=order.shop, wishes=[wish])
        pricing.ensure_room(order.items.count())
        item = line.as_item(order)
        pricing.ensure_sane(item.total)
        item.save(force_insert=True)
        _hold(order, item, by, allow_short)
        _changed(order, by, f"+ {item}")
    return item


def change(
    *, by: Any, order_id: int, item_id: int, quantity: int | None = None, allow_short: bool = False
) -> OrderItem:
    """Another number of pieces at the line's own price. Raises as `add` does, and `OrderItemNotFound`."""
    with transaction.atomic():
        order = _open(by, order_id)
        item = _line(order, item_id)
        if quantity is None or quantity == item.quantity:
            return item
        pricing.ensure_pieces(quantity)
        pricing.ensure_sane(item.price * quantity)
        stock.release_line(item, by=by)
        item.quantity, item.total = quantity, item.price * quantity
        item.save(update_fields=["quantity", "total"])
        _hold(order, item, by, allow_short)
        _changed(order, by, str(item))
    return item


def remove(*, by: Any, order_id: int, item_id: int) -> None:
    """Take a line out; its stems are free again. The last line stays: an order without goods is cancelled instead.

    Raises `OrderNotFound`, `OrderItemNotFound`, `NotEnoughPermissions`, `NotEditable`, `LastLine`.
    """
    with transaction.atomic():
        order = _open(by, order_id)
        item = _line(order, item_id)
        ensure(order.items.count() > 1, errors.LastLine)
        stock.release_line(item, by=by)
        words = f"− {item}"
        item.reservations.all().delete()
        item.delete()
        _changed(order, by, words)


def _open(by: Any, order_id: int) -> Order:
    access.ensure_may(by, "orders")
    order = records.lock(by, order_id)
    ensure(order.status in EDITABLE, errors.NotEditable, status=order.status)
    return order


def _line(order: Order, item_id: int) -> OrderItem:
    item = order.items.filter(pk=item_id).first()
    if item is None:
        raise errors.OrderItemNotFound()
    item.order = order
    return item


def _hold(order: Order, item: OrderItem, by: Any, allow_short: bool) -> None:
    """Where the order's stems are held already, the line's are too."""
    if order.status == Order.Status.NEW and order.shop.reserve_at == Shop.ReserveAt.PAID:
        return
    try:
        with transaction.atomic():
            stock.reserve_line(item, by=by)
    except errors.StockShort:
        if not allow_short:
            raise
        stock.reserve_line(item, by=by, allow_short=True)
        records.save(order, is_backorder=True)


def _changed(order: Order, by: Any, words: str) -> None:
    orders.resum(order)
    records.write(order, OrderHistory.Event.EDITED, by=by, comment=words)
    events.publish(OrderEdited(order_id=order.pk, shop_id=order.shop_id, what=("items",)))
