"""`placing`: ordering goods, from a list and from the cart (contract shop 1.6, 3.3, K7, D5, D6, D13, D14, D18, D19)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db.models import QuerySet

from apps.core.errors import Invalid
from apps.core.models import OutboxMessage
from apps.core.testing import assert_refused, query_budget
from apps.shop import conf, errors
from apps.shop.actions import cart, catalogue, placing
from apps.shop.actions.placing import Wish
from apps.shop.models import CartItem, Customer, Order, OrderItem, OrderRequest, Slipper
from apps.shop.tests import cast
from apps.shop.tests.cast import Caller

TASHKENT = ZoneInfo("Asia/Tashkent")


def world() -> list[QuerySet[Any]]:
    return [rows.objects.all() for rows in (Slipper, Order, OrderItem, OrderRequest, CartItem, OutboxMessage)]


@time_machine.travel(datetime(2026, 11, 21, 23, 59, tzinfo=TASHKENT), tick=False)
def test_an_order_takes_the_goods_and_keeps_the_words_of_that_day(bobur: Customer, anora: Customer) -> None:
    soft = cast.slipper("Soft", price="50000.50", quantity=10, image="/static/images/a.jpg")
    hard = cast.slipper("Hard", price="70000", quantity=1, size="38")
    body = {
        "items": [{"slipper_id": hard.pk, "quantity": 1, "notes": "gift"}, {"slipper_id": soft.pk, "quantity": 3}],
        "notes": "call first",
    }
    answer = Caller(bobur).post("orders/", body)
    order = Order.objects.get()
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "id": order.pk,
            "order_id": str(order.pk),
            "status": "pending",
            "total_amount": 220001.5,
            "notes": "call first",
            "created_at": "2026-11-21 23:59",
            "items": [
                {
                    "slipper_id": hard.pk,
                    "quantity": 1,
                    "unit_price": 70000,
                    "total_price": 70000,
                    "notes": "gift",
                    "name": "Hard",
                    "size": "38",
                    "image": "",
                },
                {
                    "slipper_id": soft.pk,
                    "quantity": 3,
                    "unit_price": 50000.5,
                    "total_price": 150001.5,
                    "notes": None,
                    "name": "Soft",
                    "size": "42",
                    "image": "/static/images/a.jpg",
                },
            ],
        },
    )
    assert cast.left(soft, hard) == [7, 0]
    assert (order.total_amount, order.currency, order.customer) == (Decimal("220001.50"), "UZS", bobur)
    assert order.stock_reserved_until - order.created_at == timedelta(minutes=30)
    catalogue.change(by=anora, slipper_id=soft.pk, changes={"name": "New", "price": Decimal(1), "image": "/x.jpg"})
    line = OrderItem.objects.get(slipper=soft)
    assert (line.name, line.unit_price, line.image) == ("Soft", Decimal("50000.50"), "/static/images/a.jpg")


def test_what_the_client_says_about_money_or_status_is_not_read(bobur: Customer) -> None:
    soft = cast.slipper(price="1000000")
    body = {
        "items": [{"slipper_id": soft.pk, "quantity": 1, "unit_price": 1, "price": 1}],
        "total_amount": 1,
        "amount": 1,
        "status": "confirmed",
    }
    answer = Caller(bobur).post("orders/", body).json()
    assert (answer["total_amount"], answer["status"]) == (1000000, "pending")


def test_a_full_cart_does_not_change_the_total_of_an_order(bobur: Customer) -> None:
    """D6: the original replaced the total of an order by the cart's."""
    soft, cheap = cast.slipper(price="1000000"), cast.slipper(price="1000")
    cart.add(by=bobur, slipper_id=cheap.pk)
    assert cast.order(bobur, (soft, 1)).total_amount == 1_000_000
    assert CartItem.objects.count() == 1


def test_lines_of_one_product_become_one_with_the_first_note(bobur: Customer) -> None:
    soft = cast.slipper(quantity=10, price="100")
    wishes = [Wish(soft.pk, 2), Wish(soft.pk, 3, ""), Wish(soft.pk, 1, "red"), Wish(soft.pk, 1, "blue")]
    order = placing.place(by=bobur, wishes=wishes)
    line = OrderItem.objects.get()
    assert (line.quantity, line.notes, line.total_price, order.total_amount) == (7, "red", 700, 700)
    assert cast.left(soft) == [3]


def test_short_products_are_all_listed_and_nothing_is_taken(bobur: Customer) -> None:
    enough, few, none = cast.slipper("A", quantity=9), cast.slipper("B", quantity=1), cast.slipper("C", quantity=0)
    wishes = [Wish(none.pk, 1), Wish(few.pk, 2), Wish(enough.pk, 9)]
    refused = assert_refused(errors.NotEnoughStock, lambda: placing.place(by=bobur, wishes=wishes), unchanged=world())
    assert [(row.name, row.requested, row.available) for row in refused.short] == [("B", 2, 1), ("C", 1, 0)]
    body = {"items": [{"slipper_id": few.pk, "quantity": 2}]}
    answer = Caller(bobur).post("orders/", body)
    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["detail"]) == ("not_enough_stock", "Not enough stock: B, 42 (1/2)")
    assert answer.json()["short"] == [{"slipper_id": few.pk, "name": "B", "size": "42", "requested": 2, "available": 1}]


def test_an_unknown_or_withdrawn_product_is_404_and_takes_nothing(bobur: Customer, anora: Customer) -> None:
    soft, gone = cast.slipper(), cast.slipper()
    catalogue.take_out(by=anora, slipper_id=gone.pk)
    for other in (gone.pk, 999_999):
        wishes = [Wish(soft.pk, 1), Wish(other, 1)]
        assert_refused(
            errors.SlipperNotFound, lambda wishes=wishes: placing.place(by=bobur, wishes=wishes), unchanged=world()
        )
    body = {"items": [{"slipper_id": 999_999, "quantity": 1}]}
    assert Caller(bobur).post("orders/", body).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"items": []},
        {"items": None},
        {"items": [{"slipper_id": 0, "quantity": 1}]},
        {"items": [{"slipper_id": 1, "quantity": 0}]},
        {"items": [{"slipper_id": 1, "quantity": 501}]},
        {"items": [{"slipper_id": 1, "quantity": 300}, {"slipper_id": 1, "quantity": 201}]},
        {"items": [{"slipper_id": 1, "quantity": 10**30}]},
        {"items": [{"slipper_id": 2**63, "quantity": 1}]},
        {"items": [{"slipper_id": number + 1, "quantity": 1} for number in range(201)]},
        {"items": [{"slipper_id": 1, "quantity": 1, "notes": "x" * 256}]},
        {"items": [{"slipper_id": 1, "quantity": 1}], "notes": "x" * 501},
        {"items": [{"slipper_id": 1, "quantity": 1}], "notes": "a\x00b"},
        {"items": {"slipper_id": 1}},
    ],
)
def test_malformed_orders_are_422(bobur: Customer, change: dict[str, Any]) -> None:
    assert Caller(bobur).post("orders/", change).status_code == 422
    assert Order.objects.count() == 0


def test_the_most_pieces_of_a_product_are_the_operator_s_figure(bobur: Customer, settings: Any) -> None:
    settings.SHOP = replace(settings.SHOP, order_max_qty_per_item=2)
    soft = cast.slipper(quantity=10)
    assert_refused(Invalid, lambda: cast.order(bobur, (soft, 3)), unchanged=world())
    assert cast.order(bobur, (soft, 2)).total_amount == 100_000


@pytest.mark.parametrize("figure", ["0", "32768"])
def test_a_figure_that_no_line_has_room_for_stops_the_start(monkeypatch: pytest.MonkeyPatch, figure: str) -> None:
    monkeypatch.setenv("ORDER_MAX_QTY_PER_ITEM", figure)
    with pytest.raises(ValueError, match="ORDER_MAX_QTY_PER_ITEM must be 1 to 32767"):
        conf.load(embedded=True)


def test_a_sum_that_no_column_holds_is_refused(bobur: Customer) -> None:
    dear = [cast.slipper(price="9999999999.99", quantity=500) for _ in range(1)]
    assert_refused(Invalid, lambda: cast.order(bobur, (dear[0], 101)), unchanged=world())
    assert cast.order(bobur, (dear[0], 100)).total_amount == Decimal("999999999999.00")


def test_user_id_counts_for_administrators_only(bobur: Customer, dilya: Customer, anora: Customer) -> None:
    soft = cast.slipper()
    body = {"user_id": dilya.pk, "items": [{"slipper_id": soft.pk, "quantity": 1}]}
    Caller(bobur).post("orders/", body)
    Caller(anora).post("orders/", body)
    assert list(Order.objects.order_by("id").values_list("customer_id", flat=True)) == [bobur.pk, dilya.pk]
    answer = Caller(anora).post("orders/", {**body, "user_id": 999_999})
    assert (answer.status_code, answer.json()["code"], Order.objects.count()) == (404, "user_not_found", 2)


@pytest.mark.django_db
def test_nobody_orders_without_a_sign_in() -> None:
    for path in ("orders/", "orders/from-cart"):
        assert Caller().post(path, {"items": [{"slipper_id": 1, "quantity": 1}]}).status_code == 401
    assert Order.objects.count() == 0


def test_ordering_three_products_is_a_handful_of_statements(bobur: Customer) -> None:
    three = [(cast.slipper(f"S{number}"), 1) for number in range(3)]
    with query_budget(5):
        cast.order(bobur, *three)


def test_the_catalogue_shows_what_is_left(bobur: Customer, django_capture_on_commit_callbacks: Any) -> None:
    soft, call = cast.slipper(quantity=2), Caller(bobur)
    assert call.get(f"slippers/{soft.pk}").json()["quantity"] == 2
    with django_capture_on_commit_callbacks(execute=True):
        cast.order(bobur, (soft, 2))
    shown = call.get(f"slippers/{soft.pk}").json()
    assert (shown["quantity"], shown["is_available"]) == (0, False)


# ── From the cart ───────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_cart_becomes_an_order_and_stays(bobur: Customer) -> None:
    soft, hard = cast.slipper(price="100"), cast.slipper(price="10")
    cart.add(by=bobur, slipper_id=soft.pk, quantity=2)
    cart.add(by=bobur, slipper_id=hard.pk, quantity=1)
    answer = Caller(bobur).post("orders/from-cart")
    assert (answer.status_code, answer.json()["total_amount"]) == (200, 210)
    assert [(row["slipper_id"], row["quantity"]) for row in answer.json()["items"]] == [(soft.pk, 2), (hard.pk, 1)]
    assert CartItem.objects.count() == 2
    assert cast.left(soft, hard) == [8, 9]


def test_clear_cart_empties_it_at_once(bobur: Customer, dilya: Customer) -> None:
    soft = cast.slipper()
    for who in (bobur, dilya):
        cart.add(by=who, slipper_id=soft.pk)
    assert Caller(bobur).post("orders/from-cart?clear_cart=true").status_code == 200
    assert list(CartItem.objects.values_list("cart__customer_id", flat=True)) == [dilya.pk]


def test_an_empty_cart_is_400(bobur: Customer) -> None:
    call = Caller(bobur)
    assert call.post("orders/from-cart").json()["code"] == "cart_empty"
    call.get("cart")
    answer = call.post("orders/from-cart")
    assert (answer.status_code, answer.json()["detail"], Order.objects.count()) == (400, "Cart is empty", 0)


def test_a_cart_line_above_the_order_s_limit_is_422(bobur: Customer) -> None:
    """D14: the original answered 500."""
    soft = cast.slipper(quantity=900)
    cart.add(by=bobur, slipper_id=soft.pk, quantity=501)
    assert_refused(Invalid, lambda: placing.place_from_cart(by=bobur), unchanged=world())
    assert Caller(bobur).post("orders/from-cart").status_code == 422


def test_a_cart_that_cannot_be_had_any_more_is_409_and_stays(bobur: Customer, dilya: Customer) -> None:
    soft = cast.slipper(quantity=5)
    cart.add(by=bobur, slipper_id=soft.pk, quantity=5)
    cast.order(dilya, (soft, 1))
    assert_refused(errors.NotEnoughStock, lambda: placing.place_from_cart(by=bobur, clear_cart=True), unchanged=world())
