"""Top-ups through YooKassa: unsigned notices, one question to the provider, one credit (contract urgent 10, 3.7)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.models import OutboxMessage, StepLog
from apps.core.testing import assert_refused, race
from apps.core.texts import speaking
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.vendor import Notice
from apps.integrations.sandbox.yukassa import Payment as Kept
from apps.ledger.models import Entry
from apps.payments import actions as payments
from apps.payments.models import Payment, PaymentEvent
from apps.urgent import conf, errors
from apps.urgent.actions import invoices
from apps.urgent.models import Invoice, Member
from apps.urgent.tests import cast
from apps.urgent.tests.cast import Caller

Status = Payment.Status
SOON = timedelta(minutes=2)


def world() -> list[QuerySet[Any]]:
    return [model.objects.all() for model in (Invoice, Entry, OutboxMessage, PaymentEvent)]


def bill(by: Member, amount: int = 100) -> Invoice:
    return invoices.create(by=by, amount=amount, provider="yukassa")


def reconcile(now: datetime | None = None) -> int:
    """How many payments the schedule asked about."""
    return payments.reconcile(now=now)["payments"]


def mark(invoice: Invoice) -> str:
    """Our name for its payment."""
    return cast.payment(invoice).shop_transaction_id


def at_vendor(invoice: Invoice) -> Kept:
    """The payment that the vendor keeps for this bill."""
    [found] = [kept for kept in vendors.yukassa.payments.values() if kept.metadata == {"invoice": mark(invoice)}]
    return found


def pay(invoice: Invoice, **how: Any) -> Notice:
    return vendors.yukassa.pay(at_vendor(invoice).id, **how)


def post(notice: Notice | bytes, base: str = "/urgent") -> HttpResponse:
    body = notice if isinstance(notice, bytes) else notice.body
    answer: HttpResponse = Client().generic("POST", f"{base}/api/balance/webhook/yukassa", body, "application/json")
    return answer


def heard(notice: Notice | bytes) -> tuple[int, dict[str, Any]]:
    answer = post(notice)
    return answer.status_code, json.loads(answer.content)


def standing(invoice: Invoice) -> tuple[str, bool]:
    invoice.refresh_from_db()
    payment = cast.payment(invoice)
    return payment.status, payment.needs_attention


def lost_bill(by: Member) -> Invoice:
    """The provider made the payment, its answer never came."""
    vendors.yukassa.lose_next(1)
    assert_refused(errors.PaymentProviderFailed, lambda: bill(by))
    return Invoice.objects.get()


# Making a bill --------------------------------------------------------------------------------------------------------


def test_an_invoice_leads_to_the_payment_page(bek: Member) -> None:
    answer = Caller(bek).post("balance/create-invoice", {"amount": 300, "provider": "yukassa"})
    invoice = Invoice.objects.get()
    kept = at_vendor(invoice)
    assert answer.json() == {
        "payment_id": invoice.pk,
        "pay_url": vendors.yukassa.pay_url(kept),
        "mini_app_invoice_url": None,
    }
    assert (cast.payment(invoice).method, cast.payment(invoice).vendor_id) == ("yukassa", kept.id)
    assert kept.asked == {
        "amount": {"value": "300.00", "currency": "RUB"},
        "capture": True,
        "confirmation": kept.asked["confirmation"],
        "description": "Пополнение баланса: 300 RUB",
        "metadata": {"invoice": mark(invoice)},
    }
    assert kept.asked["confirmation"]["type"] == "redirect"


@pytest.mark.parametrize(
    ("name", "goes_to"), [("", "http://localhost:8000"), ("mahalla_bot", "https://t.me/mahalla_bot")]
)
def test_the_payer_comes_back_to_the_bot_or_to_us(bek: Member, settings: Settings, name: str, goes_to: str) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    settings.URGENT = replace(settings.URGENT, bot_username=name)
    assert at_vendor(bill(bek)).asked["confirmation"]["return_url"] == goes_to


@pytest.mark.parametrize("status", [400, 401])
def test_a_no_ends_the_row(bek: Member, status: int) -> None:
    vendors.yukassa.fail_next(1, status=status)
    assert_refused(errors.PaymentProviderFailed, lambda: bill(bek))
    assert standing(Invoice.objects.get()) == (Status.FAILED, False)
    assert not vendors.yukassa.payments


@pytest.mark.parametrize("status", [429, 500])
def test_a_fault_of_theirs_is_not_a_no(bek: Member, status: int) -> None:
    vendors.yukassa.fail_next(1, status=status)
    assert Caller(bek).post("balance/create-invoice", {"amount": 5, "provider": "yukassa"}).status_code == 502
    assert standing(Invoice.objects.get()) == (Status.CREATED, False)


# Who serves a caller that names nobody --------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", conf.PROVIDERS)
def test_the_operator_chooses(bek: Member, settings: Settings, chosen: str) -> None:
    settings.URGENT = replace(settings.URGENT, payment_provider=chosen)
    assert cast.payment(invoices.create(by=bek, amount=10)).method == chosen


def test_a_choice_that_is_not_set_up_falls_to_the_next(bek: Member, settings: Settings) -> None:
    settings.URGENT = replace(settings.URGENT, payment_provider="yukassa")
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, yukassa_secret_key="")
    assert cast.payment(invoices.create(by=bek, amount=10)).method == "crypto_bot"
    assert_refused(errors.PaymentsNotConfigured, lambda: bill(bek), unchanged=world())


def test_an_unknown_choice_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("URGENT_PAYMENT_PROVIDER", raising=False)
    monkeypatch.setenv("PAYMENT_PROVIDER", "pigeon")
    with pytest.raises(ValueError, match="pigeon"):
        conf.load(embedded=True)


# Notices --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["/urgent", ""])
def test_a_payment_is_credited_once(bek: Member, base: str) -> None:
    invoice = bill(bek, 300)
    notice = pay(invoice)
    assert [post(notice, base).status_code for _ in range(3)] == [200] * 3
    assert heard(pay(invoice)) == (200, {"ok": True})
    entry = Entry.objects.get(key=f"invoice:{invoice.pk}")
    assert (entry.amount, entry.reason, entry.balance_after, cast.balance(bek)) == (300, "recharge", 400, 400)
    twin = Entry.objects.select_related("account").get(posting=entry.posting, amount=-300)
    assert twin.account.name == "urgent:topup:yukassa"
    assert standing(invoice) == (Status.PAID, False)
    payment = cast.payment(invoice)
    assert (invoice.entry_id, payment.check_at, payment.vendor_id) == (entry.pk, None, at_vendor(invoice).id)
    event = PaymentEvent.objects.get()
    assert (event.method, event.external_id, event.is_genuine) == ("yukassa", payment.vendor_id, False)
    assert list(StepLog.objects.values_list("from_status", "to_status", "reason")) == [
        ("created", "pending", "start"),
        ("pending", "paid", "notice"),
    ]
    path = f"balance/payment/{invoice.pk}/status"
    assert Caller(bek).get(path).json()["new_balance"] == 400


def test_a_forged_notice_moves_nothing(bek: Member) -> None:
    invoice = bill(bek)
    unchanged = [list(rows.values()) for rows in world()]
    assert heard(vendors.yukassa.forge(at_vendor(invoice).id)) == (200, {"ok": True})
    assert [list(rows.values()) for rows in world()] == unchanged
    assert cast.balance(bek) == 100


def test_a_payment_of_another_bill_pays_only_its_own(bek: Member, dina: Member) -> None:
    """The id of a payment that was really made, with the mark of a bill that waits for its number."""
    paid = bill(dina)
    pay(paid)
    waiting = lost_bill_beside(bek)
    lie = {"id": at_vendor(paid).id + "0", "metadata": {"invoice": mark(waiting)}}
    assert heard(vendors.yukassa.notice("payment.succeeded", lie))[0] == 200
    vendors.yukassa.payments[str(lie["id"])] = at_vendor(paid)
    assert heard(vendors.yukassa.notice("payment.succeeded", lie))[0] == 200
    assert standing(waiting) == (Status.CREATED, False)
    assert (cast.payment(waiting).vendor_id, cast.balance(bek)) == (None, 100)


def lost_bill_beside(by: Member) -> Invoice:
    vendors.yukassa.lose_next(1)
    assert_refused(errors.PaymentProviderFailed, lambda: bill(by))
    return Invoice.objects.get(member=by)


@pytest.mark.parametrize("amount", ["1.00", "99.99", "100.01", "10000.00"])
def test_another_sum_is_not_credited_and_staff_are_called(bek: Member, amount: str) -> None:
    invoice = bill(bek)
    assert heard(pay(invoice, amount=Decimal(amount))) == (200, {"ok": True})
    assert standing(invoice) == (Status.PENDING, True)
    payments.ask_gateway(cast.payment(invoice))
    assert standing(invoice) == (Status.PENDING, True)
    assert cast.balance(bek) == 100
    assert not PaymentEvent.objects.exists()


def test_reconcile_credits_no_other_sum_either(bek: Member) -> None:
    invoice = bill(bek)
    pay(invoice, amount=Decimal(7))
    assert reconcile(now=timezone.now() + SOON) == 1
    assert standing(invoice) == (Status.PENDING, True)
    assert cast.balance(bek) == 100


def test_an_unknown_payment_is_taken_in_quietly_and_not_asked_about(bek: Member) -> None:
    bill(bek)
    asked = len(vendors.yukassa.requests)
    stranger = {"id": "2419a771-000f-5000-9000-1edaf29243f2", "metadata": {"invoice": "urgent-nobody"}}
    assert heard(vendors.yukassa.notice("payment.succeeded", stranger)) == (200, {"ok": True})
    assert len(vendors.yukassa.requests) == asked


@pytest.mark.parametrize("event", ["refund.succeeded", "payout.succeeded", "payment"])
def test_other_kinds_are_taken_in_quietly(db: None, event: str) -> None:
    assert heard(vendors.yukassa.notice(event, {"id": "x"})) == (200, {"ok": True})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"event":"payment.succeeded","object":{"id":"a"}}',
        b'{"type":"notification","object":{"id":"a"}}',
        b'{"type":"notification","event":1,"object":{"id":"a"}}',
        b'{"type":"notification","event":"payment.succeeded"}',
        b'{"type":"notification","event":"payment.succeeded","object":[]}',
        b'{"type":"notification","event":"payment.succeeded","object":{"id":7}}',
        b'{"type":"notification","event":"payment.succeeded","object":{"id":"../../v3/me"}}',
        b'{"type":"notification","event":"payment.succeeded","object":{"id":"nul\\u0000"}}',
    ],
)
def test_what_cannot_be_read_is_400(db: None, body: bytes) -> None:
    status, said = heard(body)
    assert (status, said["code"]) == (400, "malformed_notice")


@pytest.mark.parametrize("metadata", [None, [], {"invoice": 1}, {"invoice": "nul\x00"}, {}])
def test_strange_metadata_is_no_error(db: None, metadata: Any) -> None:
    assert heard(vendors.yukassa.notice("payment.succeeded", {"id": "a", "metadata": metadata}))[0] == 200


def test_when_the_provider_cannot_be_asked_it_is_told_to_come_again(bek: Member) -> None:
    invoice = bill(bek)
    notice = pay(invoice)
    vendors.yukassa.fail_next(3, status=500)
    status, said = heard(notice)
    assert (status, said["code"], cast.balance(bek)) == (502, "payment_provider_failed", 100)
    assert heard(notice) == (200, {"ok": True})
    assert cast.balance(bek) == 200


def test_a_storm_of_notices_about_one_bill_is_stopped(bek: Member) -> None:
    lie = vendors.yukassa.forge(at_vendor(bill(bek)).id)
    answers = [post(lie).status_code for _ in range(31)]
    assert answers == [200] * 30 + [429]


def test_a_cancelled_payment_ends_its_bill(bek: Member) -> None:
    invoice = bill(bek)
    assert heard(vendors.yukassa.cancel(at_vendor(invoice).id)) == (200, {"ok": True})
    assert standing(invoice) == (Status.CANCELLED, False)


def test_a_late_payment_is_credited(bek: Member) -> None:
    invoice = bill(bek)
    post(vendors.yukassa.cancel(at_vendor(invoice).id))
    assert heard(pay(invoice, is_late=True)) == (200, {"ok": True})
    assert standing(invoice) == (Status.PAID, False)
    assert cast.balance(bek) == 200


# When the answer got lost, and reconciliation -------------------------------------------------------------------------


def test_a_lost_answer_then_reconcile_finds_the_same_payment(bek: Member) -> None:
    invoice = lost_bill(bek)
    assert (standing(invoice)[0], cast.payment(invoice).vendor_id) == (Status.CREATED, None)
    assert reconcile(now=timezone.now() + SOON) == 1
    assert standing(invoice) == (Status.PENDING, False)
    assert cast.payment(invoice).vendor_id == at_vendor(invoice).id
    assert len(vendors.yukassa.payments) == 1
    pay(invoice)
    assert reconcile(now=timezone.now() + 3 * SOON) == 1
    assert standing(invoice) == (Status.PAID, False)
    assert cast.balance(bek) == 200


def test_the_repeat_is_word_for_word_the_same_in_every_language(bek: Member) -> None:
    with speaking("tr"):
        lost_bill(bek)
    assert reconcile(now=timezone.now() + SOON) == 1
    invoice = Invoice.objects.get()
    assert cast.payment(invoice).vendor_id == at_vendor(invoice).id


def test_a_notice_finds_the_row_whose_answer_got_lost(bek: Member) -> None:
    invoice = lost_bill(bek)
    assert heard(pay(invoice)) == (200, {"ok": True})
    assert standing(invoice) == (Status.PAID, False)
    assert (cast.payment(invoice).vendor_id, cast.balance(bek)) == (at_vendor(invoice).id, 200)


def test_another_sum_for_a_bill_whose_answer_got_lost_stays_with_staff(bek: Member) -> None:
    invoice = lost_bill(bek)
    post(pay(invoice, amount=Decimal(1)))
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        payments.ask_gateway(cast.payment(invoice))
    assert standing(invoice) == (Status.CREATED, True)
    assert (cast.payment(invoice).vendor_id, cast.balance(bek)) == (at_vendor(invoice).id, 100)


def test_a_lost_notice_is_made_good_by_asking(bek: Member) -> None:
    invoice = bill(bek)
    pay(invoice)
    assert reconcile() == 0
    assert reconcile(now=timezone.now() + SOON) == 1
    assert standing(invoice) == (Status.PAID, False)
    assert reconcile(now=timezone.now() + timedelta(hours=1)) == 0


def test_an_unpaid_bill_ends_when_the_provider_says_so(bek: Member) -> None:
    invoice = bill(bek)
    with time_machine.travel(timezone.now() + timedelta(minutes=59)):
        reconcile()
        assert standing(invoice) == (Status.PENDING, False)
    with time_machine.travel(timezone.now() + timedelta(minutes=62)):
        reconcile()
    assert standing(invoice) == (Status.CANCELLED, False)


def test_a_bill_without_an_answer_is_not_asked_for_again_when_nobody_waits(bek: Member) -> None:
    invoice = lost_bill(bek)
    vendors.yukassa.clear()
    with time_machine.travel(timezone.now() + timedelta(minutes=41)):
        assert reconcile() == 1
    assert standing(invoice) == (Status.CANCELLED, False)
    assert not vendors.yukassa.payments


def test_a_silent_provider_expires_nobody(bek: Member) -> None:
    invoice = bill(bek)
    vendors.yukassa.fail_next(10, status=500)
    assert reconcile(now=timezone.now() + timedelta(hours=5)) == 1
    assert standing(invoice) == (Status.PENDING, False)


def test_one_bill_that_is_refused_an_answer_does_not_hold_up_the_others(bek: Member, dina: Member) -> None:
    first, second = bill(bek), bill(dina)
    pay(first)
    pay(second)
    vendors.yukassa.fail_next(1, status=403)
    assert reconcile(now=timezone.now() + SOON) == 2
    assert (standing(first)[0], standing(second)[0]) == (Status.PENDING, Status.PAID)
    reconcile(now=timezone.now() + 3 * SOON)
    assert standing(first)[0] == Status.PAID


# Staff ----------------------------------------------------------------------------------------------------------------


def test_staff_ask_at_once_and_give_nothing_back(bek: Member) -> None:
    invoice = bill(bek)
    pay(invoice)
    asked = payments.ask_gateway(cast.payment(invoice), source="staff asked")
    assert (asked.status, cast.balance(bek)) == (Status.PAID, 200)
    staff = cast.staff()
    assert_refused(
        payments.NotRefundable,
        lambda: payments.refund_by_staff(by=staff, payment=asked, amount=None, key="k", reason="asked for it"),
        unchanged=world(),
    )


def test_staff_are_told_when_it_does_not_answer(bek: Member) -> None:
    invoice = bill(bek)
    for status in (403, 503):
        vendors.yukassa.fail_next(3, status=status)
        assert_refused(payments.GatewayDown, lambda: payments.ask_gateway(cast.payment(invoice)), unchanged=world())
        vendors.yukassa.fail_next(0)


# Races ----------------------------------------------------------------------------------------------------------------


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_notices_at_once_credit_once() -> None:
    bek = cast.member(cast.BEK)
    notice = pay(bill(bek, 300))
    assert race(2, lambda _: post(notice).status_code) == [200, 200]
    assert cast.balance(bek) == 300
    assert Entry.objects.filter(reason="recharge", version__isnull=False).count() == 1
    assert PaymentEvent.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_notices_and_reconcilers_of_a_bill_whose_answer_got_lost_credit_once() -> None:
    bek = cast.member(cast.BEK)
    notice = pay(lost_bill(bek))
    later = timezone.now() + SOON
    race(8, lambda number: post(notice).status_code if number % 2 else reconcile(now=later))
    assert standing(Invoice.objects.get())[0] == Status.PAID
    assert cast.balance(bek) == 100
    assert StepLog.objects.filter(to_status="paid").count() == 1
