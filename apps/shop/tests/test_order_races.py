"""Real threads on PostgreSQL: nothing sold twice, nothing lost, nobody waits in a circle (contract shop 3.3, D13)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from apps.core.testing import outcomes, race
from apps.shop.actions import cart, catalogue, expiry, orders, placing
from apps.shop.actions.placing import Wish
from apps.shop.models import Cart, CartItem, Customer, Order, OrderItem, Slipper
from apps.shop.tests import cast
from apps.shop.tests.cast import Caller

pytestmark = pytest.mark.race

GONE = (Order.Status.CANCELLED, Order.Status.REFUNDED)


def buyers(count: int) -> list[Customer]:
    return [cast.customer(f"Buyer{number}") for number in range(count)]


def all_goods_are_somewhere(stock: dict[int, int]) -> None:
    """Pieces on the shelf and pieces in living orders are what there was."""
    held = dict(OrderItem.objects.exclude(order__status__in=GONE).values_list("slipper_id").annotate(Sum("quantity")))
    for slipper in Slipper.objects.filter(pk__in=stock):
        assert slipper.quantity + held.get(slipper.pk, 0) == stock[slipper.pk]
    for order in Order.objects.all():
        assert order.total_amount == order.items.aggregate(total=Sum("total_price"))["total"]


def test_sixty_buyers_race_for_fifty_pieces() -> None:
    soft, people = cast.slipper(quantity=50), buyers(60)
    results = race(60, lambda number: cast.order(people[number], (soft, 1)))
    assert outcomes(results) == {"ok": 50, "NotEnoughStock": 10}
    assert cast.left(soft) == [0]
    assert OrderItem.objects.aggregate(total=Sum("quantity"))["total"] == 50
    all_goods_are_somewhere({soft.pk: 50})


def test_crossing_orders_of_many_lines_do_not_deadlock() -> None:
    goods, people = [cast.slipper(f"S{number}", quantity=20) for number in range(5)], buyers(24)

    def buy(number: int) -> Order:
        turned = goods[number % 5 :] + goods[: number % 5]
        return cast.order(people[number], *[(slipper, 1) for slipper in (turned if number % 2 else turned[::-1])])

    assert outcomes(race(24, buy)) == {"ok": 20, "NotEnoughStock": 4}
    assert cast.left(*goods) == [0] * 5
    all_goods_are_somewhere({slipper.pk: 20 for slipper in goods})


def test_the_same_key_at_once_makes_one_order() -> None:
    soft, [bobur] = cast.slipper(quantity=100), buyers(1)
    results = race(12, lambda _number: cast.order(bobur, (soft, 2), key="k"))
    assert {order.pk for order in results} == {Order.objects.get().pk}
    assert cast.left(soft) == [98]


def test_the_same_key_for_the_last_piece_is_one_answer() -> None:
    soft, [bobur] = cast.slipper(quantity=1), buyers(1)
    results = race(8, lambda _number: cast.order(bobur, (soft, 1), key="k"))
    assert {order.pk for order in results} == {Order.objects.get().pk}
    assert cast.left(soft) == [0]


def test_the_same_key_over_http_answers_everybody_alike() -> None:
    soft, [bobur] = cast.slipper(quantity=100), buyers(1)
    body, call = {"items": [{"slipper_id": soft.pk, "quantity": 2}]}, Caller(bobur)

    def post(_number: int) -> tuple[int, Any]:
        answer = Caller(bobur, token=call.token).post("orders/", body, **{"X-Idempotency-Key": "k"})
        return answer.status_code, answer.json()["id"]

    assert set(race(8, post)) == {(200, Order.objects.get().pk)}


def test_a_cart_is_ordered_and_cleared_once() -> None:
    soft, [bobur] = cast.slipper(quantity=100), buyers(1)
    cart.add(by=bobur, slipper_id=soft.pk, quantity=3)
    results = race(8, lambda _number: placing.place_from_cart(by=bobur, clear_cart=True))
    assert outcomes(results) == {"ok": 1, "CartEmpty": 7}
    assert (cast.left(soft), CartItem.objects.count()) == ([97], 0)


def test_ten_first_looks_make_one_cart_and_ten_additions_add_up() -> None:
    soft, [bobur] = cast.slipper(quantity=100), buyers(1)
    results = race(10, lambda _number: cart.add(by=bobur, slipper_id=soft.pk, quantity=2))
    assert (outcomes(results), Cart.objects.count()) == ({"ok": 10}, 1)
    assert CartItem.objects.get().quantity == 20


def test_merges_at_once_all_count() -> None:
    goods, [bobur] = [cast.slipper(f"S{number}", quantity=100, price="10") for number in range(3)], buyers(1)
    order = cast.order(bobur, (goods[0], 1))
    results = race(
        9, lambda number: cast.order(bobur, (goods[number % 3], 1), (goods[(number + 1) % 3], 1), merge=True)
    )
    assert {merged.pk for merged in results} == {order.pk}
    order.refresh_from_db()
    assert (order.total_amount, cast.left(*goods)) == (190, [93, 94, 94])
    all_goods_are_somewhere({slipper.pk: 100 for slipper in goods})


def test_a_merge_and_a_payment_that_begins_agree_on_the_sum() -> None:
    soft, [bobur] = cast.slipper(quantity=100, price="10"), buyers(1)
    for _ in range(6):
        order = cast.order(bobur, (soft, 1))
        deeds: list[Any] = [
            lambda: cast.order(bobur, (soft, 1), merge=True),
            lambda order=order: orders.begin_payment(by=bobur, order_id=order.pk),
        ]
        merged, begun = race(2, lambda number, deeds=deeds: deeds[number]())
        order.refresh_from_db()
        assert begun.total_amount == order.total_amount == (20 if merged.pk == order.pk else 10)
        orders.confirm(order_id=order.pk)
        if merged.pk != order.pk:
            orders.cancel(by=bobur, order_id=merged.pk)
    all_goods_are_somewhere({soft.pk: 100})


def test_cancel_and_confirm_at_once_end_in_one_way() -> None:
    soft, [bobur] = cast.slipper(quantity=50), buyers(1)
    for _ in range(8):
        order = cast.order(bobur, (soft, 1))
        deeds: list[Any] = [
            lambda order=order: orders.cancel(by=bobur, order_id=order.pk),
            lambda order=order: orders.confirm(order_id=order.pk),
        ]
        cancelled, confirmed = race(2, lambda number, deeds=deeds: deeds[number]())
        order.refresh_from_db()
        ends = (order.status, type(cancelled).__name__, confirmed)
        assert ends in {("cancelled", "Order", False), ("confirmed", "IllegalOrderStep", True)}
    all_goods_are_somewhere({soft.pk: 50})


def test_cancelling_ten_times_at_once_returns_the_goods_once() -> None:
    soft, [bobur] = cast.slipper(quantity=10), buyers(1)
    order = cast.order(bobur, (soft, 4))
    deeds = [orders.cancel, orders.delete]
    race(10, lambda number: deeds[number % 2](by=bobur, order_id=order.pk))
    assert cast.left(soft) == [10]


def test_sweeps_payments_and_buyers_side_by_side_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Crossing lines, small batches, late money: everybody takes orders before goods, and goods by their ids."""
    monkeypatch.setattr(expiry, "BATCH", 5)
    goods, people = [cast.slipper(f"S{number}", quantity=100) for number in range(4)], buyers(20)
    long_ago = timezone.now() - timedelta(hours=1)
    placed = [
        cast.order(people[number], (goods[number % 4], 2), (goods[(number + 1) % 4], 1), now=long_ago)
        for number in range(16)
    ]
    boss = cast.customer("Boss", is_admin=True)

    def act(number: int) -> Any:
        if number < 4:
            return expiry.expire_unpaid()
        if number < 10:
            return orders.confirm(order_id=placed[number].pk)
        if number < 13:
            return orders.cancel(by=boss, order_id=placed[number].pk)
        if number < 16:
            return catalogue.restock(by=None, slipper_id=goods[number % 4].pk, delta=0)
        return cast.order(people[number], *[(slipper, 3) for slipper in goods])

    results = race(20, act)
    assert set(outcomes(results)) <= {"ok", "IllegalOrderStep"}
    assert all(done is True for done in results[4:10])
    expiry.expire_unpaid()
    ended = Counter(Order.objects.filter(pk__in=[order.pk for order in placed]).values_list("status", flat=True))
    assert ended == {"confirmed": 6, "cancelled": 10}
    all_goods_are_somewhere({slipper.pk: 100 for slipper in goods})


def test_a_full_refund_twice_at_once_restocks_once() -> None:
    soft, [bobur] = cast.slipper(quantity=10), buyers(1)
    order = cast.order(bobur, (soft, 4))
    orders.confirm(order_id=order.pk)
    race(6, lambda _number: orders.mark_refunded(order_id=order.pk))
    assert (cast.left(soft), Order.objects.get().status) == ([10], "refunded")


def test_buying_and_withdrawing_a_product_at_once() -> None:
    people, boss = buyers(6), cast.customer("Boss", is_admin=True)
    soft = cast.slipper(quantity=100)
    for person in people[:3]:
        cart.add(by=person, slipper_id=soft.pk)

    def act(number: int) -> Any:
        if number < 3:
            return placing.place_from_cart(by=people[number], clear_cart=True)
        if number < 6:
            return placing.place(by=people[number], wishes=[Wish(soft.pk, 1)])
        return catalogue.take_out(by=boss, slipper_id=soft.pk)

    results = race(7, act)
    assert set(outcomes(results)) <= {"ok", "SlipperNotFound", "CartEmpty"}
    assert CartItem.objects.count() == 0
    all_goods_are_somewhere({soft.pk: 100})
