"""Giving money back (contract shop 1.7 refund, 4.1, 4.4.5; D8, D9; K11)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apps.core import states
from apps.core.errors import Refused
from apps.core.testing import deliver, outcomes, race
from apps.integrations.sandbox import vendors
from apps.payments import actions as gateway
from apps.payments.models import Payment, Refund
from apps.shop.actions import orders, payments
from apps.shop.models import Customer, Order
from apps.shop.tests import cast, paying
from apps.shop.tests.cast import Caller
from apps.shop.tests.paying import REFUND


@pytest.fixture
def order(bobur: Customer) -> Order:
    """Three of ten pieces, 150 000 soum, paid."""
    found = paying.ordered(bobur)
    paying.paid(bobur, found)
    return found


def paid(order: Order) -> Payment:
    return paying.payment_of(order)


@pytest.mark.parametrize("name", ["order_id", "octo_payment_UUID", "payment_uuid"])
def test_all_of_it_by_any_of_three_names(anora: Customer, order: Order, name: str) -> None:
    payment = paid(order)
    answer = Caller(anora).post(REFUND, {name: order.pk if name == "order_id" else payment.vendor_id})
    refund = Refund.objects.get()
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "order_id": order.pk,
            "status": "REFUNDED",
            "success": True,
            "message": "Refund completed",
            "refund_id": refund.shop_refund_id,
            "refund_status": "succeeded",
            "refunded_amount": 150000,
            "payment_status": "refunded",
        },
    )
    assert (paying.fresh(order).status, paying.left(order)) == ("refunded", 10)
    assert paying.charge_of(payment).refunded == 150_000
    assert (refund.asked_by_id, refund.reason) == (anora.user_id, "refund")


def test_a_part_leaves_the_order_paid_and_the_rest_ends_it(anora: Customer, order: Order) -> None:
    first = Caller(anora).post(REFUND, {"order_id": order.pk, "amount": 50000.5, "reason": "one pair was late"})
    told = {name: first.json()[name] for name in ("status", "refunded_amount", "payment_status")}
    assert told == {"status": "confirmed", "refunded_amount": 50000.5, "payment_status": "paid"}
    assert (paying.fresh(order).status, paying.left(order)) == ("confirmed", 7)
    second = Caller(anora).post(REFUND, {"order_id": order.pk})
    assert (second.json()["status"], second.json()["refunded_amount"]) == ("REFUNDED", 150000)
    assert [refund.amount for refund in Refund.objects.order_by("id")] == [Decimal("50000.50"), Decimal("99999.50")]
    assert (paying.fresh(order).status, paying.left(order)) == ("refunded", 10)


def test_delivered_goods_do_not_come_back(anora: Customer, order: Order) -> None:
    for status in ("preparing", "ready", "delivered"):
        orders.set_status(by=anora, order_id=order.pk, status=status)
    assert Caller(anora).post(REFUND, {"order_id": order.pk}).status_code == 200
    assert (paying.fresh(order).status, paying.left(order)) == ("refunded", 7)


def test_d9_the_payment_that_was_paid_is_refunded_whichever_is_named(bobur: Customer, anora: Customer) -> None:
    """Old clients have kept the number of the first attempt."""
    order = paying.ordered(bobur)
    first = paying.begun(bobur, order)
    paying.tell(vendors.octo.cancel(first.shop_transaction_id))
    second = paying.paid(bobur, order)
    assert Caller(anora).post(REFUND, {"payment_uuid": first.vendor_id}).status_code == 200
    assert (paying.charge_of(first).refunded, paying.charge_of(second).refunded) == (0, 150_000)
    assert (paying.fresh(first).status, paying.fresh(second).status) == ("cancelled", "refunded")


@pytest.mark.parametrize("way", ["header", "body"])
def test_the_same_key_gives_back_once(anora: Customer, order: Order, way: str) -> None:
    body: dict[str, Any] = {"order_id": order.pk, "amount": 40000}
    headers = {"Idempotency-Key": "back-1"} if way == "header" else {}
    whole = body if way == "header" else body | {"shop_refund_id": "back-1"}
    answers = [Caller(anora).post(REFUND, whole, **headers) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refund_id"] for answer in answers}) == 1
    assert (Refund.objects.count(), paying.charge_of(paid(order)).refunded) == (1, 40_000)
    before = paying.books()
    told = paying.detail(Caller(anora).post(REFUND, whole | {"amount": 40001}, **headers))
    assert told == (409, "Idempotency key was already used with different content")
    assert paying.books() == before


def test_without_a_key_each_part_is_its_own(anora: Customer, order: Order) -> None:
    for _ in range(2):
        assert Caller(anora).post(REFUND, {"order_id": order.pk, "amount": 40000}).status_code == 200
    assert paying.charge_of(paid(order)).refunded == 80_000


@pytest.mark.parametrize("amount", [0, -1, 150_001, 150_000.01, 0.001, "x", 1e13])
def test_impossible_amounts_are_422(anora: Customer, order: Order, amount: Any) -> None:
    before = paying.books()
    assert Caller(anora).post(REFUND, {"order_id": order.pk, "amount": amount}).status_code == 422
    assert paying.books() == before


@pytest.mark.parametrize("body", [{}, {"amount": 5}, {"order_id": None}, {"payment_uuid": ""}, {"order_id": "x"}])
def test_something_must_be_named(anora: Customer, order: Order, body: dict[str, Any]) -> None:
    before = paying.books()
    assert Caller(anora).post(REFUND, body).status_code == 422
    assert paying.books() == before


def test_a_payment_and_the_number_of_another_order_do_not_go_together(
    anora: Customer, bobur: Customer, order: Order
) -> None:
    other = paying.ordered(bobur)
    paying.paid(bobur, other)
    before = paying.books()
    body = {"payment_uuid": paying.payment_of(order).vendor_id, "order_id": other.pk}
    assert Caller(anora).post(paying.REFUND, body).status_code == 422
    assert paying.books() == before
    assert Caller(anora).post(paying.REFUND, body | {"order_id": order.pk}).status_code == 200


def test_what_cannot_be_refunded(anora: Customer, bobur: Customer, order: Order) -> None:
    unpaid, untouched = paying.ordered(bobur), paying.ordered(bobur)
    waiting = paying.begun(bobur, unpaid)
    Caller(anora).post(REFUND, {"order_id": order.pk})
    before, asked = paying.books(), len(vendors.octo.requests)
    for body, told in (
        ({"order_id": order.pk}, (400, "Already refunded")),
        ({"payment_uuid": paid(order).vendor_id}, (400, "Already refunded")),
        ({"order_id": untouched.pk}, (400, "Order has no payment")),
        ({"order_id": unpaid.pk}, (409, "The payment is not paid")),
        ({"payment_uuid": waiting.vendor_id}, (409, "The payment is not paid")),
        ({"order_id": 10**9}, (404, "Order not found")),
        ({"payment_uuid": "no-such"}, (404, "Payment not found")),
    ):
        assert paying.detail(Caller(anora).post(REFUND, body)) == told, body
    assert (paying.books(), len(vendors.octo.requests)) == (before, asked)


def test_payments_of_other_products_are_unknown_here(anora: Customer, order: Order) -> None:
    payment = paid(order)
    Payment.objects.filter(pk=payment.pk).update(purpose="urgent.topup")
    before = paying.books()
    assert Caller(anora).post(REFUND, {"payment_uuid": payment.vendor_id}).status_code == 404
    assert Caller(anora).get(f"payments/octo/{payment.vendor_id}").status_code == 404
    assert paying.books() == before


def test_buyers_and_strangers_give_nothing_back(bobur: Customer, farid: Customer, order: Order) -> None:
    before = paying.books()
    for somebody in (bobur, farid):
        told = paying.detail(Caller(somebody).post(REFUND, {"order_id": order.pk}))
        assert told == (403, "Admin access required")
    assert Caller().post(REFUND, {"order_id": order.pk}).status_code == 401
    with pytest.raises(Refused) as refused:
        payments.refund(by=bobur, order_id=order.pk)
    assert (refused.value.status, paying.books()) == (403, before)


def test_less_than_a_dollar_is_refused_when_the_rate_is_known(
    anora: Customer, order: Order, settings: Settings
) -> None:
    settings.PAYMENTS = replace(settings.PAYMENTS, octo_usd_uzs_rate=Decimal("12599.5"))
    before = paying.books()
    told = paying.detail(Caller(anora).post(REFUND, {"order_id": order.pk, "amount": 12599}))
    assert told == (400, "Minimum refund is >= 12600 UZS (1 USD)")
    assert paying.books() == before
    assert Caller(anora).post(REFUND, {"order_id": order.pk, "amount": 12600}).status_code == 200


def test_the_bank_s_refusal_reaches_the_administrator_and_frees_the_amount(anora: Customer, order: Order) -> None:
    vendors.octo.is_locked_out = True
    assert paying.detail(Caller(anora).post(REFUND, {"order_id": order.pk})) == (400, "Wrong secret")
    assert (paid(order).status, paid(order).refundable, paying.fresh(order).status) == ("paid", 150_000, "confirmed")
    vendors.octo.is_locked_out = False
    assert Caller(anora).post(REFUND, {"order_id": order.pk}).status_code == 200


def test_accepted_is_not_done(anora: Customer, order: Order) -> None:
    vendors.octo.refund_word = "pending"
    answer = Caller(anora).post(REFUND, {"order_id": order.pk})
    told = {name: answer.json()[name] for name in ("status", "message", "refund_status", "refunded_amount")}
    assert told == {
        "status": "confirmed",
        "message": "Refund accepted",
        "refund_status": "pending",
        "refunded_amount": 0,
    }
    assert (paying.fresh(order).status, paying.left(order)) == ("confirmed", 7)
    assert paying.detail(Caller(anora).post(REFUND, {"order_id": order.pk})) == (400, "Already refunded")
    vendors.octo.settle_refund(Refund.objects.get().shop_refund_id, "succeeded")
    Refund.objects.update(check_at=order.created_at)
    gateway.reconcile()
    assert (paid(order).status, paying.fresh(order).status, paying.left(order)) == ("refunded", "refunded", 10)


def test_more_than_ten_million_goes_back_in_several_calls(anora: Customer, bobur: Customer) -> None:
    order = paying.ordered(bobur, price="8500000", pieces=3)
    payment = paying.paid(bobur, order)
    assert Caller(anora).post(REFUND, {"order_id": order.pk}).status_code == 200
    assert [refund.amount for refund in Refund.objects.order_by("id")] == [10_000_000, 7_750_000, 7_750_000]
    assert (paying.charge_of(payment).refunded, paying.fresh(order).status) == (25_500_000, "refunded")


def test_staff_need_the_right(order: Order) -> None:
    clerk = cast.staff()
    clerk.is_superuser = False
    clerk.save()
    before = paying.books()
    with pytest.raises(Refused) as refused:
        payments.refund(by=clerk, order_id=order.pk, reason="asked by phone")
    assert (refused.value.status, paying.books()) == (403, before)
    assert payments.refund(by=cast.staff(), order_id=order.pk, reason="asked by phone").status == "succeeded"
    assert paying.fresh(order).status == "refunded"


def test_the_history_says_who_and_why(anora: Customer, order: Order) -> None:
    Caller(anora).post(REFUND, {"order_id": order.pk, "reason": "wrong size"})
    last = states.history(order).last()
    assert last is not None
    assert (last.to_status, last.by, last.reason) == ("refunded", f"accounts.user:{anora.user_id}", "wrong size")


@pytest.mark.race
def test_d8_parallel_refunds_give_back_once(anora: Customer, bobur: Customer) -> None:
    order = paying.ordered(bobur)
    payment = paying.paid(bobur, order)
    results = race(5, lambda _: payments.refund(by=anora, order_id=order.pk))
    deliver()
    assert outcomes(results) == {"ok": 1, "AlreadyRefunded": 4}
    assert (paying.charge_of(payment).refunded, len(paying.charge_of(payment).refunds)) == (150_000, 1)
    assert (paying.fresh(order).status, paying.left(order)) == ("refunded", 10)


@pytest.mark.race
def test_parallel_parts_never_exceed_the_whole(anora: Customer, bobur: Customer) -> None:
    order = paying.ordered(bobur)
    payment = paying.paid(bobur, order)
    results = race(6, lambda _: payments.refund(by=anora, order_id=order.pk, amount=Decimal(40_000)))
    assert outcomes(results) == {"ok": 3, "WrongAmount": 3}
    assert paying.charge_of(payment).refunded == 120_000
