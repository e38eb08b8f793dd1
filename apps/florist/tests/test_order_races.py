"""Many hands on the same orders and the same stems: nobody waits in a circle, every stem is somewhere (3.5, 3.11)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from apps.core.testing import outcomes, race
from apps.florist.actions import items, lifecycle, orders, payments
from apps.florist.actions.pricing import LineWish
from apps.florist.models import (
    Batch,
    DeliverySlot,
    DeliveryZone,
    Employee,
    Order,
    OrderPayment,
    Product,
    Shop,
    SpecialDay,
    StockReservation,
)
from apps.florist.tests import cast, taking

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

REFUSALS = {
    "ok",
    "IllegalTransition",
    "CannotCancel",
    "CannotRollBack",
    "NotEditable",
    "StockShort",
    "NothingToPay",
    "LastLine",
}
"""What may be said to somebody who comes too late."""


def crossing(shop: Shop) -> list[Product]:
    """Two bouquets of the same two flowers, named the other way round."""
    found = []
    for name, varieties in (("A", ("Red Naomi", "Avalanche")), ("B", ("Avalanche", "Red Naomi"))):
        product = cast.product(shop, name)
        for variety in varieties:
            cast.recipe(product, variety, stems=3)
        found.append(product)
    for variety in ("Red Naomi", "Avalanche"):
        for _ in range(2):
            cast.batch(shop, variety, qty=60)
    return found


def promised(shop: Shop) -> dict[str, Any]:
    """A place in a slot, a zone and a feast with limits: rows that each new order locks."""
    zone = DeliveryZone.objects.create(shop=shop, name="Centre", price=0, daily_capacity=1000)
    DeliverySlot.objects.create(shop=shop, starts_at=time(9), ends_at=time(21), capacity=1000)
    SpecialDay.objects.create(shop=shop, day=date(2026, 12, 1), kind="holiday", capacity=1000)
    starts = datetime(2026, 12, 1, 7, tzinfo=UTC)
    return {"zone_id": zone.pk, "window": (starts, starts + timedelta(hours=2))}


def every_stem_is_somewhere(shop: Shop) -> None:
    taking.stock_of(shop)  # each batch is the sum of its movements
    held = dict(
        StockReservation.objects.filter(state="held").values_list("batch_id").annotate(stems=Sum("qty")).order_by()
    )
    for batch in Batch.objects.filter(shop=shop):
        assert batch.reserved_qty == held.get(batch.pk, 0)
        assert 0 <= batch.reserved_qty <= batch.qty
    for order in Order.objects.filter(shop=shop).prefetch_related("items"):
        assert order.flower_sum == sum(item.total for item in order.items.all())
        assert order.paid_amount == (OrderPayment.objects.filter(order=order).aggregate(s=Sum("amount"))["s"] or 0)
        if order.status == "cancelled":
            assert not StockReservation.objects.filter(order_item__order=order, state="held").exists()


def deeds(
    shop: Shop, by: Employee, florist: Employee, goods: list[Product], made: list[Order], place: dict[str, Any]
) -> list[Callable[[], Any]]:
    """What six people may want at one moment, of each order."""
    found: list[Callable[[], Any]] = []
    for number, order in enumerate(made):
        pk, item = order.pk, order.items.order_by("id").first()
        assert item is not None
        wish, item_id = LineWish(goods[number % 2].pk, 1), item.pk
        found += [
            lambda pk=pk: lifecycle.move(by=by, order_id=pk, to="paid"),
            lambda pk=pk: lifecycle.cancel(by=by, order_id=pk, reason="changed his mind"),
            lambda pk=pk, item_id=item_id: items.change(by=by, order_id=pk, item_id=item_id, quantity=4),
            lambda pk=pk, wish=wish: items.add(by=by, order_id=pk, wish=wish),
            lambda pk=pk: lifecycle.report_issue(by=by, order_id=pk, issue_type="other", comment="?"),
            lambda pk=pk: payments.take_cash(by=by, order_id=pk, amount=Decimal(100), key="k"),
            lambda pk=pk: lifecycle.assign_florist(by=by, order_id=pk, florist_id=florist.pk),
            lambda number=number: orders.create(by=by, shop=shop, draft=taking.draft(goods[number % 2], 2, **place)),
        ]
    return found


def test_eight_deeds_on_each_of_three_orders_at_once() -> None:
    shop = cast.shop()
    bek, aida = cast.employee(shop, cast.Role.MANAGER, "Bek"), cast.employee(shop, cast.Role.FLORIST)
    goods, place = crossing(shop), promised(shop)
    for _round in range(3):
        made = [taking.taken(shop, goods[number % 2], **place) for number in range(3)]
        todo = deeds(shop, bek, aida, goods, made, place)
        found = outcomes(race(len(todo), lambda number, todo=todo: todo[number]()))  # type: ignore[misc]
        assert set(found) <= REFUSALS, found
        every_stem_is_somewhere(shop)
        for order in Order.objects.filter(shop=shop).exclude(status__in=("cancelled", "issue")):
            lifecycle.cancel(by=bek, order_id=order.pk, reason="the round is over")
        every_stem_is_somewhere(shop)


def test_assembling_and_cancelling_at_once() -> None:
    shop = cast.shop()
    bek = cast.employee(shop, cast.Role.MANAGER, "Bek")
    goods = crossing(shop)
    for _round in range(5):
        order = taking.taken(shop, goods[0])
        lifecycle.move(by=bek, order_id=order.pk, to="paid")

        def press(number: int, pk: int = order.pk) -> Order:
            if number:
                return lifecycle.cancel(by=bek, order_id=pk, reason="changed his mind")
            return lifecycle.move(by=bek, order_id=pk, to="assembled")

        found = outcomes(race(2, press))
        assert found in ({"ok": 2}, {"ok": 1, "IllegalTransition": 1}), found
        assert taking.fresh(order).status == "cancelled"
        every_stem_is_somewhere(shop)
        assert taking.stock_of(shop) == (240, 0)
