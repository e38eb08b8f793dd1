"""Two stages: set aside, then taken or let go."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.core.money import Money
from apps.core.testing import assert_refused, deliver, outcomes, race
from apps.integrations.sandbox.octo import FakeOctoBank
from apps.payments import actions
from apps.payments.actions.holding import CLAIM as HOLD_CLAIM
from apps.payments.models import Payment
from apps.payments.tests import cast


@pytest.fixture
def held(client: Client, aida: User, bank: FakeOctoBank) -> Payment:
    """150 000 soum set aside."""
    return cast.pay(client, cast.start(aida, two_stage=True))


def names(told: list[Any]) -> list[str]:
    return [type(fact).__name__ for fact in told]


def test_held_money_is_announced_and_waits(client: Client, aida: User, bank: FakeOctoBank, told: list[Any]) -> None:
    payment = cast.start(aida, two_stage=True)
    answer = cast.post_notice(client, bank.pay(payment.shop_transaction_id))
    assert answer.json() == {"ok": True}
    assert cast.fresh(payment).status == "held"
    assert (names(told), told[0].amount) == (["PaymentHeld"], "150000.00")


def test_all_is_taken(held: Payment, told: list[Any]) -> None:
    done = actions.capture(by=None, payment=held)
    assert (done.status, done.captured_amount) == ("paid", Decimal(150_000))
    assert cast.charge_of(held).status == "succeeded"
    assert names(told) == ["PaymentSettled"]


def test_a_part_is_taken_and_the_rest_goes_back(held: Payment, told: list[Any]) -> None:
    done = actions.capture(by=None, payment=held, amount=cast.som(100_000))
    assert (done.status, done.captured_amount, done.amount) == ("paid", Decimal(100_000), Decimal(150_000))
    assert cast.charge_of(held).captured == Decimal(100_000)
    assert told[0].amount == "100000.00"
    refused = pytest.raises(
        actions.WrongAmount, lambda: actions.refund(by=None, payment=done, amount=Decimal(100_001), key="k", reason="r")
    )
    assert refused.value.status == 422


@pytest.mark.parametrize("named", [False, True])
def test_the_rest_of_a_partial_capture_is_no_refund(
    held: Payment, bank: FakeOctoBank, told: list[Any], named: bool
) -> None:
    """OCTO's papers do not say whether `refunded_sum` counts it."""
    bank.counts_rest_as_refunded = named
    actions.capture(by=None, payment=held, amount=Decimal(100_000))
    done = actions.ask_gateway(held)
    assert (done.status, done.captured_amount, done.refunded_amount) == ("paid", Decimal(100_000), Decimal(0))
    actions.refund(by=None, payment=done, amount=None, key="all", reason="returned")
    assert cast.fresh(done).status == "refunded"
    assert (names(told), actions.ask_gateway(done).refunded_amount) == (
        ["PaymentSettled", "RefundSettled"],
        Decimal(100_000),
    )


def test_money_held_for_what_another_payment_paid_is_let_go(client: Client, aida: User, bank: FakeOctoBank) -> None:
    first = cast.start(aida)
    second = cast.pay(client, cast.start(aida, 99_000, key="second", two_stage=True))
    assert second.status == "held"
    assert cast.pay(client, first).status == "paid"
    deliver()
    assert (cast.fresh(second).status, cast.charge_of(second).status) == ("cancelled", "canceled")


def test_another_currency_is_not_captured(held: Payment) -> None:
    assert_refused(
        actions.WrongAmount,
        lambda: actions.capture(by=None, payment=held, amount=Money(Decimal(5), "USD")),
        unchanged=cast.books(),
    )


def test_taking_twice_is_free(held: Payment, bank: FakeOctoBank) -> None:
    actions.capture(by=None, payment=held)
    calls = len(bank.requests)
    assert actions.capture(by=None, payment=held).status == "paid"
    assert len(bank.requests) == calls


def test_it_is_let_go(held: Payment, told: list[Any]) -> None:
    assert actions.cancel_hold(by=None, payment=held).status == "cancelled"
    assert cast.charge_of(held).status == "canceled"
    assert names(told) == ["PaymentFailed"]
    assert actions.cancel_hold(by=None, payment=held).status == "cancelled"


@pytest.mark.parametrize("amount", ["0", "-1", "150000.01", "0.001"])
def test_impossible_amounts_are_refused(held: Payment, amount: str) -> None:
    assert_refused(
        actions.WrongAmount,
        lambda: actions.capture(by=None, payment=held, amount=Decimal(amount)),
        unchanged=cast.books(),
    )


def test_what_is_not_held_cannot_be_taken(payment: Payment) -> None:
    for deed in (actions.capture, actions.cancel_hold):
        refused = assert_refused(actions.NotHeld, lambda: deed(by=None, payment=payment), unchanged=cast.books())  # noqa: B023
        assert refused.status == 409


def test_a_decision_is_not_changed(held: Payment, bank: FakeOctoBank) -> None:
    bank.fail_next(1, 503)
    actions.capture(by=None, payment=held, amount=Decimal(1000))
    assert cast.fresh(held).status == "held"
    assert_refused(actions.KeyReused, lambda: actions.cancel_hold(by=None, payment=held), unchanged=cast.books())
    actions.reconcile(now=timezone.now() + HOLD_CLAIM * 3)
    assert (cast.fresh(held).status, cast.charge_of(held).captured) == ("paid", Decimal(1000))


def test_a_lost_answer_to_capture_takes_once(held: Payment, bank: FakeOctoBank) -> None:
    bank.lose_next()
    assert actions.capture(by=None, payment=held, amount=Decimal(90_000)).status == "held"
    assert cast.charge_of(held).status == "succeeded"
    actions.reconcile(now=timezone.now() + HOLD_CLAIM * 3)
    done = cast.fresh(held)
    assert (done.status, done.captured_amount) == ("paid", Decimal(90_000))


def test_held_money_of_a_one_stage_payment_is_taken_at_once(
    client: Client, payment: Payment, bank: FakeOctoBank
) -> None:
    """OCTO's papers disagree about the default of auto_capture (contract integrations 1)."""
    cast.charge_of(payment).is_two_stage = True
    answer = cast.post_notice(client, bank.pay(payment.shop_transaction_id))
    assert answer.json() == {"ok": True} or answer.json()["accept_status"] == "capture"
    deliver()
    assert (cast.fresh(payment).status, cast.charge_of(payment).status) == ("paid", "succeeded")


def test_held_money_for_what_is_paid_is_let_go(client: Client, aida: User, bank: FakeOctoBank) -> None:
    first = cast.start(aida, 70_000, two_stage=True)
    second = cast.start(aida, key="second")
    assert cast.pay(client, second).status == "paid"
    answer = cast.post_notice(client, bank.pay(first.shop_transaction_id))
    assert answer.json() in ({"ok": True}, {"accept_status": "cancel"})
    deliver()
    assert (cast.fresh(first).status, cast.charge_of(first).status) == ("cancelled", "canceled")


def test_held_money_of_another_amount_is_let_go(client: Client, aida: User, bank: FakeOctoBank) -> None:
    payment = cast.start(aida, two_stage=True)
    bank.lie_about_amount(Decimal(5))
    cast.post_notice(client, bank.pay(payment.shop_transaction_id))
    deliver()
    seen = cast.fresh(payment)
    assert (seen.status, seen.needs_attention, cast.charge_of(payment).status) == ("cancelled", True, "canceled")


def test_a_hold_that_ran_out_at_the_gateway_ends(held: Payment, bank: FakeOctoBank, told: list[Any]) -> None:
    bank.cancel(held.shop_transaction_id)
    assert actions.ask_gateway(held).status == "cancelled"
    assert names(told) == ["PaymentFailed"]


def test_the_answer_to_a_repeated_notice_names_the_decision(client: Client, held: Payment, bank: FakeOctoBank) -> None:
    bank.fail_next(1, 503)
    actions.capture(by=None, payment=held, amount=Decimal(1000))
    Payment.objects.update(checked_at=timezone.now())
    answer = cast.post_notice(client, bank.notice(cast.charge_of(held)))
    assert answer.json() == {"accept_status": "capture", "final_amount": 1000.0}


@pytest.mark.race
def test_capture_and_cancel_at_once_end_one_way(client: Client, bank: FakeOctoBank) -> None:
    aida = cast.person("aida")
    held = cast.pay(client, cast.start(aida, two_stage=True))
    results = race(
        8,
        lambda number: (actions.capture if number % 2 else actions.cancel_hold)(by=None, payment=held).status,
    )
    seen = cast.fresh(held)
    assert {"paid": "succeeded", "cancelled": "canceled"}[seen.status] == cast.charge_of(held).status
    assert set(outcomes(results)) <= {"ok", "KeyReused", "NotHeld"}
