"""The table of contract shop 4.4.4, current state × incoming word, walked completely through the HTTP notice.

The bank itself says the same as its notice: what only a notice says is the business of `test_notify.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from apps.core.testing import deliver
from apps.integrations.sandbox import vendors
from apps.payments.models import Payment, Refund
from apps.shop.models import Customer, Order
from apps.shop.tests import paying
from apps.shop.tests.cast import Caller

TOTAL = Decimal(150_000)

WORDS = {
    "open": ("created", "wait_user_action", "waiting_user_action"),
    "held": ("waiting_for_capture",),
    "success": ("paid", "captured", "completed", "succeeded", "success", "paid_and_captured", "SUCCEEDED"),
    "cancelled": ("canceled", "cancelled"),
    "failed": ("failed", "error"),
    "refunded": ("refunded", "succeeded"),
}
"""Column → the words that stand in it. In the last one all of the money has gone back as well."""


@dataclass(frozen=True)
class Cell:
    """How payment and order stand afterwards; `alert`: staff are called; `answer` to the bank."""

    payment: str
    order: str
    alert: bool = False
    answer: str = "ok"


UNPAID = {
    "open": Cell("pending", "pending"),
    "held": Cell("paid", "confirmed", answer="capture"),
    "success": Cell("paid", "confirmed"),
    "cancelled": Cell("cancelled", "pending"),
    "failed": Cell("failed", "pending"),
    "refunded": Cell("pending", "pending", alert=True),
}


def ended(status: str) -> dict[str, Cell]:
    """A payment that was given up: only money that really came counts, held money is let go."""
    nothing = Cell(status, "pending")
    return {
        "open": nothing,
        "held": Cell(status, "pending", answer="cancel"),
        "success": Cell("paid", "confirmed"),
        "cancelled": nothing,
        "failed": nothing,
        "refunded": nothing,
    }


TABLE: dict[str, dict[str, Cell]] = {
    "created": UNPAID | {"refunded": Cell("created", "pending", alert=True)},
    "pending": UNPAID,
    "paid": {
        "open": Cell("paid", "confirmed"),
        "held": Cell("paid", "confirmed"),
        "success": Cell("paid", "confirmed"),
        "cancelled": Cell("paid", "confirmed", alert=True),
        "failed": Cell("paid", "confirmed", alert=True),
        "refunded": Cell("refunded", "refunded"),
    },
    "failed": ended("failed"),
    "cancelled": ended("cancelled"),
    "refunded": dict.fromkeys(WORDS, Cell("refunded", "refunded")),
}

WALKS = [
    pytest.param(state, column, word, id=f"{state}-{column}-{word}")
    for state, row in TABLE.items()
    for column in row
    for word in WORDS[column]
]


def in_state(state: str, buyer: Customer, admin: Customer) -> tuple[Order, Payment]:
    """An order whose payment is in this state."""
    order = paying.ordered(buyer)
    if state == "created":
        vendors.octo.lose_next()
        assert Caller(buyer).post(paying.CREATE, {"order_id": order.pk}).status_code == 504
        return order, paying.payment_of(order)
    payment = paying.begun(buyer, order)
    if state in ("paid", "refunded"):
        paying.tell(vendors.octo.pay(payment.shop_transaction_id))
    if state == "refunded":
        assert Caller(admin).post(paying.REFUND, {"order_id": order.pk}).status_code == 200
    if state in ("failed", "cancelled"):
        say(payment, {"failed": "failed", "cancelled": "canceled"}[state])
    return order, paying.fresh(payment)


def say(payment: Payment, word: str, column: str = "") -> Any:
    """The bank means `word` and says so."""
    charge = paying.charge_of(payment)
    charge.status = word
    if column in ("success", "refunded"):
        charge.captured = charge.amount
    if column == "refunded":
        charge.refunded = charge.amount
    paying.may_ask_again()
    answer = paying.tell(vendors.octo.notice(charge))
    assert answer.status_code == 200, answer.content
    deliver()
    return json.loads(answer.content)


@pytest.mark.parametrize(("state", "column", "word"), WALKS)
def test_the_table_is_walked(state: str, column: str, word: str, anora: Customer, bobur: Customer) -> None:
    order, payment = in_state(state, bobur, anora)
    assert payment.status == state
    cell = TABLE[state][column]
    answer = say(payment, word, column)
    seen = paying.fresh(payment)
    assert (seen.status, paying.fresh(order).status) == (cell.payment, cell.order)
    assert seen.needs_attention == cell.alert
    assert answer.get("accept_status", "ok" if answer.get("ok") else None) == cell.answer
    assert seen.captured_amount == (TOTAL if cell.payment in ("paid", "refunded") else 0)
    assert seen.refunded_amount == (TOTAL if cell.payment == "refunded" else 0)
    assert paying.left(order) == (10 if cell.order == "refunded" else 7)
    assert Refund.objects.count() == (1 if cell.payment == "refunded" else 0)


@pytest.mark.parametrize(("state", "column", "word"), WALKS)
def test_a_second_time_changes_nothing(state: str, column: str, word: str, anora: Customer, bobur: Customer) -> None:
    order, payment = in_state(state, bobur, anora)
    say(payment, word, column)
    first = paying.fresh(payment).status, paying.fresh(order).status, paying.left(order), Refund.objects.count()
    paying.may_ask_again()
    paying.tell(vendors.octo.notice(paying.charge_of(payment)))
    deliver()
    second = paying.fresh(payment).status, paying.fresh(order).status, paying.left(order), Refund.objects.count()
    assert second == first


def test_words_that_nobody_knows_leave_it_open(bobur: Customer, anora: Customer) -> None:
    order, payment = in_state("pending", bobur, anora)
    say(payment, "thinking_about_it")
    assert (paying.fresh(payment).status, paying.fresh(order).status) == ("pending", "pending")


def test_a_part_that_went_back_leaves_the_order_paid(bobur: Customer, anora: Customer) -> None:
    order, payment = in_state("paid", bobur, anora)
    vendors.octo.refund_in_cabinet(payment.shop_transaction_id, Decimal(50_000))
    say(payment, "succeeded")
    seen = paying.fresh(payment)
    assert (seen.status, seen.refunded_amount, paying.fresh(order).status) == ("paid", 50_000, "confirmed")
    assert paying.left(order) == 7
