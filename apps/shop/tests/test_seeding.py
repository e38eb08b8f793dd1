"""Sample data shows every state, tells one story in orders, money and shelves, and comes once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.models import StepLog
from apps.core.testing import deliver
from apps.payments import queries as payments
from apps.payments.models import Payment, Refund
from apps.shop import seeding
from apps.shop.actions import sessions
from apps.shop.models import Customer, Order, PriceChange, Slipper, SlipperImage
from apps.shop.queries import figures, finance
from apps.shop.seeding import SHELVES, seed

pytestmark = pytest.mark.django_db

PRODUCTS = sum(len(rows) for rows in SHELVES.values())
ORDERS = sum(plan.count for plan in (*seeding.MONTH, *seeding.TODAY))


def test_the_sample_shop_is_planted_once() -> None:
    assert seed() == f"{PRODUCTS} products on {len(SHELVES)} shelves, {ORDERS} orders of 29 days"
    counts = [model.objects.count() for model in (Slipper, Customer, Order, Payment, Refund, StepLog)]
    assert seed() == "already there"
    assert [model.objects.count() for model in (Slipper, Customer, Order, Payment, Refund, StepLog)] == counts
    assert SlipperImage.objects.count() == PRODUCTS
    assert PriceChange.objects.count() == PRODUCTS + 1


def test_every_state_can_be_seen() -> None:
    seed()
    stands = Counter(Order.objects.values_list("status", flat=True))
    assert stands == {
        "delivered": 37, "ready": 2, "preparing": 2, "confirmed": 3, "pending": 3, "cancelled": 13, "refunded": 4
    }  # fmt: skip
    assert set(Order.objects.filter(status="cancelled").values_list("cancelled_by", flat=True)) == {
        "buyer", "staff", "timer"
    }  # fmt: skip
    assert set(Payment.objects.values_list("status", flat=True)) == {"paid", "refunded", "failed", "pending"}
    assert Refund.objects.filter(status="succeeded").count() == 7
    assert Slipper.objects.filter(quantity=0).exists()
    assert Slipper.objects.filter(low_stock_at__isnull=False).exists()


def test_orders_and_money_tell_the_same_story() -> None:
    seed()
    assert payments.audit().faults == []
    assert finance.mismatches() == []
    total = figures.totals(figures.last_days(30))
    assert total.turnover == sum(row.captured_amount for row in Payment.objects.settled())
    assert total.refunded == sum(row.amount for row in Refund.objects.all())
    assert (total.placed, total.ordered_paid) == (ORDERS, 48)


def test_the_month_lies_in_the_past_in_its_order() -> None:
    seed()
    now = timezone.now()
    for order in Order.objects.all():
        moments = [order.created_at, order.paid_at, order.delivered_at, order.refunded_at]
        known = [moment for moment in moments if moment]
        assert known == sorted(known)
        assert now - timedelta(days=30) < known[0] and known[-1] <= now
    assert list(Order.objects.order_by("pk")) == list(Order.objects.order_by("created_at"))
    assert not StepLog.objects.filter(at__gt=now).exists()
    busy = [day for day, row in figures.by_day(figures.last_days(30)) if row.payments]
    assert len(busy) > 15


def test_the_shelves_are_as_they_were_drawn() -> None:
    """A supply came for all that was sold: what is more than was drawn came back from cancelled orders."""
    seed()
    drawn = {(name, size): pieces for rows in SHELVES.values() for name, size, _price, pieces, _colour in rows}
    for slipper in Slipper.objects.all():
        lines = slipper.order_items.filter(order__status__in=("cancelled", "refunded"))
        back = sum(line.quantity for line in lines.exclude(order__delivered_at__isnull=False))
        assert slipper.quantity == drawn[slipper.name, slipper.size] + back


def test_the_sample_people_sign_in() -> None:
    seed()
    buyer = sessions.log_in(identifier="Nodira", password=seeding.PASSWORD)
    administrator = sessions.log_in(identifier="+998901110009", password=seeding.PASSWORD)
    assert (buyer.name, buyer.is_admin) == ("Nodira", False)
    assert (administrator.name, administrator.is_admin) == ("Kamola", True)


def test_sample_data_survives_the_outbox() -> None:
    seed()
    deliver()
