"""Orders by their money (contract shop 1.6 `finance`, 3.4, 4.4.6, K14, D15)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from apps.core.testing import query_budget
from apps.payments import queries as payments
from apps.payments.models import Payment
from apps.shop.actions import orders
from apps.shop.conf import PAYMENT_PURPOSE
from apps.shop.models import Customer, Order
from apps.shop.queries import finance
from apps.shop.tests import cast
from apps.shop.tests.cast import Caller

NOW = timezone.now()


def attempt(order: Order, status: str, *, minutes: int = 0, **more: Any) -> Payment:
    """A payment of the order that has come to its end, made some minutes from now."""
    settled = status in ("paid", "refunded")
    at = NOW + timedelta(minutes=minutes)
    return Payment.objects.create(
        purpose=more.pop("purpose", PAYMENT_PURPOSE),
        reference=str(order.pk),
        method="octo",
        amount=order.total_amount,
        currency="UZS",
        description="test",
        key=f"{minutes}-{status}",
        status=status,
        captured_amount=order.total_amount if settled else 0,
        refunding_amount=order.total_amount if status == "refunded" else more.pop("refunded", 0),
        refunded_amount=order.total_amount if status == "refunded" else 0,
        paid_at=at if settled else None,
        created_at=at,
        expires_at=at,
        **more,
    )


def ordered(by: Customer) -> Order:
    return cast.order(by, (cast.slipper(), 1))


def finances(by: Customer, query: str = "finance=paid_refunded") -> list[tuple[int, str]]:
    return [(row["id"], row["payment_status"]) for row in Caller(by).get(f"orders/?{query}").json()]


def test_paid_and_refunded_orders_with_their_words(bobur: Customer) -> None:
    pending, paid, refunded, failed = (ordered(bobur) for _ in range(4))
    attempt(paid, "paid")
    attempt(refunded, "refunded")
    attempt(failed, "failed")
    attempt(pending, "pending")
    assert finances(bobur) == [(refunded.pk, "refunded"), (paid.pk, "success")]
    assert finances(bobur, "finance=PAID_Refunded") == finances(bobur)
    plain = Caller(bobur).get("orders/").json()
    assert len(plain) == 4
    assert not any("payment_status" in row for row in plain)


def test_a_row_of_the_finance_list_is_a_row_of_the_list_and_one_word(bobur: Customer) -> None:
    order = ordered(bobur)
    attempt(order, "paid")
    row = Caller(bobur).get("orders/?finance=paid_refunded").json()[0]
    assert row == {**Caller(bobur).get("orders/").json()[0], "payment_status": "success"}


def test_a_later_failure_does_not_hide_a_paid_order(bobur: Customer) -> None:
    order = ordered(bobur)
    attempt(order, "paid")
    attempt(order, "failed", minutes=5)
    attempt(order, "cancelled", minutes=6)
    assert finances(bobur) == [(order.pk, "success")]


def test_the_latest_settled_payment_speaks_and_there_is_one_row(bobur: Customer) -> None:
    """K14: two payments of one moment gave the original two rows."""
    again, twice = ordered(bobur), ordered(bobur)
    attempt(again, "refunded")
    attempt(again, "paid", minutes=5)
    attempt(twice, "failed")
    attempt(twice, "refunded")
    assert finances(bobur) == [(twice.pk, "refunded"), (again.pk, "success")]


def test_money_that_was_a_surplus_does_not_speak(bobur: Customer) -> None:
    paid, unpaid = ordered(bobur), ordered(bobur)
    attempt(paid, "paid")
    attempt(paid, "refunded", minutes=5, is_surplus=True)
    attempt(unpaid, "refunded", minutes=5, is_surplus=True)
    assert finances(bobur) == [(paid.pk, "success")]


def test_payments_of_other_products_are_not_ours(bobur: Customer) -> None:
    attempt(ordered(bobur), "paid", purpose="urgent.topup")
    assert finances(bobur) == []


def test_a_buyer_sees_his_own_money_and_an_administrator_all(bobur: Customer, dilya: Customer, anora: Customer) -> None:
    mine, hers, gone = ordered(bobur), ordered(dilya), ordered(dilya)
    orders.delete(by=dilya, order_id=gone.pk)
    for order in (mine, hers, gone):
        attempt(order, "paid")
    assert finances(bobur) == [(mine.pk, "success")]
    assert finances(anora) == [(hers.pk, "success"), (mine.pk, "success")]
    assert finances(anora, "finance=paid_refunded&skip=1&limit=1") == [(mine.pk, "success")]


@pytest.mark.parametrize("many", [1, 4])
def test_the_finance_list_costs_three_queries(bobur: Customer, many: int) -> None:
    for _ in range(many):
        attempt(ordered(bobur), "paid")
    with query_budget(3):
        assert len(finance.listed(by=bobur)) == many


# ── What does not fit ───────────────────────────────────────────────────────────────────────────────────────────────
def test_orders_and_payments_that_disagree_are_found(bobur: Customer, anora: Customer) -> None:
    good, by_hand, unheard, over, refunded = (ordered(bobur) for _ in range(5))
    for order in (good, refunded):
        attempt(order, "paid")
        orders.confirm(order_id=order.pk)
    orders.mark_refunded(order_id=refunded.pk)
    Payment.objects.filter(reference=str(refunded.pk)).update(
        status="refunded", refunding_amount=Decimal(50000), refunded_amount=Decimal(50000)
    )
    orders.set_status(by=anora, order_id=by_hand.pk, status="confirmed", reason="cash")
    attempt(unheard, "paid")
    attempt(over, "paid")
    orders.cancel(by=bobur, order_id=over.pk)
    with query_budget(2):
        found = finance.mismatches()
    assert found == [
        finance.Mismatch(by_hand.pk, "paid, and no payment is"),
        finance.Mismatch(unheard.pk, "not paid, and its payment is"),
        finance.Mismatch(over.pk, "not paid, and its payment is"),
    ]
    assert set(payments.settled_references(PAYMENT_PURPOSE)) == {
        str(order.pk) for order in (good, unheard, over, refunded)
    }
