"""Goods come back exactly once, whatever happens to an order (contract shop 3.3, 4.4, D13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from apps.core import states
from apps.core.models import OutboxMessage, StepLog
from apps.core.money import Money
from apps.core.testing import assert_refused, query_budget
from apps.payments import actions as payments
from apps.payments.models import Payment
from apps.shop import errors
from apps.shop.actions import cart, catalogue, expiry, orders, placing
from apps.shop.conf import PAYMENT_PURPOSE
from apps.shop.models import CartItem, Customer, Order, OrderItem, Slipper
from apps.shop.tasks.orders import expire_unpaid_orders
from apps.shop.tests import cast
from apps.shop.tests.cast import Caller

S = Order.Status


def world() -> list[QuerySet[Any]]:
    return [rows.objects.all() for rows in (Order, OrderItem, Slipper, StepLog, CartItem, OutboxMessage)]


def payment_of(order: Order, *, method: str = "cash", key: str = "k") -> Payment:
    """An open payment of the order."""
    return payments.start(
        by=None,
        payer=order.customer.user,
        purpose=PAYMENT_PURPOSE,
        reference=str(order.pk),
        amount=Money(order.total_amount, "UZS"),
        method=method,
        description="test",
        key=key,
        return_url="",
    )


def status_of(order: Order) -> str:
    return str(Order.objects.values_list("status", flat=True).get(pk=order.pk))


# ── Cancelled and deleted ───────────────────────────────────────────────────────────────────────────────────────────
def test_cancelling_returns_the_goods_once(bobur: Customer) -> None:
    soft, hard = cast.slipper(quantity=10), cast.slipper(quantity=5)
    order = cast.order(bobur, (soft, 3), (hard, 5))
    assert cast.left(soft, hard) == [7, 0]
    for _ in range(2):
        orders.cancel(by=bobur, order_id=order.pk)
        assert cast.left(soft, hard) == [10, 5]


def test_deleting_returns_the_goods_once_and_the_order_is_gone(bobur: Customer, anora: Customer) -> None:
    soft, call = cast.slipper(quantity=10), Caller(bobur)
    pending, cancelled = cast.order(bobur, (soft, 3)), cast.order(bobur, (soft, 2))
    orders.cancel(by=bobur, order_id=cancelled.pk)
    for order in (pending, cancelled):
        answer = call.delete(f"orders/{order.pk}/")
        assert (answer.status_code, answer.json()) == (200, {"msg": "Order deleted successfully"})
        assert call.get(f"orders/{order.pk}").status_code == 404
        assert call.delete(f"orders/{order.pk}").status_code == 404
    assert cast.left(soft) == [10]
    assert call.get("orders/").json() == Caller(anora).get("orders/").json() == []
    assert OrderItem.objects.count() == 2


@pytest.mark.parametrize("status", [S.CONFIRMED, S.PREPARING, S.READY, S.DELIVERED, S.REFUNDED])
def test_an_order_with_history_is_not_deleted(bobur: Customer, anora: Customer, status: str) -> None:
    order = cast.order(bobur, (cast.slipper(), 1))
    Order.objects.filter(pk=order.pk).update(status=status)
    for who in (bobur, anora):
        assert_refused(
            errors.OrderNotPending, lambda who=who: orders.delete(by=who, order_id=order.pk), unchanged=world()
        )
    assert Caller(bobur).delete(f"orders/{order.pk}").status_code == 409


def test_an_order_that_somebody_is_paying_is_not_deleted(bobur: Customer, anora: Customer) -> None:
    order = cast.order(bobur, (cast.slipper(), 1))
    payment = payment_of(order)
    for who in (bobur, anora):
        assert_refused(
            errors.OrderHasPayment, lambda who=who: orders.delete(by=who, order_id=order.pk), unchanged=world()
        )
    Payment.objects.filter(pk=payment.pk).update(status="cancelled")
    orders.delete(by=bobur, order_id=order.pk)
    assert Caller(bobur).get("orders/").json() == []


def test_the_goods_of_a_withdrawn_product_come_back_too(bobur: Customer, anora: Customer) -> None:
    soft = cast.slipper(quantity=10)
    order = cast.order(bobur, (soft, 3))
    catalogue.take_out(by=anora, slipper_id=soft.pk)
    orders.cancel(by=bobur, order_id=order.pk)
    assert cast.left(soft) == [10]


def test_a_shelf_that_is_full_to_the_brim_does_not_keep_an_order_from_ending(bobur: Customer, anora: Customer) -> None:
    brim = 2_147_483_647
    soft, hard = cast.slipper(quantity=10), cast.slipper(quantity=10)
    order = cast.order(bobur, (soft, 3), (hard, 3))
    catalogue.change(by=anora, slipper_id=soft.pk, changes={"quantity": brim})
    catalogue.change(by=anora, slipper_id=hard.pk, changes={"quantity": brim - 3})
    orders.cancel(by=bobur, order_id=order.pk)
    assert cast.left(soft, hard) == [brim, brim]


# ── Money came and went ─────────────────────────────────────────────────────────────────────────────────────────────
def test_payment_does_not_reduce_a_second_time(bobur: Customer) -> None:
    soft = cast.slipper(quantity=10)
    order = cast.order(bobur, (soft, 3))
    for _ in range(3):
        assert orders.confirm(order_id=order.pk)
    assert (cast.left(soft), status_of(order)) == ([7], "confirmed")
    assert states.history(order).count() == 1


@pytest.mark.parametrize(
    ("status", "restocks", "back"),
    [
        (S.CONFIRMED, True, 10),
        (S.PREPARING, True, 10),
        (S.READY, True, 10),
        (S.DELIVERED, True, 7),
        (S.CONFIRMED, False, 7),
    ],
)
def test_a_full_refund_restocks_unless_delivered(
    bobur: Customer, settings: Any, status: str, restocks: bool, back: int
) -> None:
    settings.SHOP = replace(settings.SHOP, refund_restocks=restocks)
    soft = cast.slipper(quantity=10)
    order = cast.order(bobur, (soft, 3))
    orders.confirm(order_id=order.pk)
    for step in (S.PREPARING, S.READY, S.DELIVERED)[
        : [S.CONFIRMED, S.PREPARING, S.READY, S.DELIVERED].index(S(status))
    ]:
        orders.set_status(by=None, order_id=order.pk, status=step)
    for _ in range(2):
        assert orders.mark_refunded(order_id=order.pk).status == "refunded"
        assert cast.left(soft) == [back]


def test_an_order_that_never_took_the_money_is_not_refunded(bobur: Customer) -> None:
    soft = cast.slipper(quantity=10)
    pending, cancelled = cast.order(bobur, (soft, 3)), cast.order(bobur, (soft, 3))
    orders.cancel(by=bobur, order_id=cancelled.pk)
    for order in (pending, cancelled):
        orders.mark_refunded(order_id=order.pk)
    assert (status_of(pending), status_of(cancelled), cast.left(soft)) == ("pending", "cancelled", [7])
    assert_refused(errors.OrderNotFound, lambda: orders.mark_refunded(order_id=999_999))


def test_money_for_a_refunded_order_goes_back(bobur: Customer) -> None:
    order = cast.order(bobur, (cast.slipper(), 1))
    orders.confirm(order_id=order.pk)
    orders.mark_refunded(order_id=order.pk)
    assert orders.confirm(order_id=order.pk) is False
    assert status_of(order) == "refunded"


# ── Late money ──────────────────────────────────────────────────────────────────────────────────────────────────────
def ended_by_the_clock(order: Order) -> None:
    assert expiry.expire_unpaid(now=order.stock_reserved_until) == 1


def test_late_money_takes_the_goods_again(bobur: Customer) -> None:
    soft = cast.slipper(quantity=3)
    order = cast.order(bobur, (soft, 3))
    ended_by_the_clock(order)
    assert cast.left(soft) == [3]
    assert orders.confirm(order_id=order.pk, reason="payment #1") is True
    assert (status_of(order), cast.left(soft)) == ("confirmed", [0])
    order.refresh_from_db()
    assert (order.cancelled_at, order.cancelled_by) == (None, "")
    assert orders.confirm(order_id=order.pk) is True
    assert cast.left(soft) == [0]


def test_late_money_without_goods_goes_back(bobur: Customer, dilya: Customer) -> None:
    soft, hard = cast.slipper(quantity=3), cast.slipper(quantity=3)
    order = cast.order(bobur, (soft, 3), (hard, 1))
    ended_by_the_clock(order)
    cast.order(dilya, (hard, 3))
    cart.add(by=bobur, slipper_id=soft.pk)
    before = [list(rows.order_by("pk").values()) for rows in world()]
    assert orders.confirm(order_id=order.pk) is False
    assert [list(rows.order_by("pk").values()) for rows in world()] == before
    assert (status_of(order), cast.left(soft, hard)) == ("cancelled", [3, 0])


def test_late_money_for_a_withdrawn_product_goes_back(bobur: Customer, anora: Customer) -> None:
    soft = cast.slipper(quantity=3)
    order = cast.order(bobur, (soft, 1))
    ended_by_the_clock(order)
    catalogue.take_out(by=anora, slipper_id=soft.pk)
    assert orders.confirm(order_id=order.pk) is False
    assert (status_of(order), cast.left(soft)) == ("cancelled", [3])


@pytest.mark.parametrize("who", ["bobur", "anora"])
def test_what_a_person_cancelled_or_deleted_stays_so(request: Any, bobur: Customer, who: str) -> None:
    soft = cast.slipper(quantity=5)
    cancelled, deleted = cast.order(bobur, (soft, 1)), cast.order(bobur, (soft, 1))
    by = request.getfixturevalue(who)
    orders.cancel(by=by, order_id=cancelled.pk)
    orders.delete(by=by, order_id=deleted.pk)
    for order in (cancelled, deleted):
        assert orders.confirm(order_id=order.pk) is False
        assert status_of(order) == "cancelled"
    assert orders.confirm(order_id=999_999) is False
    assert cast.left(soft) == [5]


# ── The clock ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_an_unpaid_order_ends_after_its_minutes(bobur: Customer, settings: Any) -> None:
    settings.SHOP = replace(settings.SHOP, order_reserve_minutes=45)
    soft, now = cast.slipper(quantity=10), timezone.now()
    order = cast.order(bobur, (soft, 3), now=now)
    assert expiry.expire_unpaid(now=now + timedelta(minutes=45, microseconds=-1)) == 0
    assert (status_of(order), cast.left(soft)) == ("pending", [7])
    assert expiry.expire_unpaid(now=now + timedelta(minutes=45)) == 1
    assert expiry.expire_unpaid(now=now + timedelta(minutes=45)) == 0
    order.refresh_from_db()
    assert (order.status, order.cancelled_by, cast.left(soft)) == ("cancelled", "timer", [10])
    row = states.history(order).get()
    assert (row.by, row.reason) == ("system", "not paid in time")


def test_only_unpaid_orders_end(bobur: Customer) -> None:
    long_ago = timezone.now() - timedelta(days=1)
    placed = [cast.order(bobur, (cast.slipper(), 1), now=long_ago) for _ in range(4)]
    orders.confirm(order_id=placed[0].pk)
    orders.cancel(by=bobur, order_id=placed[1].pk)
    assert expire_unpaid_orders() == 2
    assert [status_of(order) for order in placed] == ["confirmed", "cancelled", "cancelled", "cancelled"]


def test_an_order_that_somebody_is_paying_waits_for_the_payment(bobur: Customer) -> None:
    """Cash on delivery too: its goods are kept while it is open."""
    soft, now = cast.slipper(quantity=10), timezone.now()
    order = cast.order(bobur, (soft, 3), now=now - timedelta(hours=1))
    payment = payment_of(order)
    assert expiry.expire_unpaid(now=now) == 0
    order.refresh_from_db()
    assert (order.status, order.stock_reserved_until) == ("pending", now + timedelta(minutes=1))
    Payment.objects.filter(pk=payment.pk).update(status="cancelled")
    assert expiry.expire_unpaid(now=now + timedelta(seconds=59)) == 0
    assert expiry.expire_unpaid(now=now + timedelta(seconds=60)) == 1
    assert cast.left(soft) == [10]


def test_a_payment_that_has_just_begun_is_not_overtaken_by_the_clock(bobur: Customer) -> None:
    now = timezone.now()
    order = cast.order(bobur, (cast.slipper(), 1), now=now - timedelta(minutes=30))
    orders.begin_payment(by=bobur, order_id=order.pk, now=now)
    assert expiry.expire_unpaid(now=now + timedelta(minutes=1)) == 0
    assert expiry.expire_unpaid(now=now + timedelta(minutes=2)) == 1


def test_beginning_a_payment_is_the_buyer_s_own_and_only_while_pending(bobur: Customer, anora: Customer) -> None:
    order = cast.order(bobur, (cast.slipper(), 1))
    assert_refused(errors.OrderOfAnother, lambda: orders.begin_payment(by=anora, order_id=order.pk), unchanged=world())
    first = orders.begin_payment(by=bobur, order_id=order.pk)
    again = orders.begin_payment(by=bobur, order_id=order.pk)
    assert first.payment_begun_at == again.payment_begun_at
    orders.confirm(order_id=order.pk)
    assert_refused(errors.OrderNotPending, lambda: orders.begin_payment(by=bobur, order_id=order.pk), unchanged=world())


def test_a_batch_ends_in_a_constant_number_of_statements(bobur: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    soft, hard = cast.slipper(quantity=100), cast.slipper(quantity=100)
    long_ago = timezone.now() - timedelta(days=1)
    for _ in range(10):
        cast.order(bobur, (hard, 2), (soft, 1), now=long_ago)
    monkeypatch.setattr(expiry, "BATCH", 4)
    with query_budget(9):
        assert expiry.expire_unpaid(limit=3) == 3
    assert expiry.expire_unpaid(limit=5) == 5
    assert expiry.expire_unpaid() == 2
    assert cast.left(soft, hard) == [100, 100]


# ── The cart after payment ──────────────────────────────────────────────────────────────────────────────────────────
def in_cart(customer: Customer) -> dict[int, int]:
    return dict(CartItem.objects.filter(cart__customer=customer).values_list("slipper_id", "quantity"))


def test_paid_pieces_leave_the_cart_once_and_the_rest_stays(bobur: Customer, dilya: Customer) -> None:
    soft, hard, other = (cast.slipper(quantity=100) for _ in range(3))
    for who in (bobur, dilya):
        cart.add(by=who, slipper_id=soft.pk, quantity=5)
    cart.add(by=bobur, slipper_id=hard.pk, quantity=2)
    order = placing.place_from_cart(by=bobur)
    cart.add(by=bobur, slipper_id=soft.pk, quantity=1)
    cart.add(by=bobur, slipper_id=other.pk, quantity=4)
    orders.confirm(order_id=order.pk)
    assert in_cart(bobur) == {soft.pk: 1, other.pk: 4}
    cart.add(by=bobur, slipper_id=hard.pk, quantity=2)
    for _ in range(3):
        orders.confirm(order_id=order.pk)
    assert in_cart(bobur) == {soft.pk: 1, other.pk: 4, hard.pk: 2}
    assert in_cart(dilya) == {soft.pk: 5}


def test_what_was_cleared_when_ordering_does_not_leave_a_second_time(bobur: Customer) -> None:
    soft = cast.slipper(quantity=100)
    cart.add(by=bobur, slipper_id=soft.pk, quantity=5)
    order = placing.place_from_cart(by=bobur, clear_cart=True)
    cart.add(by=bobur, slipper_id=soft.pk, quantity=2)
    orders.confirm(order_id=order.pk)
    assert in_cart(bobur) == {soft.pk: 2}


def test_without_a_cart_payment_is_fine(bobur: Customer) -> None:
    order = cast.order(bobur, (cast.slipper(), 1))
    assert orders.confirm(order_id=order.pk)
    order.refresh_from_db()
    assert order.cart_cleared_at is not None
