"""Beginning to pay (contract shop 1.7 create, 4.4.1; D5, D6, D12, D19, D23; K10)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.integrations.sandbox import vendors
from apps.payments.models import Payment
from apps.shop.actions import orders
from apps.shop.models import Customer, Order
from apps.shop.tests import cast, paying
from apps.shop.tests.cast import Caller
from apps.shop.tests.paying import CREATE

TASHKENT = ZoneInfo("Asia/Tashkent")


@pytest.fixture
def order(bobur: Customer) -> Order:
    """150 000 soum, unpaid."""
    return paying.ordered(bobur)


def asked() -> dict[str, Any]:
    """The last thing that the bank was asked."""
    body: dict[str, Any] = json.loads(vendors.octo.requests[-1]["body"])
    return body


@pytest.mark.parametrize("name", ["order_id", "orderId", "order"])
def test_an_order_is_paid_by_any_name_of_its_id(bobur: Customer, order: Order, name: str) -> None:
    answer = Caller(bobur).post(CREATE, {name: order.pk})
    payment = paying.payment_of(order)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "order_id": order.pk,
            "redirect_url": payment.pay_url,
            "pay_url": payment.pay_url,
            "payment_uuid": paying.charge_of(payment).uuid,
            "shop_transaction_id": payment.shop_transaction_id,
            "amount": 150000,
            "currency": "UZS",
            "status": "pending",
        },
    )
    assert payment.pay_url.startswith("http")
    assert paying.fresh(order).status == "pending"


def test_what_the_bank_is_asked(bobur: Customer, order: Order, settings: Settings) -> None:
    settings.SHOP = replace(settings.SHOP, return_url="https://shop.example/back")
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, octo_notify_url="https://shop.example/payments/octo/notify")
    paying.begun(bobur, order, description="Тапочки для мамы")
    body = asked()
    assert body.pop("octo_secret") == settings.INTEGRATIONS.octo_secret
    written = datetime.strptime(body.pop("init_time"), "%Y-%m-%d %H:%M:%S").replace(tzinfo=TASHKENT)
    assert abs(written - timezone.now()) < timedelta(minutes=1)
    assert body == {
        "octo_shop_id": int(settings.INTEGRATIONS.octo_shop_id),
        "shop_transaction_id": paying.payment_of(order).shop_transaction_id,
        "auto_capture": True,
        "test": True,
        "total_sum": 150000,
        "currency": "UZS",
        "description": "Тапочки для мамы",
        "notify_url": "https://shop.example/payments/octo/notify",
        "return_url": "https://shop.example/back",
        "language": "ru",
        "ttl": 15,
    }


def test_the_bank_s_page_speaks_the_operator_s_language(bobur: Customer, order: Order, settings: Settings) -> None:
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, octo_language="uz")
    paying.begun(bobur, order)
    assert asked()["language"] == "uz"


@pytest.mark.django_db
def test_an_order_that_costs_nothing_cannot_be(bobur: Customer) -> None:
    """The original refused to pay a zero total (contract shop 1.7); here there is none to pay."""
    with pytest.raises(IntegrityError):
        Order.objects.create(customer=bobur, total_amount=0, stock_reserved_until=timezone.now())


@pytest.mark.parametrize("name", ["description", "desc", "title"])
def test_the_description_has_three_names(bobur: Customer, order: Order, name: str) -> None:
    paying.begun(bobur, order, **{name: "Подарок"})
    assert asked()["description"] == "Подарок"


def test_without_a_description_the_order_is_named(bobur: Customer, order: Order) -> None:
    paying.begun(bobur, order)
    assert asked()["description"] == f"Order #{order.pk}"


@pytest.mark.parametrize("name", ["amount", "total_sum", "total", "sum"])
@pytest.mark.parametrize("given", [150000, 150000.0, "150000.00", 149999.99999999997])
def test_the_right_amount_by_any_name_is_welcome(bobur: Customer, order: Order, name: str, given: Any) -> None:
    assert Caller(bobur).post(CREATE, {"order_id": order.pk, name: given}).status_code == 200
    assert paying.payment_of(order).amount == paying.som(150_000)


@pytest.mark.parametrize("name", ["amount", "total_sum", "total", "sum"])
@pytest.mark.parametrize("given", [1, 149_999, 150_000.01, 10**11])
def test_d5_another_amount_is_refused_and_charged_nowhere(bobur: Customer, order: Order, name: str, given: Any) -> None:
    before = paying.books()
    status, told = paying.detail(Caller(bobur).post(CREATE, {"order_id": order.pk, name: given}))
    assert (status, told[0]["loc"], told[0]["msg"]) == (
        422,
        ["body", "amount"],
        "Value error, the order costs 150000.00",
    )
    assert (paying.books(), len(vendors.octo.requests)) == (before, 0)


@pytest.mark.parametrize("body", [{"amount": 0}, {"amount": -5}, {"amount": "nan"}, {"amount": 1e13}, {"amount": []}])
@pytest.mark.parametrize("aim", ["order", "cart"])
def test_impossible_amounts_are_422(bobur: Customer, order: Order, body: dict[str, Any], aim: str) -> None:
    before = paying.books()
    whole = body | ({"order_id": order.pk} if aim == "order" else {})
    assert Caller(bobur).post(CREATE, whole).status_code == 422
    assert paying.books() == before


@pytest.mark.parametrize("given", [0, -1, "x", [], {}, 2**63, 1.5, "\u0000"])
def test_impossible_ids_are_422(bobur: Customer, order: Order, given: Any) -> None:
    before = paying.books()
    assert Caller(bobur).post(CREATE, {"order_id": given}).status_code == 422
    assert paying.books() == before


def test_goods_become_an_order_and_are_paid(bobur: Customer) -> None:
    soft, firm = cast.slipper(price="20000"), cast.slipper("Сабо", price="35000.50")
    items = [{"slipper_id": soft.pk, "notes": "синие"}, {"slipper_id": firm.pk, "quantity": 2}]
    answer = Caller(bobur).post(CREATE, {"items": items, "amount": 90001})
    order = Order.objects.get()
    assert (answer.status_code, answer.json()["order_id"], answer.json()["amount"]) == (200, order.pk, 90001)
    lines = list(order.items.order_by("id").values_list("slipper_id", "quantity", "notes"))
    assert lines == [(soft.pk, 1, "синие"), (firm.pk, 2, None)]
    assert (order.total_amount, order.status) == (paying.som("90001.00"), "pending")
    assert (paying.fresh(soft).quantity, paying.fresh(firm).quantity) == (9, 8)


def test_goods_at_another_amount_are_not_even_ordered(bobur: Customer) -> None:
    product = cast.slipper(price="20000")
    before = paying.books()
    body = {"items": [{"slipper_id": product.pk, "quantity": 2}], "amount": 20000}
    assert Caller(bobur).post(CREATE, body).status_code == 422
    assert paying.books() == before


def test_goods_that_are_unknown_or_short_are_refused(bobur: Customer) -> None:
    product = cast.slipper(quantity=2)
    before = paying.books()
    for item, status in (
        ({"slipper_id": product.pk + 999}, 404),
        ({"slipper_id": product.pk, "quantity": 3}, 409),
        ({"slipper_id": product.pk, "quantity": 501}, 422),
        ({"slipper_id": product.pk, "quantity": 0}, 422),
        ({"quantity": 1}, 422),
    ):
        assert Caller(bobur).post(CREATE, {"items": [item]}).status_code == status, item
    assert (paying.books(), len(vendors.octo.requests)) == (before, 0)


@pytest.mark.parametrize("body", [None, {}, {"items": []}, {"order_id": None, "items": None}])
def test_nothing_named_means_the_cart(bobur: Customer, body: Any) -> None:
    product = cast.slipper(price="20000")
    paying.fill_cart(bobur, (product, 3))
    answer = Caller(bobur).post(CREATE, body)
    assert (answer.status_code, answer.json()["amount"]) == (200, 60000)
    assert paying.cart_of(bobur) == {product.pk: 3}  # it is emptied by payment


def test_an_empty_cart_is_400(bobur: Customer) -> None:
    before = paying.books()
    assert paying.detail(Caller(bobur).post(CREATE)) == (400, "Cart is empty")
    assert paying.books() == before


def test_strangers_and_administrators_do_not_pay_for_others(
    anora: Customer, farid: Customer, bobur: Customer, order: Order
) -> None:
    before = paying.books()
    for stranger in (farid, anora):
        told = paying.detail(Caller(stranger).post(CREATE, {"order_id": order.pk, "amount": 1}))
        assert told == (403, "Not authorized to access this order")
    assert Caller().post(CREATE, {"order_id": order.pk}).status_code == 401
    assert paying.detail(Caller(bobur).post(CREATE, {"order_id": order.pk + 1})) == (404, "Order not found")
    assert (paying.books(), len(vendors.octo.requests)) == (before, 0)


def test_a_deleted_order_is_404(bobur: Customer, order: Order) -> None:
    orders.delete(by=bobur, order_id=order.pk)
    assert paying.detail(Caller(bobur).post(CREATE, {"order_id": order.pk})) == (404, "Order not found")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("confirmed", (409, "Already paid")),
        ("preparing", (409, "Already paid")),
        ("ready", (409, "Already paid")),
        ("delivered", (409, "Already paid")),
        ("refunded", (400, "Order is refunded")),
        ("cancelled", (409, "Order is cancelled")),
    ],
)
def test_only_pending_orders_are_paid(bobur: Customer, order: Order, status: str, told: tuple[int, str]) -> None:
    Order.objects.filter(pk=order.pk).update(status=status)
    before = paying.books()
    assert paying.detail(Caller(bobur).post(CREATE, {"order_id": order.pk})) == told
    assert (paying.books(), len(vendors.octo.requests)) == (before, 0)


def test_d12_a_paid_order_cannot_be_paid_again(bobur: Customer, order: Order) -> None:
    paying.paid(bobur, order)
    before = paying.books()
    assert paying.detail(Caller(bobur).post(CREATE, {"order_id": order.pk})) == (409, "Already paid")
    assert paying.books() == before


def test_d12_an_open_payment_is_used_again(bobur: Customer, order: Order) -> None:
    first = Caller(bobur).post(CREATE, {"order_id": order.pk})
    second = Caller(bobur).post(CREATE, {"order_id": order.pk})
    assert (second.status_code, second.json()) == (200, first.json())
    assert (Payment.objects.count(), len(vendors.octo.charges), len(vendors.octo.requests)) == (1, 1, 1)


def test_a_cancelled_attempt_leaves_room_for_the_next(bobur: Customer, order: Order) -> None:
    first = paying.begun(bobur, order)
    paying.tell(vendors.octo.cancel(first.shop_transaction_id))
    second = paying.begun(bobur, order)
    assert (paying.fresh(first).status, second.status, paying.fresh(order).status) == (
        "cancelled",
        "pending",
        "pending",
    )
    assert second.pay_url != first.pay_url


def test_a_page_whose_time_is_over_is_replaced(bobur: Customer, order: Order) -> None:
    first = paying.begun(bobur, order)
    Payment.objects.update(expires_at=timezone.now())
    assert paying.begun(bobur, order).pay_url != first.pay_url


def test_kopecks_are_charged_exactly(bobur: Customer) -> None:
    """The original rounded to whole soum (D19)."""
    order = paying.ordered(bobur, price="0.10", pieces=3)
    paying.begun(bobur, order)
    assert (asked()["total_sum"], paying.payment_of(order).amount) == (0.3, paying.som("0.30"))


def test_prices_may_be_in_another_currency(bobur: Customer, settings: Settings) -> None:
    settings.SHOP = replace(settings.SHOP, currency="USD")
    paying.begun(bobur, paying.ordered(bobur, price="9.99", pieces=1))
    assert (asked()["total_sum"], asked()["currency"]) == (9.99, "USD")
