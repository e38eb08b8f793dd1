"""Telegram Stars: the bot's webhook from Start to refund (contract urgent 3.7, 4.4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
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
from apps.urgent import errors
from apps.urgent.actions import invoices
from apps.urgent.models import Invoice, Member, StrayPayment
from apps.urgent.tests import cast
from apps.urgent.tests.cast import Caller
from apps.urgent.tests.talking import said_to, talk

Status = Invoice.Status


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
    query_id, question = vendors.telegram.pre_checkout(invoice.pay_url, person(payer))
    assert post(question).json() == {"ok": True}
    return query_id, vendors.telegram.checkouts[query_id].is_allowed


def pay(invoice: Invoice, payer: Member) -> Notice:
    query_id, is_allowed = ask(invoice, payer)
    assert is_allowed
    return vendors.telegram.successful_payment(query_id)


def money() -> list[QuerySet[Any]]:
    return [Entry.objects.all()]


@pytest.mark.contract
def test_a_stars_invoice_is_a_telegram_link(bek: Member, settings: Settings) -> None:
    answer = Caller(bek).post("balance/create-invoice", {"amount": 100, "provider": "telegram_stars"}).json()
    invoice = Invoice.objects.get()
    assert answer["mini_app_invoice_url"] == answer["pay_url"] == invoice.pay_url
    assert answer["pay_url"].startswith("https://t.me/$")
    assert invoice.stars == 67  # 100 roubles at 1.5 roubles a Star, rounded up: the house never loses
    asked = vendors.telegram.invoices[invoice.pay_url.rpartition("$")[2]]
    assert (asked.stars, asked.payload) == (67, invoice.mark)
    assert len(invoice.mark.encode()) <= 128


def test_without_crypto_bot_stars_serve_the_old_client(bek: Member, settings: Settings) -> None:
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, crypto_bot_api_token="")
    answer = Caller(bek).post("balance/create-invoice", {"amount": 100}).json()
    assert answer["mini_app_invoice_url"].startswith("https://t.me/$")


@pytest.mark.contract
def test_a_payment_in_stars_credits_roubles_once(bek: Member) -> None:
    invoice = bill(bek)
    notice = pay(invoice, bek)
    assert [post(notice).json() for _ in range(3)] == [{"ok": True}] * 3
    invoice.refresh_from_db()
    assert (invoice.status, invoice.payer_id) == (Status.PAID, bek.pk)
    assert invoice.charge_id and invoice.charge_id.startswith("stx")
    assert cast.balance(bek) == 200
    assert Entry.objects.get(account__name="urgent:topup:stars").amount == -100
    assert WebhookReceipt.objects.filter(vendor="telegram").count() == 1
    assert not StrayPayment.objects.exists()


def test_the_same_money_told_under_another_update_number_counts_once(bek: Member) -> None:
    invoice = bill(bek)
    query_id, _ = ask(invoice, bek)
    assert post(vendors.telegram.successful_payment(query_id)).status_code == 200
    assert post(vendors.telegram.successful_payment(query_id)).status_code == 200
    assert cast.balance(bek) == 200
    assert not StrayPayment.objects.exists()


@pytest.mark.contract
def test_a_question_about_a_good_invoice_is_answered_yes(bek: Member) -> None:
    assert ask(bill(bek), bek)[1] is True


def test_questions_that_get_no(bek: Member) -> None:
    invoice = bill(bek)
    Invoice.objects.update(expires_at=timezone.now())
    assert ask(invoice, bek)[1] is False
    Invoice.objects.update(expires_at=timezone.now() + timedelta(minutes=5), stars=1)
    assert ask(invoice, bek)[1] is False
    Invoice.objects.update(stars=invoice.stars, status=Status.EXPIRED)
    assert ask(invoice, bek)[1] is False
    Invoice.objects.all().delete()
    query_id, is_allowed = ask(invoice, bek)
    assert is_allowed is False
    assert vendors.telegram.checkouts[query_id].error == "This invoice does not exist"


def test_a_friend_may_pay_and_is_the_one_who_gets_it_back(bek: Member, dina: Member) -> None:
    invoice = bill(bek)
    post(pay(invoice, dina))
    invoice.refresh_from_db()
    assert (invoice.payer_id, cast.balance(bek), cast.balance(dina)) == (dina.pk, 200, 100)
    invoices.refund(by=cast.staff(), invoice=invoice, reason="changed her mind")
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
    stray = StrayPayment.objects.get()
    assert (stray.invoice_id, stray.telegram_id, stray.amount, stray.returned_at) == (invoice.pk, bek.pk, 67, None)
    talk()
    stray.refresh_from_db()
    assert stray.returned_at is not None
    assert [row["id"] for row in vendors.telegram.transactions if "receiver" in row] == [stray.charge_id]


@pytest.mark.parametrize("change", [{"total_amount": 1}, {"currency": "RUB"}, {"invoice_payload": "somebody-else"}])
def test_money_that_does_not_fit_is_not_credited_and_goes_back(bek: Member, change: dict[str, Any]) -> None:
    invoice = bill(bek)
    query_id, _ = ask(invoice, bek)
    vendors.telegram.successful_payment(query_id)
    payment = {
        "currency": "XTR",
        "total_amount": invoice.stars,
        "invoice_payload": invoice.mark,
        "telegram_payment_charge_id": vendors.telegram.checkouts[query_id].charge_id,
    }
    notice = vendors.telegram.update(message={"from": person(bek), "successful_payment": {**payment, **change}})
    assert post(notice).json() == {"ok": True}
    assert cast.balance(bek) == 100
    deliver()
    assert StrayPayment.objects.get().returned_at is not None


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
    query_id, question = vendors.telegram.pre_checkout(invoice.pay_url, person(bek))
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
    invoice.refresh_from_db()
    refunded = invoices.refund(by=cast.staff(), invoice=invoice, reason="paid by mistake")
    assert (refunded.status, cast.balance(bek)) == (Status.REFUNDED, 100)
    deliver()
    assert [row["id"] for row in vendors.telegram.transactions if "receiver" in row] == [invoice.charge_id]
    assert_refused(
        errors.PaymentNotRefundable,
        lambda: invoices.refund(by=cast.staff(), invoice=invoice, reason="again"),
        unchanged=money(),
    )


def test_spent_money_is_not_paid_back(farid: Member) -> None:
    invoice = bill(farid)
    post(pay(invoice, farid))
    invoice.refresh_from_db()
    staff = cast.staff()
    order = cast.place(cast.member(cast.AZIZ))
    cast.take(farid, order)
    assert_refused(
        ledger.NotEnoughBalance,
        lambda: invoices.refund(by=staff, invoice=invoice, reason="wants all"),
        unchanged=money(),
    )
    invoice.refresh_from_db()
    assert invoice.status == Status.PAID


def test_paying_back_wants_a_right_and_a_reason(bek: Member) -> None:
    invoice = bill(bek)
    post(pay(invoice, bek))
    staff = cast.staff()
    assert_refused(
        errors.NotAModerator, lambda: invoices.refund(by=bek.user, invoice=invoice, reason="mine"), unchanged=money()
    )
    assert_refused(
        errors.ReasonNeeded, lambda: invoices.refund(by=staff, invoice=invoice, reason="  "), unchanged=money()
    )


def refunded_notice(invoice: Invoice, payer: Member) -> Notice:
    refund = {"currency": "XTR", "total_amount": invoice.stars, "telegram_payment_charge_id": invoice.charge_id}
    return vendors.telegram.update(message={"from": person(payer), "refunded_payment": refund})


def test_a_refund_by_telegram_takes_the_roubles_back_once(bek: Member) -> None:
    invoice = bill(bek)
    post(pay(invoice, bek))
    invoice.refresh_from_db()
    for _ in range(2):
        assert post(refunded_notice(invoice, bek)).json() == {"ok": True}
    invoice.refresh_from_db()
    assert (invoice.status, invoice.shortfall, cast.balance(bek)) == (Status.REFUNDED, 0, 100)
    deliver()
    assert [row for row in vendors.telegram.transactions if "receiver" in row] == []


def test_what_was_spent_before_a_refund_by_telegram_is_a_shortfall(farid: Member) -> None:
    invoice = bill(farid)
    post(pay(invoice, farid))
    invoice.refresh_from_db()
    cast.take(farid, cast.place(cast.member(cast.AZIZ)))
    assert post(refunded_notice(invoice, farid)).json() == {"ok": True}
    invoice.refresh_from_db()
    assert (invoice.status, invoice.shortfall, invoice.needs_attention) == (Status.REFUNDED, 2, True)
    assert cast.balance(farid) == 0


# Reconciliation -------------------------------------------------------------------------------------------------------


def test_a_lost_update_is_found_in_the_stars_account(bek: Member, dina: Member) -> None:
    invoice, other = bill(bek), bill(dina)
    pay(invoice, bek)
    assert invoices.reconcile(now=timezone.now() + timedelta(minutes=2)) == 2
    invoice.refresh_from_db()
    other.refresh_from_db()
    assert (invoice.status, invoice.payer_id, cast.balance(bek)) == (Status.PAID, bek.pk, 200)
    assert other.status == Status.PENDING
    assert invoices.reconcile(now=timezone.now() + timedelta(minutes=50)) == 1
    other.refresh_from_db()
    assert other.status == Status.EXPIRED


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_equal_updates_at_once_credit_once() -> None:
    bek = cast.member(cast.BEK)
    notice = pay(bill(bek), bek)
    assert race(10, lambda _: post(notice).status_code) == [200] * 10
    assert cast.balance(bek) == 100
    assert not StrayPayment.objects.exists()


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
