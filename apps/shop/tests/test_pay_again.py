"""Keys, second clicks, and a bank that refuses, is silent or is not there (contract shop 1.7, 4.4.1; D12, D23)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apps.core.testing import outcomes, race
from apps.integrations.ports import port
from apps.integrations.sandbox import vendors
from apps.payments.models import Payment
from apps.shop.actions import payments
from apps.shop.actions.payments import ToPay
from apps.shop.actions.placing import Wish
from apps.shop.models import Customer, Order
from apps.shop.tests import cast, paying
from apps.shop.tests.cast import Caller
from apps.shop.tests.paying import CREATE

KEY = "Idempotency-Key"


@pytest.fixture
def order(bobur: Customer) -> Order:
    """150 000 soum, unpaid."""
    return paying.ordered(bobur)


@pytest.mark.parametrize("name", [KEY, "X-Idempotency-Key"])
def test_the_same_key_is_the_same_payment_even_when_it_is_paid(bobur: Customer, order: Order, name: str) -> None:
    first = Caller(bobur).post(CREATE, {"order_id": order.pk}, **{name: "one"})
    paying.tell(vendors.octo.pay(paying.payment_of(order).shop_transaction_id))
    again = Caller(bobur).post(CREATE, {"order_id": order.pk}, **{name: "one"})
    assert (again.status_code, again.json()) == (200, first.json() | {"status": "paid"})
    assert Payment.objects.count() == 1


def test_the_same_key_orders_goods_once(bobur: Customer) -> None:
    product = cast.slipper(quantity=5)
    body = {"items": [{"slipper_id": product.pk, "quantity": 2}]}
    first = Caller(bobur).post(CREATE, body, **{KEY: "one"})
    again = Caller(bobur).post(CREATE, body, **{KEY: "one"})
    assert (first.status_code, again.json(), Order.objects.count()) == (200, first.json(), 1)
    assert paying.fresh(product).quantity == 3


def test_the_same_key_finds_the_order_of_a_cart_that_is_empty_by_now(bobur: Customer) -> None:
    paying.fill_cart(bobur, (cast.slipper(), 2))
    first = Caller(bobur).post(CREATE, **{KEY: "one"})
    paying.tell(vendors.octo.pay(first.json()["payment_uuid"]))
    assert paying.cart_of(bobur) == {}
    again = Caller(bobur).post(CREATE, **{KEY: "one"})
    assert (again.status_code, again.json()) == (200, first.json() | {"status": "paid"})


def test_the_same_key_for_other_goods_is_409(bobur: Customer) -> None:
    product = cast.slipper(quantity=5)
    Caller(bobur).post(CREATE, {"items": [{"slipper_id": product.pk}]}, **{KEY: "one"})
    before = paying.books()
    answer = Caller(bobur).post(CREATE, {"items": [{"slipper_id": product.pk, "quantity": 2}]}, **{KEY: "one"})
    assert paying.detail(answer) == (409, "Idempotency key was already used with different content")
    assert paying.books() == before


def test_keys_belong_to_their_buyers_and_to_paying(bobur: Customer, dilya: Customer) -> None:
    product = cast.slipper(quantity=9)
    body = {"items": [{"slipper_id": product.pk}]}
    placed = Caller(bobur).post("orders/", body | {"items": [{"slipper_id": product.pk, "quantity": 4}]}, **{
        "X-Idempotency-Key": "one"
    })  # fmt: skip
    numbers = {placed.json()["id"]} | {
        Caller(buyer).post(CREATE, body, **{KEY: "one"}).json()["order_id"] for buyer in (bobur, dilya)
    }
    assert (len(numbers), paying.fresh(product).quantity) == (3, 3)


@pytest.mark.parametrize("key", ["k" * 65, "a\x7fb"])
def test_keys_that_cannot_be_kept_are_422(bobur: Customer, order: Order, key: str) -> None:
    before = paying.books()
    status, told = paying.detail(Caller(bobur).post(CREATE, {"order_id": order.pk}, **{KEY: key}))
    assert (status, told[0]["loc"]) == (422, ["header", KEY])
    assert paying.books() == before


def test_a_key_of_64_letters_is_kept_whole(bobur: Customer, order: Order) -> None:
    assert Caller(bobur).post(CREATE, {"order_id": order.pk}, **{KEY: "k" * 64}).status_code == 200
    assert paying.payment_of(order).key == "k" * 64


@pytest.mark.parametrize("way", ["items", "cart"])
def test_two_clicks_pay_one_order(bobur: Customer, way: str) -> None:
    product = cast.slipper(quantity=9)
    paying.fill_cart(bobur, (product, 2))
    body = {"items": [{"slipper_id": product.pk, "quantity": 2}]} if way == "items" else None
    first, second = (Caller(bobur).post(CREATE, body) for _ in range(2))
    assert second.json() == first.json()
    assert (Order.objects.count(), Payment.objects.count(), paying.fresh(product).quantity) == (1, 1, 7)


def test_other_goods_are_another_order(bobur: Customer) -> None:
    product = cast.slipper(quantity=9)
    numbers = {
        Caller(bobur).post(CREATE, {"items": [{"slipper_id": product.pk, "quantity": pieces}]}).json()["order_id"]
        for pieces in (1, 2, 1)
    }
    assert (len(numbers), paying.fresh(product).quantity) == (2, 6)


def test_the_same_goods_again_after_payment_are_another_order(bobur: Customer) -> None:
    body = {"items": [{"slipper_id": cast.slipper(quantity=9).pk}]}
    first = Caller(bobur).post(CREATE, body)
    paying.tell(vendors.octo.pay(first.json()["payment_uuid"]))
    assert Caller(bobur).post(CREATE, body).json()["order_id"] != first.json()["order_id"]


def test_an_order_that_nobody_began_to_pay_is_not_taken_for_a_second_click(bobur: Customer) -> None:
    product = cast.slipper(quantity=9)
    plain = Caller(bobur).post("orders/", {"items": [{"slipper_id": product.pk, "quantity": 1}]}).json()["id"]
    answer = Caller(bobur).post(CREATE, {"items": [{"slipper_id": product.pk}]})
    assert answer.json()["order_id"] != plain


def test_the_bank_s_words_reach_the_buyer_and_the_order_waits(bobur: Customer, order: Order) -> None:
    vendors.octo.is_locked_out = True
    told = paying.detail(Caller(bobur).post(CREATE, {"order_id": order.pk}))
    assert told == (400, "Wrong secret")
    assert (paying.payment_of(order).status, paying.fresh(order).status) == ("failed", "pending")
    vendors.octo.is_locked_out = False
    assert Caller(bobur).post(CREATE, {"order_id": order.pk}).json()["status"] == "pending"
    assert paying.left(order) == 7


def test_a_refused_cart_is_not_ordered_twice(bobur: Customer) -> None:
    paying.fill_cart(bobur, (cast.slipper(quantity=9), 2))
    vendors.octo.is_locked_out = True
    assert Caller(bobur).post(CREATE).status_code == 400
    vendors.octo.is_locked_out = False
    assert Caller(bobur).post(CREATE).status_code == 200
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ("fail_next", (502, "Payment gateway is unavailable")),
        ("lose_next", (504, "Payment gateway did not answer in time")),
    ],
)
def test_a_bank_that_does_not_answer_is_asked_again_about_the_same_payment(
    bobur: Customer, order: Order, trouble: str, told: tuple[int, str]
) -> None:
    getattr(vendors.octo, trouble)()
    assert paying.detail(Caller(bobur).post(CREATE, {"order_id": order.pk})) == told
    waiting = paying.payment_of(order)
    assert (waiting.status, waiting.pay_url, paying.fresh(order).status) == ("created", "", "pending")
    again = Caller(bobur).post(CREATE, {"order_id": order.pk})
    assert (again.status_code, again.json()["shop_transaction_id"]) == (200, waiting.shop_transaction_id)
    assert (Payment.objects.count(), len(vendors.octo.charges)) == (1, 1)


def test_d23_the_payment_is_on_paper_before_the_bank_hears_of_it(
    bobur: Customer, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    octo: Any = port("octo")
    ask, seen = octo._send, []

    def look_and_ask(call: Any) -> Any:
        seen.append(Payment.objects.values_list("status", "reference", "shop_transaction_id").get())
        return ask(call)

    monkeypatch.setattr(octo, "_send", look_and_ask)
    payment = paying.begun(bobur, order)
    assert seen == [("created", str(order.pk), payment.shop_transaction_id)]


def test_without_keys_of_octo_nobody_orders_anything(bobur: Customer, settings: Settings) -> None:
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, octo_secret="")
    paying.fill_cart(bobur, (cast.slipper(), 1))
    before = paying.books()
    status, told = paying.detail(Caller(bobur).post(CREATE))
    assert (status, "OCTO_SHOP_ID, OCTO_SECRET" in told) == (400, True)
    assert paying.books() == before


def test_octo_may_be_switched_off(bobur: Customer, order: Order, settings: Settings) -> None:
    settings.PAYMENTS = replace(settings.PAYMENTS, methods=("cash",))
    before = paying.books()
    assert Caller(bobur).post(CREATE, {"order_id": order.pk}).status_code == 400
    assert paying.books() == before


@pytest.mark.race
@pytest.mark.parametrize("way", ["order", "items", "cart"])
def test_many_clicks_at_once_are_one_order_and_one_payment(bobur: Customer, way: str) -> None:
    product = cast.slipper(quantity=20)
    paying.fill_cart(bobur, (product, 2))
    order = paying.ordered(bobur) if way == "order" else None
    wishes = (Wish(product.pk, 2),) if way == "items" else ()
    what = ToPay(order_id=order.pk if order else None, wishes=wishes)
    results = race(8, lambda _: payments.begin(by=bobur, what=what).pk)
    assert outcomes(results) == {"ok": 8}
    assert (len(set(results)), Payment.objects.count(), Order.objects.count(), len(vendors.octo.charges)) == (
        1,
        1,
        1,
        1,
    )
