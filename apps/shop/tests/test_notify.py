"""OCTO's notice over HTTP and what it does to orders (contract shop 1.7, 3.3, 4.4.2, 4.4.3; D4, D10, D11, D18)."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from apps.core.testing import deliver
from apps.integrations.sandbox import vendors
from apps.payments import actions as gateway
from apps.payments.models import Payment, PaymentEvent, Refund
from apps.shop.actions import expiry, orders
from apps.shop.models import Customer, Order, Slipper
from apps.shop.queries import finance
from apps.shop.tests import cast, paying
from apps.shop.tests.cast import Caller


@pytest.fixture
def order(bobur: Customer) -> Order:
    """Three of ten pieces, 150 000 soum, unpaid."""
    return paying.ordered(bobur)


@pytest.fixture
def payment(bobur: Customer, order: Order) -> Payment:
    """Waits for the buyer on the bank's page."""
    return paying.begun(bobur, order)


def post(raw: bytes | str, kind: str = "application/json") -> tuple[int, Any]:
    """A raw notice; status and body."""
    answer = Client().post("/payments/octo/notify", raw, content_type=kind)
    return answer.status_code, json.loads(answer.content)


def truth(payment: Payment, **changes: Any) -> dict[str, Any]:
    """The bank's notice as a dict."""
    body: dict[str, Any] = json.loads(vendors.octo.notice(paying.charge_of(payment)).body)
    return body | changes


@pytest.mark.parametrize("base", ["", "/shop"])
def test_a_paid_order_is_confirmed(order: Order, payment: Payment, base: str) -> None:
    answer = paying.tell(vendors.octo.pay(payment.shop_transaction_id), base)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    confirmed = paying.fresh(order)
    assert (confirmed.status, paying.left(order)) == ("confirmed", 7)  # reserved when ordered, not once more now
    assert confirmed.paid_at is not None


def test_the_cart_loses_what_was_paid_and_only_once(bobur: Customer) -> None:
    soft, firm = cast.slipper(quantity=20), cast.slipper("Сабо", quantity=20)
    paying.fill_cart(bobur, (soft, 3), (firm, 1))
    number = Caller(bobur).post(paying.CREATE).json()["payment_uuid"]
    paying.fill_cart(bobur, (soft, 2))  # changed their mind while the page was open
    notice = vendors.octo.pay(number)
    paying.tell(notice)
    assert paying.cart_of(bobur) == {soft.pk: 2}
    paying.fill_cart(bobur, (soft, 4), (firm, 6))
    for _ in range(3):
        paying.may_ask_again()
        assert paying.tell(notice).status_code == 200
    assert paying.cart_of(bobur) == {soft.pk: 6, firm.pk: 6}


@pytest.mark.parametrize("word", ["succeeded", "paid", "canceled", "waiting_for_capture", "refunded"])
def test_d4_a_forged_notice_moves_nothing(payment: Payment, word: str) -> None:
    before = paying.books()
    for forged in (truth(payment, status=word, signature="0" * 40), truth(payment, status=word)):
        status, body = post(json.dumps(forged))
        assert (status, body["detail"], body["code"]) == (403, "Bad signature", "notice_forged")
    kept = [rows for rows in paying.books() if rows and "repeats_count" not in rows[0]]
    assert kept == [rows for rows in before if rows]
    assert PaymentEvent.objects.values_list("result", "is_genuine", "repeats_count").get() == ("forged", False, 1)


def test_d4_a_signed_word_is_not_believed_before_the_bank_is_asked(order: Order, payment: Payment) -> None:
    """A replay of a true signature: OCTO itself knows of no money."""
    signed = json.loads(vendors.octo.notice(paying.charge_of(payment), status="succeeded").body)
    assert post(json.dumps(signed)) == (200, {"ok": True})
    assert (paying.fresh(payment).status, paying.fresh(order).status) == ("pending", "pending")


def test_another_amount_at_the_bank_holds_the_order(order: Order, payment: Payment) -> None:
    vendors.octo.lie_about_amount(Decimal(1000))
    assert paying.tell(vendors.octo.pay(payment.shop_transaction_id)).status_code == 200
    held = paying.fresh(payment)
    assert (held.status, held.needs_attention, paying.fresh(order).status) == ("pending", True, "pending")


def test_d4_no_order_is_bound_by_what_a_notice_says(bobur: Customer, payment: Payment) -> None:
    other = paying.ordered(bobur)
    vendors.octo.pay(payment.shop_transaction_id)
    body = truth(payment, order_id=other.pk, order=other.pk, orderId=other.pk, shop_transaction_id="unknown")
    assert post(json.dumps(body)) == (200, {"ok": True})
    assert list(Order.objects.values_list("status", flat=True)) == ["pending", "pending"]
    assert not PaymentEvent.objects.exists()


MALFORMED = [b"", b"[]", b"[1]", b"7", b"null", b"{", b'"x"', b"{}", b'{"status":"succeeded"}', b"\xff", b"[" * 4000]


@pytest.mark.parametrize("raw", MALFORMED, ids=lambda raw: raw[:12].decode("latin1"))
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_d18_malformed_notices_are_400(payment: Payment, raw: bytes, kind: str) -> None:
    before = paying.books()
    status, body = post(raw, kind)
    assert (status, body["detail"]) == (400, "Malformed notice")
    assert paying.books() == before


@pytest.mark.parametrize("field", ["shop_transaction_id", "octo_payment_UUID", "status"])
@pytest.mark.parametrize("value", [5, 1.5, None, [], {}, "", "x" * 65, "a\x00b", True])
def test_d18_numbers_and_lists_in_a_notice_are_400(payment: Payment, field: str, value: Any) -> None:
    before = paying.books()
    assert post(json.dumps(truth(payment, **{field: value})))[0] == 400
    assert paying.books() == before


def test_a_notice_of_a_megabyte_is_400(payment: Payment) -> None:
    assert post(json.dumps(truth(payment, pad="x" * 3_000_000)))[0] == 400


def test_a_form_is_tolerated(order: Order, payment: Payment) -> None:
    vendors.octo.pay(payment.shop_transaction_id)
    assert post(urlencode(truth(payment)), "application/x-www-form-urlencoded") == (200, {"ok": True})
    assert paying.fresh(order).status == "confirmed"


def test_only_post(db: None) -> None:
    for method in ("get", "put", "delete"):
        assert getattr(Client(), method)("/payments/octo/notify").status_code == 405


def test_the_notice_may_overtake_the_bank_s_own_answer(bobur: Customer, order: Order) -> None:
    vendors.octo.lose_next()
    assert Caller(bobur).post(paying.CREATE, {"order_id": order.pk}).status_code == 504
    payment = paying.payment_of(order)
    assert payment.vendor_id is None
    paying.tell(vendors.octo.pay(payment.shop_transaction_id))
    assert (paying.fresh(payment).vendor_id, paying.fresh(order).status) == (
        paying.charge_of(payment).uuid,
        "confirmed",
    )


def test_d10_a_late_word_never_takes_a_paid_order_back(bobur: Customer, order: Order) -> None:
    payment = paying.paid(bobur, order)
    for word in ("created", "wait_user_action", "canceled", "failed", "error"):
        paying.may_ask_again()
        paying.charge_of(payment).status = word
        assert post(json.dumps(truth(payment)))[0] == 200
        assert (paying.fresh(payment).status, paying.fresh(order).status) == ("paid", "confirmed"), word


def test_d10_success_after_a_refund_does_not_flip_the_order_back(
    anora: Customer, bobur: Customer, order: Order
) -> None:
    payment = paying.paid(bobur, order)
    assert Caller(anora).post(paying.REFUND, {"order_id": order.pk}).status_code == 200
    paying.may_ask_again()
    assert paying.tell(vendors.octo.notice(paying.charge_of(payment), status="succeeded")).status_code == 200
    assert (paying.fresh(payment).status, paying.fresh(order).status) == ("refunded", "refunded")


def test_late_money_takes_the_goods_again(order: Order, payment: Payment) -> None:
    """The clock ended payment and order; the bank was slower."""
    end(order, payment)
    assert (paying.fresh(order).status, paying.left(order)) == ("cancelled", 10)
    paying.may_ask_again()
    paying.tell(vendors.octo.pay(payment.shop_transaction_id, is_late=True))
    assert (paying.fresh(order).status, paying.left(order)) == ("confirmed", 7)
    assert not Refund.objects.exists()


def test_late_money_for_goods_that_are_gone_goes_back_by_itself(order: Order, payment: Payment) -> None:
    end(order, payment)
    Slipper.objects.update(quantity=2)
    paying.may_ask_again()
    paying.tell(vendors.octo.pay(payment.shop_transaction_id, is_late=True))
    deliver()
    back = paying.fresh(payment)
    assert (back.status, back.refunded_amount, paying.charge_of(payment).refunded) == ("refunded", 150_000, 150_000)
    assert (paying.fresh(order).status, paying.left(order)) == ("cancelled", 2)


def end(order: Order, payment: Payment) -> None:
    """Payment and order run out of time."""
    gateway.fail(payment_id=payment.pk, status="cancelled", reason="expired")
    Order.objects.filter(pk=order.pk).update(stock_reserved_until=order.created_at)
    assert expiry.expire_unpaid() == 1


def test_money_for_an_order_that_the_buyer_gave_up_goes_back(bobur: Customer, order: Order, payment: Payment) -> None:
    orders.cancel(by=bobur, order_id=order.pk)
    paying.tell(vendors.octo.pay(payment.shop_transaction_id))
    deliver()
    assert (paying.fresh(payment).status, paying.charge_of(payment).refunded) == ("refunded", 150_000)
    assert (paying.fresh(order).status, paying.left(order)) == ("cancelled", 10)


def test_unwanted_money_below_the_bank_s_smallest_refund_stays_and_is_shouted_about(
    bobur: Customer, settings: Settings
) -> None:
    settings.PAYMENTS = replace(settings.PAYMENTS, octo_usd_uzs_rate=Decimal(12_600))
    order = paying.ordered(bobur, price="5000", pieces=1)
    payment = paying.begun(bobur, order)
    orders.cancel(by=bobur, order_id=order.pk)
    assert paying.tell(vendors.octo.pay(payment.shop_transaction_id)).status_code == 200
    assert (paying.fresh(payment).status, paying.fresh(order).status) == ("paid", "cancelled")
    assert not Refund.objects.exists()
    assert [row.order_id for row in finance.mismatches()] == [order.pk]


def test_a_second_success_for_one_order_goes_back(bobur: Customer, order: Order, payment: Payment) -> None:
    paying.tell(vendors.octo.cancel(payment.shop_transaction_id))
    second = paying.begun(bobur, order)
    paying.tell(vendors.octo.pay(second.shop_transaction_id))
    paying.may_ask_again()
    paying.tell(vendors.octo.pay(payment.shop_transaction_id, is_late=True))
    deliver()
    assert (paying.fresh(payment).status, paying.charge_of(payment).refunded) == ("refunded", 150_000)
    assert (paying.fresh(second).status, paying.charge_of(second).refunded) == ("paid", 0)
    assert (paying.fresh(order).status, paying.left(order)) == ("confirmed", 7)


def test_d26_neither_card_nor_secret_nor_notice_is_logged(
    bobur: Customer, order: Order, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    with caplog.at_level(logging.DEBUG):
        payment = paying.begun(bobur, order)
        notice = vendors.octo.pay(payment.shop_transaction_id)
        paying.tell(notice)
        said = json.loads(notice.body)
        post(json.dumps(said | {"signature": "F" * 40}))
    conf = settings.INTEGRATIONS
    for secret in (said["maskedPan"], said["rrn"], said["signature"], conf.octo_secret, conf.octo_unique_key):
        assert secret not in caplog.text
    assert "860003" not in json.dumps(list(PaymentEvent.objects.values_list("payload", flat=True)))
