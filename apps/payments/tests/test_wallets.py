"""CryptoBot, Stars and YooKassa as gateways; how their notices are believed is proved beside urgent's top-ups."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.core.money import Money
from apps.core.testing import assert_refused, deliver, race
from apps.integrations.sandbox import vendors
from apps.payments import actions
from apps.payments.models import Payment, Refund
from apps.payments.tests import cast

PRICES = {
    "crypto_bot": Money(Decimal(300), "RUB"),
    "telegram_stars": Money(Decimal(67), "XTR"),
    "yukassa": Money(Decimal(300), "RUB"),
}
SENDER = {"id": 7001, "is_bot": False, "first_name": "Aida"}


def begin(payer: User | None, method: str, reference: str = "41", **changes: Any) -> Payment:
    words = {"description": "Top-up", "return_url": "https://shop.example", "key": reference, **changes}
    price = words.pop("amount", PRICES[method])
    return actions.start(
        by=payer, payer=payer, purpose=cast.PURPOSE, reference=reference, amount=price, method=method, **words
    )


def stars_told(payment: Payment, charge_id: str = "charge-1", **changes: Any) -> dict[str, Any]:
    """Telegram's `successful_payment`."""
    return {
        "currency": "XTR",
        "total_amount": int(payment.amount),
        "invoice_payload": payment.shop_transaction_id,
        "telegram_payment_charge_id": charge_id,
        **changes,
    }


def paid_in_stars(payment: Payment) -> Payment:
    """Paid inside Telegram by 7001, which told us."""
    query_id, question = vendors.telegram.pre_checkout(payment.pay_url, SENDER)
    vendors.telegram.checkouts[query_id].is_allowed = True
    vendors.telegram.successful_payment(query_id)
    actions.receive_stars(stars_told(payment, vendors.telegram.checkouts[query_id].charge_id), payer_id=7001)
    return cast.fresh(payment)


def names(told: list[Any]) -> list[str]:
    return [type(fact).__name__ for fact in told]


@pytest.mark.parametrize("method", PRICES)
def test_a_wallet_gives_a_page_and_keeps_our_figures(aida: User, method: str) -> None:
    payment = begin(aida, method, lifetime=timedelta(minutes=7))
    assert (payment.status, payment.money, payment.method) == ("pending", PRICES[method], method)
    assert payment.expires_at - payment.created_at == timedelta(minutes=7)
    assert payment.pay_url.startswith("http") and begin(aida, method).pk == payment.pk


@pytest.mark.parametrize("method", PRICES)
def test_money_that_a_wallet_does_not_hold_is_refused(aida: User, method: str) -> None:
    with pytest.raises(actions.GatewayRefused):
        begin(aida, method, amount=Money(Decimal(300), "UZS"))
    assert Payment.objects.get().status == "failed"


def test_wallets_are_the_products_choice_not_the_operators(aida: User, settings: Any) -> None:
    assert set(actions.offered_methods()) & set(PRICES) == set()
    assert set(actions.offered_wallets()) == set(PRICES)
    settings.INTEGRATIONS = type(settings.INTEGRATIONS)(**{**vars(settings.INTEGRATIONS), "crypto_bot_api_token": ""})
    assert set(actions.offered_wallets()) == {"telegram_stars", "yukassa"}
    with pytest.raises(actions.MethodNotOffered):
        begin(aida, "crypto_bot")


@pytest.mark.parametrize("method", ["crypto_bot", "telegram_stars"])
def test_many_are_asked_about_with_one_question(aida: User, method: str) -> None:
    for number in range(8):
        begin(aida, method, reference=str(number))
    vendor = {"crypto_bot": vendors.cryptobot, "telegram_stars": vendors.telegram}[method]
    asked = len(vendor.requests)
    assert actions.reconcile(now=timezone.now() + timedelta(minutes=3))["payments"] == 8
    assert len(vendor.requests) == asked + 1


@pytest.mark.parametrize(("method", "status"), [("crypto_bot", "pending"), ("telegram_stars", "cancelled")])
def test_what_a_wallet_calls_open_is_not_ended_by_our_clock(aida: User, method: str, status: str) -> None:
    """A link of Stars has no end of its own: the question before the payment says no."""
    payment = begin(aida, method, lifetime=timedelta(minutes=1))
    actions.reconcile(now=timezone.now() + timedelta(minutes=7))
    assert cast.fresh(payment).status == status


def test_stars_for_nothing_we_know_go_back(db: None, told: list[Any]) -> None:
    told_us = {"currency": "XTR", "total_amount": 5, "invoice_payload": "x", "telegram_payment_charge_id": "charge-1"}
    vendors.telegram.transactions.append(
        {"id": "charge-1", "amount": 5, "date": 1_700_000_000, "source": {"type": "user", "user": SENDER}}
    )
    for _time in range(2):
        actions.receive_stars(told_us, payer_id=7001)
        deliver()
    stray = Payment.objects.get()
    assert (stray.purpose, stray.status, stray.amount, stray.is_surplus) == ("stray", "refunded", Decimal(5), True)
    assert names(told) == ["SurplusTaken", "RefundSettled"]
    assert told[1].is_surplus is True


def test_stars_of_another_number_pay_nothing_also_when_the_account_is_read(aida: User, told: list[Any]) -> None:
    payment = begin(aida, "telegram_stars", lifetime=timedelta(minutes=30))
    row = {"id": "charge-1", "amount": 5, "date": 1_900_000_000}
    source = {"type": "user", "user": SENDER, "invoice_payload": payment.shop_transaction_id}
    vendors.telegram.transactions.append({**row, "source": source})
    actions.receive_stars(stars_told(payment, total_amount=5), payer_id=7001)
    actions.reconcile(now=timezone.now() + timedelta(minutes=3))
    assert (cast.fresh(payment).status, cast.fresh(payment).needs_attention) == ("pending", False)
    actions.reconcile(now=timezone.now() + timedelta(minutes=36))
    assert (cast.fresh(payment).status, names(told)) == (
        "cancelled",
        ["SurplusTaken", "RefundSettled", "PaymentFailed"],
    )


def test_stars_that_telegram_gave_back_are_found_by_asking(aida: User, told: list[Any]) -> None:
    payment = paid_in_stars(begin(aida, "telegram_stars"))
    assert actions.ask_gateway(payment).status == "paid"
    vendors.telegram.transactions.append(
        {"id": payment.vendor_id, "amount": 67, "date": 1_900_000_000, "receiver": {"type": "user", "user": SENDER}}
    )
    assert actions.ask_gateway(payment).status == "refunded"
    assert (names(told), told[1].is_surplus) == (["PaymentSettled", "RefundSettled"], False)


def test_our_own_refund_told_by_telegram_counts_once(aida: User, told: list[Any]) -> None:
    payment = paid_in_stars(begin(aida, "telegram_stars"))
    refund = actions.refund(by=None, payment=payment, amount=None, key="k", reason="asked for it")
    actions.stars_went_back({"telegram_payment_charge_id": payment.vendor_id})
    assert (refund.status, Refund.objects.count(), names(told).count("RefundSettled")) == ("succeeded", 1, 1)


def test_stars_go_back_whole(aida: User) -> None:
    payment = paid_in_stars(begin(aida, "telegram_stars"))
    assert_refused(
        actions.RefundOnlyWhole,
        lambda: actions.refund(by=None, payment=payment, amount=Decimal(1), key="k", reason="a part"),
        unchanged=cast.books(),
    )


@pytest.mark.race
def test_two_payments_of_one_link_at_once_keep_one(told: list[Any]) -> None:
    payment = begin(cast.person("aida"), "telegram_stars")
    race(6, lambda number: actions.receive_stars(stars_told(payment, f"charge-{number % 2}"), payer_id=7001))
    assert sorted(Payment.objects.values_list("is_surplus", flat=True)) == [False, True]
    assert cast.fresh(payment).status == "paid"
    assert names(told).count("PaymentSettled") == 1
