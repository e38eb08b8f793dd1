"""Invoices and the CryptoBot webhook (contract urgent 1.1 rows 17 to 19, 3.7, 4.4, D12, section 8 rows 15 and 17)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.models import OutboxMessage, StepLog
from apps.core.testing import assert_refused, race
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.vendor import Notice
from apps.ledger.models import Entry
from apps.payments import actions as payments
from apps.payments.models import Payment, PaymentEvent
from apps.urgent import errors
from apps.urgent.actions import invoices
from apps.urgent.models import Invoice, Member
from apps.urgent.tests import cast
from apps.urgent.tests.cast import Caller
from apps.urgent.tests.talking import said_to, talk

Status = Payment.Status


def world() -> list[QuerySet[Any]]:
    return [model.objects.all() for model in (Invoice, Payment, PaymentEvent, Entry, OutboxMessage)]


def bill(by: Member, amount: int = 100) -> Invoice:
    return invoices.create(by=by, amount=amount, provider="crypto_bot")


def post(notice: Notice, base: str = "/urgent", **changed: str) -> HttpResponse:
    headers = {**notice.headers, **changed}
    answer: HttpResponse = Client().generic(
        "POST", f"{base}/api/balance/webhook/crypto-bot", notice.body, content_type="application/json", headers=headers
    )
    return answer


def reconcile(now: datetime | None = None) -> int:
    """How many payments the schedule asked about."""
    return payments.reconcile(now=now)["payments"]


def number(invoice: Invoice) -> int:
    """CryptoBot's."""
    return int(cast.payment(invoice).vendor_id or 0)


def pay(invoice: Invoice, **how: bool) -> Notice:
    return vendors.cryptobot.pay(number(invoice), **how)


# Making a bill --------------------------------------------------------------------------------------------------------


@pytest.mark.contract
def test_an_invoice_answers_with_where_to_pay(bek: Member) -> None:
    answer = Caller(bek).post("balance/create-invoice", {"amount": 300})
    invoice = Invoice.objects.get()
    payment = cast.payment(invoice)
    assert answer.status_code == 200
    assert answer.json() == {
        "payment_id": invoice.pk,
        "pay_url": payment.pay_url,
        "mini_app_invoice_url": payment.mini_app_url,
    }
    assert payment.mini_app_url.startswith("https://t.me/")
    assert (invoice.amount, invoice.entry_id) == (300, None)
    assert (payment.amount, payment.currency, payment.status, payment.method) == (300, "RUB", "pending", "crypto_bot")
    assert (payment.payer_id, payment.expires_at - payment.created_at) == (bek.user_id, timedelta(seconds=1800))
    asked = vendors.cryptobot.invoices[number(invoice)]
    named = ("fiat", "RUB", 300, payment.shop_transaction_id)
    assert (asked.currency_type, asked.currency, asked.amount, asked.payload) == named


@pytest.mark.contract
def test_without_a_telegram_link_the_mini_app_url_is_null(bek: Member) -> None:
    vendors.cryptobot.shows_mini_app = False
    answer = Caller(bek).post("balance/create-invoice", {"amount": 300}).json()
    assert answer["mini_app_invoice_url"] is None
    assert answer["pay_url"]


@pytest.mark.contract
@pytest.mark.parametrize("amount", [0, -1, 100_001, 10.5, "ten", None, True])
def test_a_wrong_amount_is_malformed_and_makes_no_row(bek: Member, amount: Any) -> None:
    answer = Caller(bek).post("balance/create-invoice", {"amount": amount})
    if amount is True:  # Pydantic's lax reading of a boolean, as in the original
        assert answer.status_code == 200
        return
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "amount"]
    assert not Invoice.objects.exists()


@pytest.mark.contract
def test_without_a_provider_it_is_503(bek: Member, settings: Settings) -> None:
    settings.INTEGRATIONS = replace(
        settings.INTEGRATIONS, crypto_bot_api_token="", telegram_bot_token="", yukassa_secret_key=""
    )
    refusal = assert_refused(errors.PaymentsNotConfigured, lambda: bill(bek), unchanged=world())
    assert (refusal.status, str(refusal)) == (503, "Payment service not configured")


@pytest.mark.contract
@pytest.mark.parametrize("status", [400, 429, 500])
def test_a_provider_that_says_no_is_502_and_the_row_is_refused(bek: Member, status: int) -> None:
    vendors.cryptobot.fail_next(10, status=status)
    answer = Caller(bek).post("balance/create-invoice", {"amount": 100})
    assert (answer.status_code, answer.json()["code"]) == (502, "payment_provider_failed")
    assert Payment.objects.get().status in (Status.FAILED, Status.CREATED)
    assert not Entry.objects.filter(reason="recharge", reference__startswith="invoice").exists()


def test_a_lost_answer_is_not_a_no(bek: Member) -> None:
    vendors.cryptobot.lose_next(1)
    assert Caller(bek).post("balance/create-invoice", {"amount": 100}).status_code == 502
    payment = Payment.objects.get()
    assert (payment.status, payment.vendor_id) == (Status.CREATED, None)
    [issued] = vendors.cryptobot.invoices.values()
    vendors.cryptobot.pay(issued.invoice_id)
    assert reconcile(now=timezone.now() + timedelta(minutes=2)) == 1
    payment.refresh_from_db()
    assert (payment.status, payment.vendor_id) == (Status.PAID, str(issued.invoice_id))
    assert cast.balance(bek) == 200


def test_a_notice_finds_the_row_whose_number_never_arrived(bek: Member) -> None:
    vendors.cryptobot.lose_next(1)
    assert_refused(errors.PaymentProviderFailed, lambda: bill(bek))
    [issued] = vendors.cryptobot.invoices.values()
    assert post(vendors.cryptobot.pay(issued.invoice_id)).json() == {"ok": True}
    assert Payment.objects.get().status == Status.PAID
    assert cast.balance(bek) == 200


def test_a_number_that_the_provider_gave_before_is_502(bek: Member) -> None:
    first = bill(bek)
    vendors.cryptobot._last_id = number(first) - 1
    assert Caller(bek).post("balance/create-invoice", {"amount": 100}).status_code == 502
    assert Payment.objects.get(vendor_id=str(number(first))).reference == str(first.pk)
    assert Payment.objects.get(vendor_id=None).pay_url == ""


def test_a_blocked_member_makes_no_invoice(bek: Member) -> None:
    Member.objects.filter(pk=bek.pk).update(blocked_at=timezone.now())
    assert Caller(bek).post("balance/create-invoice", {"amount": 100}).status_code == 403
    assert not Invoice.objects.exists()


def test_too_many_invoices_are_429_with_retry_after(bek: Member, settings: Settings) -> None:
    settings.URGENT = replace(settings.URGENT, recharges_per_hour=2)
    caller = Caller(bek)
    answers = [caller.post("balance/create-invoice", {"amount": 1}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 3601
    assert Invoice.objects.count() == 2


# The status that the front end polls ----------------------------------------------------------------------------------


@pytest.mark.contract
def test_the_status_goes_from_pending_to_paid_with_the_present_balance(bek: Member) -> None:
    invoice = bill(bek, 300)
    caller = Caller(bek)
    path = f"balance/payment/{invoice.pk}/status"
    assert caller.get(path).json() == {
        "payment_id": invoice.pk,
        "status": "pending",
        "amount": 300,
        "new_balance": None,
    }
    assert post(pay(invoice)).json() == {"ok": True}
    assert caller.get(path).json() == {"payment_id": invoice.pk, "status": "paid", "amount": 300, "new_balance": 400}


@pytest.mark.contract
def test_another_members_payment_does_not_exist(bek: Member, dina: Member) -> None:
    invoice = bill(bek)
    answer = Caller(dina).get(f"balance/payment/{invoice.pk}/status")
    assert (answer.status_code, answer.json()["detail"]) == (404, "Payment not found")
    assert Caller(bek).get("balance/payment/999999/status").status_code == 404
    assert Caller(bek).get(f"balance/payment/{2**70}/status").status_code == 404
    assert Caller().get(f"balance/payment/{invoice.pk}/status").status_code == 401


@pytest.mark.contract
def test_a_payment_id_that_is_no_number_is_malformed(bek: Member) -> None:
    answer = Caller(bek).get("balance/payment/first/status")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["path", "payment_id"]


@pytest.mark.parametrize(
    ("status", "word"), [(Status.FAILED, "expired"), (Status.CANCELLED, "expired"), (Status.CREATED, "pending")]
)
def test_clients_know_only_three_words(bek: Member, status: str, word: str) -> None:
    invoice = bill(bek)
    Payment.objects.update(status=status)
    assert Caller(bek).get(f"balance/payment/{invoice.pk}/status").json()["status"] == word


# The webhook ----------------------------------------------------------------------------------------------------------


@pytest.mark.contract
def test_a_paid_notice_credits_our_amount_once(bek: Member) -> None:
    invoice = bill(bek, 300)
    notice = pay(invoice)
    assert [post(notice).json() for _ in range(3)] == [{"ok": True}] * 3
    assert post(pay(invoice)).status_code == 200
    invoice.refresh_from_db()
    entry = Entry.objects.get(key=f"invoice:{invoice.pk}")
    assert (entry.amount, entry.reason, entry.balance_after) == (300, "recharge", 400)
    payment = cast.payment(invoice)
    assert (payment.status, invoice.entry_id, payment.check_at) == (Status.PAID, entry.pk, None)
    assert payment.paid_at is not None
    twin = Entry.objects.select_related("account").get(posting=entry.posting, amount=-300)
    assert twin.account.name == "urgent:topup:crypto_bot"
    assert (PaymentEvent.objects.count(), PaymentEvent.objects.filter(processed_at=None).count()) == (2, 0)
    assert list(StepLog.objects.values_list("from_status", "to_status", "by", "reason")) == [
        ("created", "pending", "system", "start"),
        ("pending", "paid", "system", "notice"),
    ]
    assert cast.balance(bek) == 400


@pytest.mark.contract
def test_the_payload_cannot_change_the_amount(bek: Member) -> None:
    invoice = bill(bek, 50)
    pay(invoice)
    body = {"update_id": 1, "update_type": "invoice_paid", "payload": {"invoice_id": number(invoice)}}
    body["payload"]["amount"] = "100000"  # type: ignore[index]
    assert post(vendors.cryptobot.notice(json.dumps(body).encode())).json() == {"ok": True}
    assert cast.balance(bek) == 150


def test_a_signed_notice_that_the_provider_denies_moves_nothing(bek: Member) -> None:
    invoice = bill(bek)
    body = {"update_id": 1, "update_type": "invoice_paid", "payload": {"invoice_id": number(invoice)}}
    assert post(vendors.cryptobot.notice(json.dumps(body).encode())).json() == {"ok": True}
    seen = cast.payment(invoice)
    assert (seen.status, seen.needs_attention) == (Status.PENDING, True)
    assert cast.balance(bek) == 100
    assert post(pay(invoice)).json() == {"ok": True}
    assert cast.balance(bek) == 200


def test_when_the_provider_cannot_be_asked_the_signed_notice_stands(bek: Member) -> None:
    invoice = bill(bek)
    notice = pay(invoice)
    vendors.cryptobot.fail_next(10, status=500)
    assert post(notice).json() == {"ok": True}
    assert cast.balance(bek) == 200


@pytest.mark.contract
@pytest.mark.parametrize("signature", ["", "0" * 64, "ё", "x" * 5000])
def test_a_forged_notice_is_401_and_moves_nothing(bek: Member, signature: str) -> None:
    notice = pay(bill(bek))
    headers = {"crypto-pay-api-signature": signature.encode("utf-8").decode("latin-1")}
    answer = post(notice, **headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert cast.balance(bek) == 100


@pytest.mark.contract
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'"invoice_paid"',
        b'{"update_type":"invoice_paid"}',
        b'{"update_type":"invoice_paid","payload":{}}',
        b'{"update_type":"invoice_paid","payload":{"invoice_id":"12"}}',
        b'{"update_type":"invoice_paid","payload":{"invoice_id":true}}',
        b'{"update_type":"invoice_paid","payload":{"invoice_id":99999999999999999999999}}',
        b'{"update_type":"invoice_paid","payload":[1]}',
        b"\xff\xfe",
    ],
)
def test_a_genuine_notice_that_cannot_be_read_is_400(db: None, body: bytes) -> None:
    answer = post(vendors.cryptobot.notice(body))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_notice")


@pytest.mark.contract
@pytest.mark.parametrize(
    "body",
    [
        b'{"update_type":"something_new","payload":{}}',
        b'{"update_type":"invoice_paid","payload":{"invoice_id":424242,"payload":"urgent-nobody"}}',
        b'{"update_type":"invoice_paid","payload":{"invoice_id":424242,"payload":"nul\\u0000"}}',
        b"{}",
    ],
)
def test_other_kinds_and_unknown_invoices_are_taken_in_quietly(db: None, body: bytes) -> None:
    answer = post(vendors.cryptobot.notice(body))
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


@pytest.mark.contract
def test_the_webhook_answers_at_the_root_and_with_a_slash_too(bek: Member) -> None:
    invoice = bill(bek)
    assert post(pay(invoice), base="").json() == {"ok": True}
    assert cast.balance(bek) == 200


def test_a_late_payment_of_an_expired_invoice_is_credited(bek: Member) -> None:
    invoice = bill(bek)
    vendors.cryptobot.expire(number(invoice))
    assert reconcile(now=timezone.now() + timedelta(minutes=31)) == 1
    assert cast.payment(invoice).status == Status.CANCELLED
    assert post(pay(invoice, is_late=True)).json() == {"ok": True}
    assert cast.payment(invoice).status == Status.PAID
    assert cast.balance(bek) == 200


def test_the_payer_is_told(bek: Member) -> None:
    invoice = bill(bek, 300)
    post(pay(invoice))
    talk()
    assert said_to(bek.pk) == ["Ваш баланс пополнен на 300 ₽"] or said_to(bek.pk) == [
        "Your balance was topped up by 300 ₽"
    ]


# Reconciliation -------------------------------------------------------------------------------------------------------


def test_a_lost_notice_is_made_good_by_asking(bek: Member) -> None:
    invoice = bill(bek)
    pay(invoice)
    assert reconcile() == 0
    assert reconcile(now=timezone.now() + timedelta(minutes=2)) == 1
    assert cast.balance(bek) == 200
    assert reconcile(now=timezone.now() + timedelta(minutes=9)) == 0


def test_an_open_bill_is_asked_about_again_and_again(bek: Member) -> None:
    invoice = bill(bek)
    assert reconcile(now=timezone.now() + timedelta(minutes=2)) == 1
    seen = cast.payment(invoice)
    assert (seen.status, seen.checks_count) == (Status.PENDING, 1)
    assert seen.check_at and seen.check_at > timezone.now()


def test_a_silent_provider_expires_nobody(bek: Member) -> None:
    invoice = bill(bek)
    vendors.cryptobot.fail_next(10, status=500)
    assert reconcile(now=timezone.now() + timedelta(hours=5)) == 1
    assert cast.payment(invoice).status == Status.PENDING


def test_a_bill_that_the_provider_never_made_ends_after_its_grace(bek: Member) -> None:
    vendors.cryptobot.lose_next(1)
    assert_refused(errors.PaymentProviderFailed, lambda: bill(bek))
    vendors.cryptobot.invoices.clear()
    reconcile(now=timezone.now() + timedelta(minutes=34))
    assert Payment.objects.get().status == Status.CREATED
    reconcile(now=timezone.now() + timedelta(minutes=37))
    assert Payment.objects.get().status == Status.CANCELLED


# Staff ----------------------------------------------------------------------------------------------------------------


def test_staff_may_ask_the_provider_at_once(bek: Member) -> None:
    invoice = bill(bek)
    pay(invoice)
    asked = payments.ask_gateway(cast.payment(invoice), source="staff asked")
    assert (asked.status, cast.balance(bek)) == (Status.PAID, 200)


def test_a_crypto_payment_cannot_be_paid_back_by_the_provider(bek: Member) -> None:
    invoice = bill(bek)
    post(pay(invoice))
    staff = cast.staff()
    assert_refused(
        payments.NotRefundable,
        lambda: payments.refund_by_staff(
            by=staff, payment=cast.payment(invoice), amount=None, key="k", reason="asked for it"
        ),
        unchanged=world(),
    )


# Races ----------------------------------------------------------------------------------------------------------------


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_equal_notices_at_once_credit_once() -> None:
    bek = cast.member(cast.BEK)
    notice = pay(bill(bek, 300))
    answers = race(10, lambda _: post(notice).status_code)
    assert answers == [200] * 10
    assert cast.balance(bek) == 300
    assert Entry.objects.filter(reason="recharge", version__isnull=False).count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_notice_and_two_reconcilers_credit_once() -> None:
    bek = cast.member(cast.BEK)
    notice = pay(bill(bek, 300))
    later = timezone.now() + timedelta(minutes=2)
    race(6, lambda number: post(notice) if number % 2 else reconcile(now=later))
    assert cast.balance(bek) == 300
    assert StepLog.objects.filter(to_status="paid").count() == 1
