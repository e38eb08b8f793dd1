"""A timeout is not a no: the schedule asks until it knows (contract shop 4.4.6)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.core.testing import race
from apps.integrations.sandbox.octo import FakeOctoBank
from apps.payments import actions, tasks
from apps.payments.models import Payment
from apps.payments.tests import cast


def names(told: list[Any]) -> list[str]:
    return [type(fact).__name__ for fact in told]


def minutes(number: int) -> Any:
    return timezone.now() + timedelta(minutes=number)


def test_a_young_payment_is_left_alone(payment: Payment, bank: FakeOctoBank) -> None:
    asked = len(bank.requests)
    assert actions.reconcile() == {"payments": 0, "refunds": 0}
    assert len(bank.requests) == asked


def test_a_lost_notice_is_made_up_for(payment: Payment, bank: FakeOctoBank, told: list[Any]) -> None:
    bank.pay(payment.shop_transaction_id)
    assert actions.reconcile(now=minutes(3)) == {"payments": 1, "refunds": 0}
    assert (cast.fresh(payment).status, names(told)) == ("paid", ["PaymentSettled"])
    assert actions.reconcile(now=minutes(60)) == {"payments": 0, "refunds": 0}


def test_an_open_payment_is_asked_about_again_and_again(payment: Payment, bank: FakeOctoBank) -> None:
    asked = len(bank.requests)
    for minute in (3, 4, 6, 9):
        actions.reconcile(now=minutes(minute))
    assert len(bank.requests) == asked + 3
    assert cast.fresh(payment).status == "pending"


def test_time_over_ends_it_and_asks_once_more(payment: Payment, bank: FakeOctoBank, told: list[Any]) -> None:
    """The gateway still says created: our clock decides, and the last look catches what came late."""
    actions.reconcile(now=minutes(21))
    assert (cast.fresh(payment).status, names(told)) == ("cancelled", ["PaymentFailed"])
    assert cast.fresh(payment).check_at is not None
    bank.pay(payment.shop_transaction_id, is_late=True)
    actions.reconcile(now=minutes(85))
    assert (cast.fresh(payment).status, names(told)) == ("paid", ["PaymentFailed", "PaymentSettled"])


def test_the_last_look_is_the_last(payment: Payment, bank: FakeOctoBank) -> None:
    actions.reconcile(now=minutes(21))
    actions.reconcile(now=minutes(85))
    assert (cast.fresh(payment).status, cast.fresh(payment).check_at) == ("cancelled", None)


def test_a_row_without_a_call_ends(aida: User, bank: FakeOctoBank) -> None:
    bank.fail_next(1, 503)
    with pytest.raises(actions.GatewayDown):
        cast.start(aida)
    actions.reconcile(now=minutes(3))
    assert Payment.objects.get().status == "created"
    actions.reconcile(now=minutes(21))
    assert Payment.objects.get().status == "cancelled"


def test_a_gateway_that_forgot_a_payment_does_not_end_it(payment: Payment, bank: FakeOctoBank) -> None:
    bank.charges.clear()
    actions.reconcile(now=minutes(21))
    assert cast.fresh(payment).status == "pending"
    actions.reconcile(now=minutes(60 * 25 + 20))
    assert cast.fresh(payment).needs_attention is True


def test_wrong_keys_end_nothing(payment: Payment, bank: FakeOctoBank) -> None:
    """An answer "wrong secret" says nothing about the payment, also when its number never reached us."""
    bank.is_locked_out = True
    Payment.objects.update(vendor_id=None)
    actions.reconcile(now=minutes(21))
    assert cast.fresh(payment).status == "pending"


def test_a_gateway_that_is_down_is_asked_later(payment: Payment, bank: FakeOctoBank) -> None:
    bank.pay(payment.shop_transaction_id)
    bank.fail_next(1, 500)
    actions.reconcile(now=minutes(30))
    assert cast.fresh(payment).status == "pending"
    actions.reconcile(now=minutes(33))
    assert cast.fresh(payment).status == "paid"


def test_held_money_is_looked_after(client: Client, aida: User, bank: FakeOctoBank) -> None:
    held = cast.pay(client, cast.start(aida, two_stage=True))
    actions.reconcile(now=minutes(25))
    assert cast.fresh(held).status == "held"
    bank.cancel(held.shop_transaction_id)
    actions.reconcile(now=minutes(35))
    assert cast.fresh(held).status == "cancelled"


def test_cash_waits_for_people(aida: User) -> None:
    payment = cast.start(aida, method="cash")
    assert (payment.status, payment.pay_url, payment.check_at) == ("pending", "", None)
    actions.reconcile(now=minutes(10_000))
    assert actions.take_cash(by=aida, payment=payment).status == "paid"
    assert actions.take_cash(by=aida, payment=payment).status == "paid"


def test_a_card_payment_is_not_taken_as_cash(payment: Payment) -> None:
    with pytest.raises(actions.MethodNotOffered):
        actions.take_cash(by=None, payment=payment)
    assert cast.fresh(payment).status == "pending"


def test_cash_cannot_be_asked_about(aida: User) -> None:
    with pytest.raises(actions.MethodNotOffered):
        actions.ask_gateway(cast.start(aida, method="cash"))


def test_the_job_runs(payment: Payment, bank: FakeOctoBank) -> None:
    bank.pay(payment.shop_transaction_id)
    Payment.objects.update(check_at=timezone.now())
    assert tasks.reconcile_payments() == {"payments": 1, "refunds": 0}
    assert cast.fresh(payment).status == "paid"


@pytest.mark.race
def test_rounds_side_by_side_settle_once(client: Client, bank: FakeOctoBank, told: list[Any]) -> None:
    aida = cast.person("aida")
    payments = [cast.start(aida, reference=str(number)) for number in range(12)]
    for payment in payments:
        bank.pay(payment.shop_transaction_id)
    rounds = race(4, lambda number: actions.reconcile(now=minutes(3))["payments"])
    assert sum(rounds) == 12
    assert names(told) == ["PaymentSettled"] * 12


def test_a_product_that_falls_over_one_payment_does_not_stop_the_others(
    aida: User, bank: FakeOctoBank, falling: list[str]
) -> None:
    payments = [cast.start(aida, reference=str(number)) for number in range(3)]
    for payment in payments:
        bank.pay(payment.shop_transaction_id)
    falling.append("0")
    assert actions.reconcile(now=minutes(3))["payments"] == 3
    assert [cast.fresh(payment).status for payment in payments] == ["pending", "paid", "paid"]
    first = cast.fresh(payments[0])
    assert (first.needs_attention, first.note) == (True, "our own side fell over it: RuntimeError")
    falling.clear()
    actions.reconcile(now=minutes(6))
    assert cast.fresh(first).status == "paid"


def test_a_product_that_falls_over_one_refund_does_not_stop_the_others(
    client: Client, aida: User, bank: FakeOctoBank, falling: list[str]
) -> None:
    paid = [cast.pay(client, cast.start(aida, reference=str(number))) for number in range(2)]
    bank.fail_next(2, 429)
    for payment in paid:
        actions.refund(by=None, payment=payment, amount=None, key="k", reason="returned")
    falling.append("0")
    assert actions.reconcile(now=minutes(5))["refunds"] == 2
    assert [cast.fresh(payment).status for payment in paid] == ["paid", "refunded"]
    assert cast.fresh(paid[0]).needs_attention is True


def test_money_of_another_amount_waits_for_people_not_for_the_clock(
    payment: Payment, bank: FakeOctoBank, told: list[Any]
) -> None:
    bank.pay(payment.shop_transaction_id)
    cast.charge_of(payment).amount = Decimal(1)
    actions.reconcile(now=minutes(3))
    actions.reconcile(now=minutes(30))
    seen = cast.fresh(payment)
    assert (seen.status, seen.needs_attention, names(told)) == ("pending", True, ["LookNeeded"])


@pytest.mark.race
def test_notice_schedule_and_staff_at_once_settle_once(client: Client, bank: FakeOctoBank, told: list[Any]) -> None:
    payment = cast.start(cast.person("aida"))
    notice = bank.pay(payment.shop_transaction_id)
    deeds = (
        lambda: actions.receive_notice(raw=notice.body),
        lambda: actions.reconcile(now=minutes(3)),
        lambda: actions.ask_gateway(payment),
    )
    race(12, lambda number: deeds[number % 3]())
    assert cast.fresh(payment).status == "paid"
    assert names(told) == ["PaymentSettled"]


@pytest.mark.race
def test_two_payments_of_one_order_at_once_keep_one(client: Client, bank: FakeOctoBank, told: list[Any]) -> None:
    aida = cast.person("aida")
    payments = [cast.start(aida, 1000 + number, key=f"key {number}") for number in range(4)]
    notices = [bank.pay(payment.shop_transaction_id) for payment in payments]
    race(4, lambda number: actions.receive_notice(raw=notices[number].body))
    actions.reconcile(now=minutes(5))
    kept = Payment.objects.filter(status="paid")
    assert [row.is_surplus for row in kept] == [False]
    assert Payment.objects.filter(status="refunded", is_surplus=True).count() == 3
    assert names(told).count("PaymentSettled") == 1
    assert sum((charge.captured - charge.refunded for charge in bank.charges.values()), Decimal(0)) == kept.get().amount
