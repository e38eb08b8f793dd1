"""Figures of the shop agree with the rows they are made of, counted here in another way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.core.testing import query_budget
from apps.payments.models import Payment, Refund
from apps.shop.actions import orders, payments
from apps.shop.models import Customer, Order
from apps.shop.queries import figures
from apps.shop.queries.figures import Figures
from apps.shop.tests import cast, paying

SUMS = ("placed", "ordered_paid", "payments", "turnover", "refunds", "refunded")
NOON = datetime(2026, 11, 20, 7, 0, tzinfo=timezone.get_fixed_timezone(0))
"""Noon in Tashkent."""


@pytest.fixture
def month(bobur: Customer, anora: Customer) -> Iterator[None]:
    """Two days ago: one order paid later, one cancelled. Yesterday: one paid and a part given back. Today: all back.

    Prices with tiyin, so that a float would show.
    """
    home, beach = cast.category("Домашние"), cast.category("Пляжные")
    warm = cast.slipper("Тёплые", price="33333.33", quantity=100, category=home)
    wet = cast.slipper("Мокрые", price="10000.10", quantity=100, category=beach)
    loose = cast.slipper("Без полки", price="5000", quantity=100)
    with time_machine.travel(NOON - timedelta(days=2), tick=False):
        late, gone = cast.order(bobur, (warm, 3), (wet, 1)), cast.order(bobur, (wet, 7))
        orders.cancel(by=bobur, order_id=gone.pk)
    with time_machine.travel(NOON - timedelta(days=1), tick=False):
        paying.paid(bobur, late)
        part = cast.order(bobur, (wet, 2), (loose, 1))
        paying.paid(bobur, part)
        payments.refund(by=anora, order_id=part.pk, amount=Decimal("1000.01"), reason="a scratch")
    with time_machine.travel(NOON, tick=False):
        whole = cast.order(bobur, (warm, 1))
        paying.paid(bobur, whole)
        payments.refund(by=anora, order_id=whole.pk, reason="wrong size")
        cast.order(bobur, (loose, 4))
        yield


def figure(**changed: Any) -> Figures:
    return Figures(**{name: Decimal(value) if isinstance(value, str) else value for name, value in changed.items()})


def test_totals(month: None) -> None:
    total = figures.totals(figures.last_days(30))
    assert total == figure(placed=5, ordered_paid=3, payments=3, turnover="168333.62", refunds=2, refunded="34333.34")
    assert (total.average, total.conversion, total.kept) == (Decimal("56111.21"), 60.0, Decimal("134000.28"))


def test_each_day_counts_what_happened_on_it(month: None) -> None:
    days = dict(figures.by_day(figures.last_days(4)))
    assert days == {
        date(2026, 11, 17): figure(),
        date(2026, 11, 18): figure(placed=2, ordered_paid=1),
        date(2026, 11, 19): figure(
            placed=1, ordered_paid=1, payments=2, turnover="135000.29", refunds=1, refunded="1000.01"
        ),
        date(2026, 11, 20): figure(
            placed=2, ordered_paid=1, payments=1, turnover="33333.33", refunds=1, refunded="33333.33"
        ),
    }


def test_days_add_up_to_the_totals(month: None) -> None:
    period = figures.last_days(30)
    rows, total = [row for _day, row in figures.by_day(period)], figures.totals(period)
    assert {name: sum(getattr(row, name) for row in rows) for name in SUMS} == {
        name: getattr(total, name) for name in SUMS
    }


def test_totals_are_what_the_tables_say(month: None) -> None:
    """The same sums in plain SQL, and in Python over all rows."""
    total = figures.totals(figures.last_days(30))
    paid = Payment.objects.filter(status__in=("paid", "refunded"))
    assert total.turnover == sum(row.captured_amount for row in paid)
    assert total.refunded == sum(row.amount for row in Refund.objects.filter(status="succeeded"))
    assert total.turnover == sum(order.total_amount for order in Order.objects.exclude(paid_at=None))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(paid_at) FROM shop_order")
        assert cursor.fetchone() == (total.placed, total.ordered_paid)


def test_categories(month: None) -> None:
    rows = figures.by_category(figures.last_days(30))
    assert [(row.category, row.placed, row.ordered_paid, row.pieces, row.total, row.back) for row in rows] == [
        ("Домашние", 2, 2, 4, Decimal("133333.32"), Decimal("33333.33")),
        ("Пляжные", 3, 2, 3, Decimal("30000.30"), Decimal(0)),
        ("", 2, 1, 1, Decimal(5000), Decimal(0)),
    ]
    assert [row.conversion for row in rows] == [100.0, 66.7, 50.0]
    assert sum(row.total for row in rows) == figures.totals(figures.last_days(30)).turnover


def test_a_day_begins_at_midnight_in_tashkent(bobur: Customer) -> None:
    before_midnight = datetime(2026, 11, 19, 18, 59, 59, tzinfo=timezone.get_fixed_timezone(0))
    for moment in (before_midnight, before_midnight + timedelta(seconds=1)):
        with time_machine.travel(moment, tick=False):
            paying.ordered(bobur)
    days = figures.by_day(figures.last_days(2, now=NOON))
    assert [(day, row.placed) for day, row in days] == [(date(2026, 11, 19), 1), (date(2026, 11, 20), 1)]


def test_deleted_orders_other_purposes_and_surplus_do_not_count(month: None, bobur: Customer) -> None:
    total = figures.totals(figures.last_days(30))
    orders.delete(by=bobur, order_id=paying.ordered(bobur).pk)
    taken = Payment.objects.filter(status="paid").first()
    assert taken is not None
    for changes in ({"purpose": "urgent.topup"}, {"is_surplus": True}, {"currency": "USD"}):
        twin = Payment.objects.get(pk=taken.pk)
        twin.pk, twin.vendor_id, twin.shop_transaction_id, twin.key = None, None, str(changes), str(changes)
        for name, value in changes.items():
            setattr(twin, name, value)
        twin.reference = f"9{taken.reference}"
        twin.save(force_insert=True)
    assert figures.totals(figures.last_days(30)) == total


def test_nothing_is_no_figure(db: None) -> None:
    total = figures.totals(figures.last_days(30))
    assert (total, total.average, total.conversion) == (Figures(), None, None)
    assert figures.by_category(figures.last_days(30)) == []


@pytest.mark.parametrize(("asked", "shown"), [(7, 7), (0, 1), (-5, 1), (10_000, 366)])
def test_periods_are_bounded(db: None, asked: int, shown: int) -> None:
    assert len(figures.last_days(asked).days) == shown


def test_a_constant_number_of_queries(month: None) -> None:
    with query_budget(7):
        figures.totals(figures.last_days(366))
        figures.by_day(figures.last_days(366))
        figures.by_category(figures.last_days(366))


def test_where_orders_stand(month: None) -> None:
    assert figures.by_status() == {"pending": 1, "confirmed": 2, "cancelled": 1, "refunded": 1}


# ── The page ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def desk(settings: Settings, db: None) -> Client:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)
    client = Client()
    client.force_login(cast.staff())
    return client


@pytest.mark.parametrize("query", ["", "?days=7", "?days=rubbish", "?days=99999999999999999999", "?days=&x=%00"])
def test_the_page_shows_the_same_numbers(month: None, desk: Client, query: str) -> None:
    page = desk.get(reverse("admin:shop_finance") + query)
    text = page.content.decode()
    assert page.status_code == 200
    for words in ("168\u202f333.62 UZS", "34\u202f333.34 UZS", "56\u202f111.21 UZS", "60 %", "Домашние"):
        assert words in text
    assert text.count('class="chart"') == 5


def test_the_page_needs_its_right(desk: Client) -> None:
    reader = User.objects.create_user(username="reader", password="irrelevant", is_staff=True)
    stranger = Client()
    stranger.force_login(reader)
    assert stranger.get(reverse("admin:shop_finance")).status_code == 403
