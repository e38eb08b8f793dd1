"""Telegram Stars: the bot's webhook from Start to refund (contract urgent 3.7, 4.4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.models import WebhookReceipt
from apps.core.testing import assert_refused, deliver, race
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.vendor import Notice
from apps.ledger import actions as ledger
from apps.ledger.models import Entry
from apps.payments import actions as payments
from apps.payments.models import Payment, Refund
from apps.urgent.actions import invoices
from apps.urgent.models import Invoice, Member
from apps.urgent.tests import cast
from apps.urgent.tests.cast import Caller
from apps.urgent.tests.talking import said_to, talk

Status = Payment.Status


def person(member: Member) -> dict[str, Any]:
    return {"id": member.pk, "is_bot": False, "first_name": "Бек", "language_code": "en"}


def bill(by: Member, amount: int = 100) -> Invoice:
    return invoices.create(by=by, amount=amount, provider="telegram_stars")


def post(notice: Notice, **changed: str) -> HttpResponse:
    headers = {**notice.headers, **changed}
    answer: HttpResponse = Client().generic(
        "POST", "/urgent/api/bot/webhook", notice.body, content_type="application/json", headers=headers
    )
    return answer


def ask(invoice: Invoice, payer: Member) -> tuple[str, bool | None]:
    """The pre-checkout question and the bot's word."""
    query_id, question = vendors.telegram.pre_checkout(cast.payment(invoice).pay_url, person(payer))
    assert post(question).json() == {"ok": True}
    return query_id, vendors.telegram.checkouts[query_id].is_allowed


def pay(invoice: Invoice, payer: Member) -> Notice:
    query_id, is_allowed = ask(invoice, payer)
    assert is_allowed
    return vendors.telegram.successful_payment(query_id)


def reconcile(now: datetime | None = None) -> int:
    """How many payments the schedule asked about."""
    return payments.reconcile(now=now)["payments"]


def stray() -> Payment:
    """The one that came twice or for nothing."""
    return Payment.objects.get(is_surplus=True)


def no_strays() -> bool:
    return not Payment.objects.filter(is_surplus=True).exists()


def give_back(invoice: Invoice, *, by: Any = None, reason: str = "paid by mistake") -> Refund:
    payment = cast.payment(invoice)
    return payments.refund_by_staff(by=by or cast.staff(), payment=payment, amount=None, key="staff", reason=reason)


def money() -> list[QuerySet[Any]]:
    return [Entry.objects.all(), Payment.objects.all(), Refund.objects.all()]


@pytest.mark.contract
def test_a_stars_invoice_is_a_telegram_link(bek: Member, settings: Settings) -> None:
    answer = Caller(bek).post("balance/create-invoice", {"amount": 100, "provider": "telegram_stars"}).json()
    invoice = Invoice.objects.get()
    payment = cast.payment(invoice)
    assert answer["mini_app_invoice_url"] == answer["pay_url"] == payment.pay_url
    assert answer["pay_url"].startswith("https://t.me/$")
    # 100 roubles at 1.5 roubles a Star, rounded up: the house never loses
    assert (payment.amount, payment.currency, invoice.amount) == (67, "XTR", 100)
    asked = vendors.telegram.invoices[payment.pay_url.rpartition("$")[2]]
    assert (asked.stars, asked.payload) == (67, payment.shop_transaction_id)
    assert len(payment.shop_transaction_id.encode()) <= 128


def test_without_crypto_bot_stars_serve_the_old_client(bek: Member, settings: Settings) -> None:
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, crypto_bot_api_token="")
    answer = Caller(bek).post("balance/create-invoice", {"amount": 100}).json()
    assert answer["mini_app_invoice_url"].startswith("https://t.me/$")


@pytest.mark.contract
def test_a_payment_in_stars_credits_roubles_once(bek: Member) -> None:
    invoice = bill(bek)
    notice = pay(invoice, bek)
    assert [post(notice).json() for _ in range(3)] == [{"ok": True}] * 3
    payment = cast.payment(invoice)
    assert (payment.status, payment.vendor_payer) == (Status.PAID, str(bek.pk))
    assert payment.vendor_id and payment.vendor_id.startswith("stx")
    assert cast.balance(bek) == 200
    assert Entry.objects.get(account__name="urgent:topup:stars").amount == -100
    assert WebhookReceipt.objects.filter(vendor="telegram").count() == 1
    assert no_strays()


def test_the_same_money_told_under_another_update_number_counts_once(bek: Member) -> None:
    invoice = bill(bek)
    query_id, _ = ask(invoice, bek)
    assert post(vendors.telegram.successful_payment(query_id)).status_code == 200
    assert post(vendors.telegram.successful_payment(query_id)).status_code == 200
    assert cast.balance(bek) == 200
    assert no_strays()


@pytest.mark.contract
def test_a_question_about_a_good_invoice_is_answered_yes(bek: Member) -> None:
    assert ask(bill(bek), bek)[1] is True


def test_questions_that_get_no(bek: Member) -> None:
    invoice = bill(bek)
    link, stars = cast.payment(invoice).pay_url, cast.payment(invoice).amount
    Payment.objects.update(expires_at=timezone.now())
    assert ask(invoice, bek)[1] is False
    Payment.objects.update(expires_at=timezone.now() + timedelta(minutes=5), amount=1)
    assert ask(invoice, bek)[1] is False
    Payment.objects.update(amount=stars, status=Status.CANCELLED)
    assert ask(invoice, bek)[1] is False
    Payment.objects.all().delete()
    query_id, question = vendors.telegram.pre_checkout(link, person(bek))
    assert post(question).status_code == 200
    is_allowed = vendors.telegram.checkouts[query_id].is_allowed
    assert is_allowed is False
    assert vendors.telegram.checkouts[query_id].error == "This invoice does not exist"


def test_a_friend_may_pay_and_is_the_one_who_gets_it_back(bek: Member, dina: Member) -> None:
    invoice = bill(bek)
    post(pay(invoice, dina))
    assert (cast.payment(invoice).vendor_payer, cast.balance(bek), cast.balance(dina)) == (str(dina.pk), 200, 100)
    give_back(invoice, reason="changed her mind")
    deliver()
    [returned] = [row for row in vendors.telegram.transactions if "receiver" in row]
    assert returned["receiver"]["user"]["id"] == dina.pk


def test_a_paid_invoice_is_not_paid_again(bek: Member) -> None:
    invoice = bill(bek)
    post(pay(invoice, bek))
    assert ask(invoice, bek)[1] is False


def test_a_second_payment_of_one_link_goes_back(bek: Member) -> None:
    invoice = bill(bek)
    first, second = pay(invoice, bek), pay(invoice, bek)
    assert post(first).status_code == post(second).status_code == 200
    assert cast.balance(bek) == 200
    second_money = stray()
    assert (second_money.reference, second_money.vendor_payer) == (str(invoice.pk), str(bek.pk))
    assert (second_money.amount, second_money.currency, second_money.status) == (67, "XTR", Status.PAID)
    talk()
    assert (stray().status, cast.payment(invoice).status) == (Status.REFUNDED, Status.PAID)
    assert [row["id"] for row in vendors.telegram.transactions if "receiver" in row] == [stray().vendor_id]
    assert cast.balance(bek) == 200


@pytest.mark.parametrize("change", [{"total_amount": 1}, {"currency": "RUB"}, {"invoice_payload": "somebody-else"}])
def test_money_that_does_not_fit_is_not_credited_and_goes_back(bek: Member, change: dict[str, Any]) -> None:
    invoice = bill(bek)
    query_id, _ = ask(invoice, bek)
    vendors.telegram.successful_payment(query_id)
    payment = {
        "currency": "XTR",
        "total_amount": int(cast.payment(invoice).amount),
        "invoice_payload": cast.payment(invoice).shop_transaction_id,
        "telegram_payment_charge_id": vendors.telegram.checkouts[query_id].charge_id,
    }
    notice = vendors.telegram.update(message={"from": person(bek), "successful_payment": {**payment, **change}})
    assert post(notice).json() == {"ok": True}
    assert cast.balance(bek) == 100
    deliver()
    assert stray().status == Status.REFUNDED


@pytest.mark.contract
def test_a_forged_update_is_401_and_moves_nothing(bek: Member) -> None:
    notice = pay(bill(bek), bek)
    for secret in ("", "wrong", "х"):
        changed = {"X-Telegram-Bot-Api-Secret-Token": secret.encode().decode("latin-1")}
        assert post(notice, **changed).status_code == 401
    assert cast.balance(bek) == 100


def test_without_a_configured_secret_nothing_is_believed(bek: Member, settings: Settings) -> None:
    notice = pay(bill(bek), bek)
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, telegram_webhook_secret="")
    assert post(notice, **{"X-Telegram-Bot-Api-Secret-Token": ""}).status_code == 401


@pytest.mark.contract
@pytest.mark.parametrize("body", [b"", b"no", b"[]", b"{}", b'{"update_id":"7"}', b'{"update_id":true}'])
def test_an_update_that_cannot_be_read_is_400(db: None, body: bytes, settings: Settings) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": settings.INTEGRATIONS.telegram_webhook_secret}
    assert post(Notice("", headers, body)).status_code == 400


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"message": None},
        {"message": []},
        {"message": {"from": {"id": "7"}, "text": "/start"}},
        {"message": {"text": "/start"}},
        {"message": {"from": {"id": 7}, "text": 5}},
        {"message": {"from": {"id": 7}, "text": "   "}},
        {"message": {"from": {"id": 7}, "successful_payment": {}}},
        {"message": {"from": {"id": 7}, "refunded_payment": {}}},
        {"edited_message": {"text": "/start"}},
        {"pre_checkout_query": {"id": 5, "from": None}},
    ],
)
def test_strange_updates_do_no_harm(db: None, content: dict[str, Any]) -> None:
    assert post(vendors.telegram.update(**content)).json() == {"ok": True}
    assert not Entry.objects.exists()


def test_when_telegram_does_not_take_our_answer_it_asks_again(bek: Member) -> None:
    invoice = bill(bek)
    query_id, question = vendors.telegram.pre_checkout(cast.payment(invoice).pay_url, person(bek))
    vendors.telegram.fail_next(10, status=500)
    assert post(question).status_code == 502
    vendors.telegram.fail_next(0)
    assert post(question).status_code == 200
    assert vendors.telegram.checkouts[query_id].is_allowed is True


# Start ----------------------------------------------------------------------------------------------------------------


@pytest.mark.contract
def test_start_is_greeted_with_a_button_into_the_app(bek: Member) -> None:
    assert post(vendors.telegram.text_from(person(bek), "/start order_abc-_123XYZ")).json() == {"ok": True}
    deliver()
    [message] = vendors.telegram.messages
    assert message["chat_id"] == bek.pk
    assert message["button"][1] == "https://t.me/mahalla_demo_bot?startapp=order_abc-_123XYZ"
    bek.user.refresh_from_db()
    assert bek.user.can_message_bot is True


def test_start_of_somebody_unknown_is_greeted_too(db: None) -> None:
    post(vendors.telegram.text_from({"id": 77, "first_name": "New"}, "/start@mahalla_demo_bot"))
    deliver()
    assert len(said_to(77)) == 1


def test_a_bad_start_parameter_leads_to_the_front_page(bek: Member) -> None:
    post(vendors.telegram.text_from(person(bek), "/start a&b=c"))
    deliver()
    assert vendors.telegram.messages[0]["button"][1] == "https://t.me/mahalla_demo_bot?startapp"


# Paying back ----------------------------------------------------------------------------------------------------------


def test_staff_pay_a_stars_invoice_back(bek: Member) -> None:
    invoice = bill(bek)
    post(pay(invoice, bek))
    staff = cast.staff()
    assert give_back(invoice, by=staff).status == "succeeded"
    payment = cast.payment(invoice)
    assert (payment.status, cast.balance(bek)) == (Status.REFUNDED, 100)
    deliver()
    assert [row["id"] for row in vendors.telegram.transactions if "receiver" in row] == [payment.vendor_id]
    assert_refused(
        payments.AlreadyRefunded,
        lambda: payments.refund_by_staff(by=staff, payment=payment, amount=None, key="two", reason="again"),
        unchanged=money(),
    )
    assert cast.balance(bek) == 100


def test_spent_money_is_not_paid_back(farid: Member) -> None:
    invoice = bill(farid)
    post(pay(invoice, farid))
    staff = cast.staff()
    order = cast.place(cast.member(cast.AZIZ))
    cast.take(farid, order)
    assert_refused(
        ledger.NotEnoughBalance,
        lambda: give_back(invoice, by=staff, reason="wants all"),
        unchanged=money(),
    )
    assert cast.payment(invoice).status == Status.PAID


def test_paying_back_wants_a_right_and_a_reason(bek: Member) -> None:
    invoice = bill(bek)
    post(pay(invoice, bek))
    staff = cast.staff()
    assert_refused(payments.NotPermitted, lambda: give_back(invoice, by=bek.user, reason="mine"), unchanged=money())
    assert_refused(payments.ReasonMissing, lambda: give_back(invoice, by=staff, reason="  "), unchanged=money())


def test_roubles_return_when_the_stars_do_not_go(bek: Member) -> None:
    """The balance is debited when the refund is asked for; a refusal of Telegram gives the roubles back."""
    invoice = bill(bek)
    post(pay(invoice, bek))
    Payment.objects.update(vendor_payer="")
    for key in ("one", "two"):
        payment = cast.payment(invoice)
        refund = payments.refund_by_staff(by=cast.staff(), payment=payment, amount=None, key=key, reason="asked for it")
        assert (refund.status, cast.balance(bek)) == ("failed", 200)
    Payment.objects.update(vendor_payer=str(bek.pk))
    give_back(invoice)
    assert (cast.payment(invoice).status, cast.balance(bek)) == (Status.REFUNDED, 100)


def refunded_notice(invoice: Invoice, payer: Member) -> Notice:
    refund = {"currency": "XTR", "total_amount": 67, "telegram_payment_charge_id": cast.payment(invoice).vendor_id}
    return vendors.telegram.update(message={"from": person(payer), "refunded_payment": refund})


def test_a_refund_by_telegram_takes_the_roubles_back_once(bek: Member) -> None:
    invoice = bill(bek)
    post(pay(invoice, bek))
    for _ in range(2):
        assert post(refunded_notice(invoice, bek)).json() == {"ok": True}
    invoice.refresh_from_db()
    assert (cast.payment(invoice).status, invoice.shortfall, cast.balance(bek)) == (Status.REFUNDED, 0, 100)
    deliver()
    assert [row for row in vendors.telegram.transactions if "receiver" in row] == []


def test_what_was_spent_before_a_refund_by_telegram_is_a_shortfall(farid: Member) -> None:
    invoice = bill(farid)
    post(pay(invoice, farid))
    cast.take(farid, cast.place(cast.member(cast.AZIZ)))
    assert post(refunded_notice(invoice, farid)).json() == {"ok": True}
    invoice.refresh_from_db()
    payment = cast.payment(invoice)
    assert (payment.status, invoice.shortfall, payment.needs_attention) == (Status.REFUNDED, 2, True)
    assert payment.note == "paid back after 2 RUB of it had been spent"
    assert cast.balance(farid) == 0


# Reconciliation -------------------------------------------------------------------------------------------------------


def test_a_lost_update_is_found_in_the_stars_account(bek: Member, dina: Member) -> None:
    invoice, other = bill(bek), bill(dina)
    pay(invoice, bek)
    assert reconcile(now=timezone.now() + timedelta(minutes=2)) == 2
    found = cast.payment(invoice)
    assert (found.status, found.vendor_payer, cast.balance(bek)) == (Status.PAID, str(bek.pk), 200)
    assert cast.payment(other).status == Status.PENDING
    assert reconcile(now=timezone.now() + timedelta(minutes=50)) == 1
    assert cast.payment(other).status == Status.CANCELLED


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_equal_updates_at_once_credit_once() -> None:
    bek = cast.member(cast.BEK)
    notice = pay(bill(bek), bek)
    assert race(10, lambda _: post(notice).status_code) == [200] * 10
    assert cast.balance(bek) == 100
    assert no_strays()


# Setting up -----------------------------------------------------------------------------------------------------------


def test_telegram_is_told_where_the_webhook_is(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://mahalla.example"
    call_command("connect_bot")
    agreed = {
        "url": "https://mahalla.example/urgent/api/bot/webhook",
        "secret_token": settings.INTEGRATIONS.telegram_webhook_secret,
    }
    assert vendors.telegram.webhook == agreed


def test_without_a_secret_the_bot_is_not_connected(settings: Settings) -> None:
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, telegram_webhook_secret="")
    with pytest.raises(CommandError):
        call_command("connect_bot")
    assert vendors.telegram.webhook["url"] == ""


def test_an_address_that_telegram_does_not_take_is_said(settings: Settings) -> None:
    settings.PUBLIC_URL = "http://mahalla.example"
    with pytest.raises(CommandError):
        call_command("connect_bot")
