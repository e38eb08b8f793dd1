"""Lines of orders: stems and sums follow (contract florist 1.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.core.testing import assert_refused
from apps.florist import errors
from apps.florist.actions import items
from apps.florist.actions.pricing import LineWish
from apps.florist.models import Batch, Employee, Order, OrderItem, Shop
from apps.florist.tests import cast, taking
from apps.florist.tests.cast import Caller


def test_a_line_is_added_changed_and_taken_out(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    peonies = cast.product(rosa, "Peonies", price=7_000)
    cast.recipe(peonies, "Sarah", stems=5, height_cm=None)
    cast.batch(rosa, "Sarah", qty=20)
    call, where = Caller(bek), f"/api/orders/{order.pk}/items"

    added = call("POST", where, {"product_id": peonies.pk, "quantity": 2, "price": 1})
    line = json.loads(added.content)
    assert (added.status_code, line["price"], line["total"]) == (201, 7_000, 14_000)
    assert (taking.fresh(order).flower_sum, taking.fresh(order).total) == (34_000, 34_000)
    assert taking.stock_of(rosa) == (120, 22 + 10)

    changed = call("PATCH", f"{where}/{line['id']}", {"quantity": 3})
    assert (changed.status_code, json.loads(changed.content)["total"]) == (200, 21_000)
    assert (taking.fresh(order).total, taking.stock_of(rosa)) == (41_000, (120, 22 + 15))

    gone = call("DELETE", f"{where}/{line['id']}")
    assert (gone.status_code, set(json.loads(gone.content))) == (200, {"detail"})
    assert (taking.fresh(order).total, taking.stock_of(rosa)) == (20_000, (120, 22))
    shown = json.loads(call("GET", where).content)
    assert [row["product_name"] for row in shown] == ["Red roses"]
    assert [row.event_type for row in order.history.all()] == ["created", "edited", "edited", "edited"]


def test_a_line_keeps_the_price_of_its_day(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    item = order.items.get()
    item.product.retail_price = 99_000
    item.product.save(update_fields=["retail_price"])
    items.change(by=bek, order_id=order.pk, item_id=item.pk, quantity=1)
    assert taking.fresh(order).total == 10_000


def test_more_than_the_stock_is_refused_and_changes_nothing(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    item = order.items.get()
    rows = [Order.objects.all(), OrderItem.objects.all(), Batch.objects.all(), order.history.all()]
    for deed in (
        lambda: items.change(by=bek, order_id=order.pk, item_id=item.pk, quantity=10),
        lambda: items.add(by=bek, order_id=order.pk, wish=LineWish(item.product_id, 8)),
    ):
        assert_refused(errors.StockShort, deed, unchanged=rows)
    items.change(by=bek, order_id=order.pk, item_id=item.pk, quantity=10, allow_short=True)
    assert (taking.fresh(order).is_backorder, taking.stock_of(rosa)) == (True, (100, 100))


def test_a_line_beyond_the_columns_is_422(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    huge = cast.product(rosa, "Gold roses", price=99_999_999)
    call, where = Caller(bek), f"/api/orders/{order.pk}/items"
    assert call("POST", where, {"product_id": huge.pk, "quantity": 1000}).status_code == 422
    line = json.loads(call("POST", where, {"product_id": huge.pk, "quantity": 1}).content)
    assert call("PATCH", f"{where}/{line['id']}", {"quantity": 1000}).status_code == 422
    assert (order.items.count(), taking.fresh(order).total) == (2, 20_000 + 99_999_999)


def test_the_last_line_stays(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    deed = lambda: items.remove(by=bek, order_id=order.pk, item_id=order.items.get().pk)  # noqa: E731
    assert_refused(errors.LastLine, deed, unchanged=[OrderItem.objects.all(), Batch.objects.all()])


@pytest.mark.parametrize("status", ["assembled", "delivery", "delivered", "completed", "cancelled", "issue"])
def test_lines_are_fixed_after_assembly(rosa: Shop, bek: Employee, status: str) -> None:
    order = taking.standing_at(rosa, status)
    item = order.items.get()
    rows: list[Any] = [OrderItem.objects.all(), Batch.objects.all()]
    for deed in (
        lambda: items.add(by=bek, order_id=order.pk, wish=LineWish(item.product_id, 1)),
        lambda: items.change(by=bek, order_id=order.pk, item_id=item.pk, quantity=3),
        lambda: items.remove(by=bek, order_id=order.pk, item_id=item.pk),
    ):
        assert_refused(errors.NotEditable, deed, unchanged=rows)


def test_a_line_of_another_order_is_not_there(rosa: Shop, tulip: Shop, bek: Employee) -> None:
    order, other = taking.taken(rosa), taking.taken(rosa, pieces=1)
    foreign = taking.taken(tulip).items.get()
    for item_id in (other.items.get().pk, foreign.pk, 999_999):
        for deed in (
            lambda item_id=item_id: items.change(by=bek, order_id=order.pk, item_id=item_id, quantity=1),
            lambda item_id=item_id: items.remove(by=bek, order_id=order.pk, item_id=item_id),
        ):
            assert_refused(errors.OrderItemNotFound, deed, unchanged=[OrderItem.objects.all()])
    wish = LineWish(foreign.product_id, 1)
    assert_refused(errors.ProductNotFound, lambda: items.add(by=bek, order_id=order.pk, wish=wish))


def test_a_smaller_order_owes_what_was_paid_too_much(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa, payment_method="kaspi")
    Order.objects.filter(pk=order.pk).update(paid_amount=20_000)
    items.change(by=bek, order_id=order.pk, item_id=order.items.get().pk, quantity=1)
    assert (taking.fresh(order).total, taking.fresh(order).refund_due) == (10_000, 10_000)
