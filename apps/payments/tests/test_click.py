"""Click's SHOP-API: the official fifteen steps, every code, every order of events (contract integrations 3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.core.testing import deliver, race
from apps.integrations.ports import port
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.click import FakeClickPay
from apps.payments import actions
from apps.payments.actions.click import NOTES
from apps.payments.models import Attempt, Payment, Refund
from apps.payments.tests import cast

AMOUNT = "150000.00"


@pytest.fixture
def click() -> FakeClickPay:
    return vendors.click


@pytest.fixture
def bill(aida: User) -> Payment:
    """150 000 soum by Click."""
    return cast.start(aida, method="click")


def names(told: list[Any]) -> list[str]:
    return [type(fact).__name__ for fact in told]


def test_the_official_matrix(aida: User, click: FakeClickPay, told: list[Any]) -> None:
    bills = [cast.start(aida, method="click", reference=str(number)) for number in range(3)]
    orders = [(bill.shop_transaction_id, AMOUNT) for bill in bills]
    assert click.matrix(*orders) == [-1, -5, 0, -1, -2, 0, -4, -9, 0, -6, 0, 0, -9, -9, -9]
    assert [cast.fresh(bill).status for bill in bills] == ["paid", "paid", "pending"]
    assert names(told) == ["PaymentSettled", "LookNeeded", "PaymentSettled"]


def test_a_person_pays(click: FakeClickPay, bill: Payment, told: list[Any]) -> None:
    outcome = click.pay(bill.shop_transaction_id, AMOUNT)
    assert outcome["ok"] is True
    attempt = Attempt.objects.get()
    assert outcome["last"] == {
        "click_trans_id": attempt.vendor_id,
        "merchant_trans_id": bill.shop_transaction_id,
        "merchant_confirm_id": attempt.pk,
        "error": 0,
        "error_note": "Success",
    }
    seen = cast.fresh(bill)
    assert (seen.status, seen.captured_amount, seen.vendor_id) == (
        "paid",
        Decimal(150_000),
        str(outcome["payment_id"]),
    )
    assert names(told) == ["PaymentSettled"]


def test_a_card_that_refuses_leaves_room(click: FakeClickPay, bill: Payment, told: list[Any]) -> None:
    assert click.pay(bill.shop_transaction_id, AMOUNT, error=-5017)["last"]["error"] == -9
    assert (cast.fresh(bill).status, names(told)) == ("pending", [])
    assert click.pay(bill.shop_transaction_id, AMOUNT)["ok"] is True


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"signed": {"action": 5}}, -3),
        ({"signed": {"service_id": 1}}, -8),
        ({"signed": {"amount": "abc"}}, -2),
        ({"signed": {"amount": "NaN"}}, -2),
        ({"signed": {"amount": "150000.01"}}, -2),
        ({"signed": {"amount": "1e400"}}, -2),
        ({"signed": {"click_trans_id": "x"}}, -8),
        ({"signed": {"merchant_trans_id": "\x00"}}, -8),
        ({"amount": "1.00"}, -1),
        ({"merchant_trans_id": "other"}, -1),
        ({"sign_string": ""}, -8),
    ],
)
def test_prepare_refuses(click: FakeClickPay, bill: Payment, changes: dict[str, Any], expected: int) -> None:
    answer = click.send(click.begin(bill.shop_transaction_id, AMOUNT), 0, **changes)
    assert (answer["error"], answer["error_note"]) == (expected, NOTES[expected])
    assert Attempt.objects.count() == 0


def test_the_raw_text_of_the_amount_is_signed(click: FakeClickPay, bill: Payment) -> None:
    assert click.pay(bill.shop_transaction_id, "150000")["ok"] is True


def test_an_empty_call_is_minus_8(client: Client, db: None) -> None:
    for path in ("prepare", "complete"):
        answer = client.post(f"/payments/click/{path}")
        assert (answer.status_code, answer.json()["error"]) == (200, -8)


def test_prepare_twice_is_one_attempt(click: FakeClickPay, bill: Payment) -> None:
    payment = click.begin(bill.shop_transaction_id, AMOUNT)
    assert click.send(payment, 0)["merchant_prepare_id"] == click.send(payment, 0)["merchant_prepare_id"]
    assert Attempt.objects.count() == 1


def test_complete_without_prepare_is_minus_6(click: FakeClickPay, bill: Payment) -> None:
    payment = click.begin(bill.shop_transaction_id, AMOUNT)
    assert click.send(payment, 1)["error"] == -6
    assert click.send(payment, 1, signed={"merchant_prepare_id": "-1"})["error"] == -6
    assert click.send(payment, 1, signed={"merchant_prepare_id": "9" * 30})["error"] == -6


def test_complete_of_another_bill_is_minus_6(aida: User, click: FakeClickPay, bill: Payment) -> None:
    payment = click.begin(bill.shop_transaction_id, AMOUNT)
    click.send(payment, 0)
    other = cast.start(aida, method="click", reference="42")
    assert click.send(payment, 1, signed={"merchant_trans_id": other.shop_transaction_id})["error"] == -6
    assert cast.fresh(other).status == "pending"


def test_the_second_of_two_payments_is_not_taken(click: FakeClickPay, bill: Payment, told: list[Any]) -> None:
    first, second = (click.begin(bill.shop_transaction_id, AMOUNT) for _ in range(2))
    click.send(first, 0)
    click.send(second, 0)
    assert click.send(first, 1)["error"] == 0
    assert click.send(second, 1)["error"] == -9
    assert click.send(second, 1)["error"] == -9
    assert names(told) == ["PaymentSettled", "LookNeeded"]


def test_prepare_of_a_paid_bill_is_minus_4(click: FakeClickPay, bill: Payment) -> None:
    click.pay(bill.shop_transaction_id, AMOUNT)
    assert click.send(click.begin(bill.shop_transaction_id, AMOUNT), 0)["error"] == -4


def test_money_for_what_is_paid_otherwise_is_reversed(
    client: Client, aida: User, click: FakeClickPay, bill: Payment, told: list[Any]
) -> None:
    payment = click.begin(bill.shop_transaction_id, AMOUNT)
    click.send(payment, 0)
    cast.pay(client, cast.start(aida, key="by card"))
    payment.status = 2  # Click has taken the money before it tells us
    assert click.send(payment, 1)["error"] == 0
    deliver()
    assert payment.status == -99
    assert (cast.fresh(bill).status, cast.fresh(bill).is_surplus) == ("refunded", True)
    assert names(told) == ["PaymentSettled", "SurplusTaken", "RefundSettled"]


def test_a_refund_is_a_reversal(click: FakeClickPay, bill: Payment) -> None:
    click.pay(bill.shop_transaction_id, AMOUNT)
    paid = cast.fresh(bill)
    with pytest.raises(actions.RefundOnlyWhole):
        actions.refund(by=None, payment=paid, amount=Decimal(1), key="k", reason="returned")
    click.lose_next(3)
    assert actions.refund(by=None, payment=paid, amount=None, key="all", reason="returned").status == "new"
    actions.reconcile(now=timezone.now() + timedelta(minutes=10))
    assert (Refund.objects.get().status, cast.fresh(bill).status) == ("succeeded", "refunded")


def test_click_can_be_asked(click: FakeClickPay, bill: Payment) -> None:
    payment = click.begin(bill.shop_transaction_id, AMOUNT)
    assert actions.ask_gateway(bill).status == "pending"
    payment.status = 2
    seen = actions.ask_gateway(bill)
    assert (seen.status, seen.needs_attention, seen.note) == (
        "pending",
        True,
        "Click says paid, but never asked us to prepare it",
    )
    payment.status = 0
    click.send(payment, 0)
    payment.status = 2
    assert actions.ask_gateway(bill).status == "paid"


def test_a_fault_of_ours_is_minus_7_and_can_be_repeated(
    client: Client, bill: Payment, click: FakeClickPay, falling: list[str]
) -> None:
    payment = click.begin(bill.shop_transaction_id, AMOUNT)
    click.send(payment, 0)
    assert click.send(payment, 1)["error"] == -7
    assert (Attempt.objects.get().state, cast.fresh(bill).status) == (1, "pending")
    falling.clear()
    assert click.send(payment, 1)["error"] == 0


def test_a_link_paid_after_midnight_is_found(click: FakeClickPay, bill: Payment) -> None:
    payment = click.begin(bill.shop_transaction_id, AMOUNT)
    click.send(payment, 0)
    payment.status = 2
    Payment.objects.filter(pk=bill.pk).update(created_at=timezone.now() - timedelta(days=1))
    assert actions.ask_gateway(cast.fresh(bill)).status == "paid"
    payment.day = "2020-01-01"
    assert port("click").ask(transaction_id=bill.shop_transaction_id, on=bill.created_at).state == "unknown"


@pytest.mark.race
def test_twins_of_complete_settle_once(client: Client, told: list[Any]) -> None:
    click = vendors.click
    bill = cast.start(cast.person("aida"), method="click")
    payment = click.begin(bill.shop_transaction_id, AMOUNT)
    click.send(payment, 0)
    fields = cast.fields_of(click.notice(payment, 1))
    results = race(10, lambda number: actions.answer_click(fields=fields, action=1)["error"])
    assert sorted(results) == [-4] * 9 + [0]
    assert names(told) == ["PaymentSettled"]
